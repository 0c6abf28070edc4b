"""Which code this is: its version, and the commit where it is a git checkout."""

import hashlib
import importlib.metadata
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

VERSION = "0.1.0"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class CodeVersion:
    """Version and state of the code.

    Args:
        version: Version of the last or coming release.
        commit: Commit that is checked out; None outside a git checkout.
        dirty: Whether tracked files differ from that commit; None outside a git checkout.
    """

    version: str
    commit: str | None
    dirty: bool | None


@cache
def find_code_version() -> CodeVersion:
    """Return the version of the code, found at the first call: files that change later are not what runs."""
    return read_code_version(ROOT)


def read_code_version(root: Path) -> CodeVersion:
    """Return the version of the code in a folder.

    Args:
        root: Folder of the code. A copy of it inside another project's checkout has no commit of its own.
    """
    top, _, commit = (_git(root, "rev-parse", "--show-toplevel", "HEAD") or "").partition("\n")
    if not commit or Path(top).resolve() != root.resolve():
        return CodeVersion(VERSION, None, None)
    changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    return CodeVersion(VERSION, commit, None if changes is None else changes != "")


@cache
def find_package_version(name: str) -> str:
    """Return the version of a package that is imported, found at the first call.

    Args:
        name: Name of the package, or of a module beside others.

    Returns:
        That of its distribution or its `__version__`; else what `git describe` says of its folder, such as
        `v1.2-3-g1a2b3c4-dirty` or `1a2b3c4`; where git does not keep it the beginning of a SHA-256 of its .py files,
        such as `sha256:1a2b3c4d5e6f`; `unknown` without a file.
    """
    distributions = importlib.metadata.packages_distributions().get(name)
    if distributions:
        return importlib.metadata.version(distributions[0])
    module = sys.modules.get(name)
    version, places = getattr(module, "__version__", None), [*getattr(module, "__path__", [])]
    place = Path(places[0] if places else getattr(module, "__file__", None) or "")
    if isinstance(version, str) or not place.name:
        return version if isinstance(version, str) else "unknown"
    is_kept = _git(place.parent, "ls-files", "--error-unmatch", place.name) is not None
    return (is_kept and _git(place.parent, "describe", "--tags", "--always", "--dirty")) or _digest_code(place)


def _digest_code(place: Path) -> str:
    """Say what a package's folder, or a module's file, holds."""
    digest = hashlib.sha256()
    for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        digest.update(file.relative_to(place.parent).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return f"sha256:{digest.hexdigest()[:12]}"


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git prints, without the last line's end; None where it fails or is not installed."""
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
