"""The user's own packages whose classes a run uses."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from runtime.version import ROOT, find_package_version


def find_own_versions(settings: Any, used: Iterable[object], *, known: Collection[str]) -> dict[str, str]:
    """Return the version of each package outside this repository that a class comes from, as far as one is known.

    Args:
        settings: Hyperparameters as plain data, in which `class_path` names a class.
        used: Objects that are not among them, such as callbacks.
        known: Packages that are left out.
    """
    paths = [*_class_paths(settings), *(f"{type(each).__module__}." for each in used)]
    packages = sorted({path.partition(".")[0] for path in paths if "." in path} - {*known, "__main__", "builtins"})
    return {name: find_package_version(name) for name in packages if not _is_ours(name)}


def _class_paths(settings: Any) -> Iterator[str]:
    if isinstance(settings, Mapping):
        if isinstance(path := settings.get("class_path"), str):
            yield path
        settings = list(settings.values())
    if isinstance(settings, list | tuple):
        for each in settings:
            yield from _class_paths(each)


def _is_ours(name: str) -> bool:
    return (ROOT / name).is_dir() or (ROOT / f"{name}.py").is_file()
