"""What training rows are learnt with beside their labels: teacher, weights, a choice of rows, and shortcuts."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datamodules.generated_rows import file_ids
from datamodules.row_orders import count_draws
from datamodules.shortcut_answers import prepare_shortcut
from datamodules.store import TokenStore
from datamodules.streams import Streams
from tasks import InputError

log = logging.getLogger(__name__)


def choose_rows(stores: Mapping[str, TokenStore]) -> None:
    """Add to the training rows of each task which of them its `train_rows` chooses.

    Args:
        stores: The training split of each task, changed in place.

    Raises:
        InputError: If a file of chosen rows is missing or wrong, no chosen row has a label, or pairs are made of which
            none is chosen.
    """
    for name, store in stores.items():
        if store.task.train_rows is not None:
            store.chosen_rows = store.task.find_train_rows(name, store.all_ids())
            made = len(store) - len(file_ids(store))
            if made and store.chosen_rows is not None and store.chosen_rows[-1] < len(store) - made:
                raise InputError(
                    f"task {name}: train_rows {store.task.train_rows} names none of the {made} generated pairs, so "
                    "that none would be trained on (expected generated_pairs: null, or their ids too)"
                )
            if not len(store.train_rows):
                raise InputError(f"task {name}: train_rows {store.task.train_rows} names no row with a label")


def complete_rows(stores: Mapping[str, TokenStore], streams: Streams, *, root: Path, cache_dir: Path) -> None:
    """Add to the training rows what they are learnt with beside their labels.

    Args:
        stores: The training split of each task with its chosen rows, changed in place.
        streams: Which tasks share their rows.
        root: Folder that relative paths start from.
        cache_dir: Folder of what is computed once.

    Raises:
        InputError: If a file that a task names is missing or wrong.
    """
    for name, store in stores.items():
        store.teacher = store.task.read_teacher(name, store.all_ids(), known=store.labels)
        if store.teacher is not None and store.has_gaps and not store.task.is_balanced:
            log.info("task %s: rows without a label learn from the teacher alone", name)
        store.label_weights = store.task.weigh_labels(store.train_labels)
    for name, shortcut in ask_shortcuts(stores, streams, root=root, cache_dir=cache_dir).items():
        stores[name].shortcut = shortcut


def ask_shortcuts(
    stores: Mapping[str, TokenStore], streams: Streams, *, root: Path, cache_dir: Path
) -> dict[str, NDArray[np.float32]]:
    """Return what debiasing needs to know of the training rows, of the tasks that debias; it is computed once.

    Args:
        stores: As for `complete_rows`.
        streams: Likewise.
        root: Likewise.
        cache_dir: Likewise.
    """
    where = {"root": root, "cache_dir": cache_dir}
    return {
        name: prepare_shortcut(name, stores[name], debias, draws=count_draws(*(stores[one] for one in stream)), **where)
        for stream in streams.values()
        for name in stream
        if (debias := stores[name].task.debias) is not None
    }
