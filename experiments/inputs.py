"""The files that a training starts or learns from beside its data: weights, predictions, chosen rows."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from experiments.settings import read_yaml
from runtime.run_folders import find_named, find_trained

WEIGHTS = (".safetensors", ".bin")
SETTINGS = (".yaml", ".yml")


def find_inputs(configs: Sequence[Path], flags: Sequence[str]) -> list[Path]:
    """Return the files that `-c` files and flags name, in an order that the order of the flags does not change.

    They are the weights of `model.backbone`, `model.init_from` and a `fluency.model`, the predictions of a teacher,
    `train_rows`, and files of settings that a flag names. A name on the hub or of a package is no file. The files of
    the data are not among them: reports say what they held.

    Args:
        configs: `-c` files in order.
        flags: The flags after them.

    Raises:
        InputError: If a file of settings cannot be read.
    """
    named: dict[str, list[str]] = {}
    for path in configs:
        named.update(_flatten(read_yaml(path)))
    for name, value in _read_flags(flags):
        named.update(_flatten(value, name))
    return [path for key in sorted(named) for text in named[key] for path in _locate(key, text)]


def _read_flags(flags: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Return names and values of flags, and the settings in a file that is a value."""
    for flag, after in pairwise([*flags, ""]):
        name, is_joined, joined = flag.partition("=")
        if not name.startswith("--"):
            continue
        value = joined if is_joined else after
        try:
            yield name[2:], yaml.safe_load(value)
        except (yaml.YAMLError, ValueError):  # the latter of 2024-02-30, which has the form of a date
            yield name[2:], value
        if _is_settings(value):
            yield name[2:], read_yaml(Path(value))


def _is_settings(value: str) -> bool:
    return value.endswith(SETTINGS) and Path(value).is_file()


def _flatten(value: Any, key: str = "") -> Iterator[tuple[str, list[str]]]:
    """Return plain settings by their dotted names, which are those of flags."""
    if isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _flatten(entry, key if name == "init_args" else f"{key}.{name}".lstrip("."))
    else:
        yield key, [str(entry) for entry in (value if isinstance(value, list) else [value])]


def _locate(key: str, text: str) -> list[Path]:
    """Return the files behind a setting, given its dotted name; none where it is not about files."""
    if _is_settings(text):
        return [Path(text)]
    if key == "model.init_from":
        return _list_checkpoint(Path(text).expanduser())
    if key == "model.backbone" or key.endswith(".fluency.model"):
        return _list_weights(Path(text).expanduser())
    if key.endswith(".teacher.files"):
        return _list_predictions(text, task=key.split(".")[1])
    if key.endswith(".train_rows"):
        return _list_file(Path(text).expanduser())
    return []


def _list_file(path: Path) -> list[Path]:
    return [path] if path.is_file() else []


def _list_checkpoint(source: Path) -> list[Path]:
    found = source if source.is_file() else find_trained(source)
    return [] if found is None else [found]


def _list_weights(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix in WEIGHTS) if folder.is_dir() else []


def _list_predictions(entry: str, *, task: str) -> list[Path]:
    """Return the files that an entry of `teacher.files` names: itself, those of a run, or of a pattern."""
    names = [f"{task}-train{what}.csv" for what in ("", "-probabilities")]
    files = [[path / "predictions" / name for name in names] if path.is_dir() else [path] for path in find_named(entry)]
    return [file for some in files for file in some if file.is_file()]
