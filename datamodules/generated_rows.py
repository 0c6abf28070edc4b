"""Which rows of a train split are pairs that were made by rule."""

from collections import Counter
from typing import Any

from augmentation import PREFIX
from datamodules.store import TokenStore


def describe_generated(store: TokenStore) -> dict[str, Any]:
    """Return how many rows of a split were made by rule, by kind, and from which seed; nothing where none was."""
    settings = store.task.generated_pairs
    if settings is None:
        return {}
    kinds = Counter(name.split(":")[1] for name in store.all_ids() if name.startswith(PREFIX))
    if not kinds:
        return {}
    return {"generated": {"rows": kinds.total(), "seed": settings.seed, "kinds": dict(kinds)}}


def file_ids(store: TokenStore) -> list[str]:
    """Return the ids of the rows that a split has from its file, [rows of the file]."""
    names = store.all_ids()
    return names if store.task.generated_pairs is None else [name for name in names if not name.startswith(PREFIX)]
