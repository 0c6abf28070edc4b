"""What a shortcut model says of the training rows of a task that debiases, computed once for the same rows."""

import hashlib
import json
import logging
from pathlib import Path

import numpy as np
from lightning.pytorch.utilities import rank_zero_only
from numpy.typing import NDArray

from datamodules.cache import open_cached, partial_folder
from datamodules.store import TokenStore
from objectives import Debias
from runtime.whole_files import publish
from tasks import InputError
from tasks.labels import list_names

log = logging.getLogger(__name__)

FORMAT = 3  # raise when the same rows get other answers


def prepare_shortcut(
    name: str, store: TokenStore, debias: Debias, *, draws: NDArray[np.float64], root: Path, cache_dir: Path
) -> NDArray[np.float32]:
    """Return what a task's debiasing needs to know of each training row, 0 where there is no label.

    Args:
        name: Name of the task.
        store: Its train split.
        debias: Its debiasing.
        draws: How often an epoch draws each row, on average, (rows,).
        root: Folder that the task's relative paths start from.
        cache_dir: Folder of the cache, where the answers are kept.

    Returns:
        (rows,) or (rows, C).

    Raises:
        InputError: If there are too few rows to learn from.
    """
    answers = _open_answers(name, store, root, cache_dir)
    return np.nan_to_num(debias.prepare(answers, store.labels, draws)).astype(np.float32)


def _open_answers(name: str, store: TokenStore, root: Path, cache_dir: Path) -> NDArray[np.float64]:
    _check_rows(name, store, store.labelled_rows)
    own = dict(store.task.reading_settings())  # the label's column too, since tasks over the same rows share a store
    key = hashlib.sha256(json.dumps([FORMAT, store.key, own], sort_keys=True).encode()).hexdigest()[:32]

    def write(target: Path) -> None:
        from shortcuts.answers import answer_unseen_folds, number_bags  # here: scikit-learn takes a second

        rank_zero_only(log.info)("task %s: a shortcut model is asked about its training rows", name)
        names = store.all_ids()
        read = store.task.read_trained("train", root, lambda note: None, made=set(names))
        by_id = {example.id: example.texts for example in read}
        texts = [by_id[name] for name in names]
        if len(texts[0]) == 1:
            labelled = store.labelled_rows
            firsts = np.unique(number_bags([texts[row][0] for row in labelled]), return_index=True)[1]
            _check_rows(name, store, labelled[firsts], with_different=" with different words")
        found = answer_unseen_folds(texts, store.labels, is_score=not store.task.labels.num_classes)
        with partial_folder(target.parent) as folder:
            np.save(folder / target.name, found)
            publish(folder / target.name, target)

    def read(path: Path) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.load(path)
        if len(found) != len(store):
            raise ValueError(f"holds {len(found)} rows (expected {len(store)})")
        return found

    return open_cached(cache_dir / f"{key}-shortcut.npy", write=write, read=read)


def _check_rows(name: str, store: TokenStore, rows: NDArray[np.int64], with_different: str = "") -> None:
    """Check that some rows, which may differ in something, are enough of each class."""
    from shortcuts.models import FOLDS  # here, as above

    labels, names = store.labels[rows], store.task.class_names
    counts = store.task.labels.count_classes(labels) if names else np.array([len(labels)])
    few = [
        f"class {names[number]} has {count}" if names else f"there are {count}"
        for number, count in enumerate(counts)
        if count < FOLDS
    ]
    if few:
        of = " of each class" * bool(names)
        raise InputError(
            f"task {name}: debias needs {FOLDS} training rows or more{of}{with_different}, but {list_names(few)}"
        )
