"""Rows of a hub dataset, or of a local folder in hub layout."""

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from runtime.errors import InputError
from tasks.cells import Row, as_texts


def load_hub(hub: str, name: str | None, split: str) -> Any:
    """Load one split of a hub dataset, or of a local folder in hub layout.

    A folder's rows are cached by its content: datasets itself looks at times and sizes alone.

    Args:
        hub: Name of the dataset, or the folder.
        name: Its configuration.
        split: The dataset's own name of the split.

    Returns:
        A `datasets.Dataset`.

    Raises:
        InputError: If the dataset or its split cannot be had.
    """
    import datasets

    cache = Path(datasets.config.HF_DATASETS_CACHE) / f"folder-{_digest_folder(hub)[:16]}" if _is_folder(hub) else None
    try:
        return datasets.load_dataset(hub, name, split=split, cache_dir=cache and str(cache))
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        what = f"{hub} {name or ''}".strip()
        raise InputError(
            f"hub dataset {what}, split {split}: {error}. Without a network, name local files instead: "
            f"source: {{train: FILE, dev: FILE}}"
        ) from error


def read_hub(
    hub: str,
    name: str | None,
    split: str,
    columns: Collection[str],
    *,
    where: str,
    lists: Collection[str] = (),
) -> Iterator[Row]:
    """Return the rows of one split of a hub dataset in order; of its columns only those that are used are read.

    Args:
        hub: As for `load_hub`, like `name` and `split`.
        name: Its configuration.
        split: The dataset's own name of the split.
        columns: The columns that are used.
        where: Dataset and split, for messages.
        lists: Those of the columns whose cells may be lists.

    Raises:
        InputError: If the dataset or its split cannot be had, or a used value is a list or an object.
    """
    dataset = load_hub(hub, name, split)
    names = dataset.column_names
    used = dataset.select_columns([column for column in names if column in columns] or names[:1])
    for number, values in enumerate(used):
        place = f"{where}, row {number}"
        yield Row(place, as_texts(values, names, columns, place, lists), is_typed=True)


def digest_hub(hub: str, name: str | None, split: str) -> str:
    """Return a digest of a split's content: of a folder's files, or the fingerprint of a dataset from the hub."""
    if not _is_folder(hub):
        return str(load_hub(hub, name, split)._fingerprint)  # which the hub's revision decides
    load_hub(hub, name, split)  # a folder without the split is an error
    return hashlib.sha256(f"{_digest_folder(hub)} {name} {split}".encode()).hexdigest()


def _is_folder(hub: str) -> bool:
    return Path(hub).is_dir()


def _digest_folder(hub: str) -> str:
    found = hashlib.sha256()
    for path in sorted(path for path in Path(hub).rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(hub)}\0".encode())
        with path.open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()
