"""The tokenised splits of all tasks, opened and checked for a stage."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from lightning.pytorch.utilities import rank_zero_only
from transformers import PreTrainedTokenizerFast

from datamodules.encoding import open_together, schema_of, write_store
from datamodules.pairs import PairTemplate
from datamodules.row_orders import BalancedRows, order_rows
from datamodules.sentences import SentenceInput
from datamodules.store import TokenStore
from datamodules.streams import Streams, by_encoding, keep_present
from datamodules.training_rows import choose_rows
from runtime.counts import counted
from tasks import Example, InputError, MissingFileError, Split, Task
from tasks.labels import list_names

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Opener:
    """Reads and tokenises the files of the tasks, or opens what was tokenised before.

    Args:
        tasks: The tasks by name.
        streams: Which of them share their rows.
        root: Folder that the tasks' relative paths start from.
        tokenizer: The backbone's tokenizer.
        max_length: Tokens a sequence at most.
        cache_dir: Folder of the tokenised files.
    """

    tasks: Mapping[str, Task]
    streams: Streams
    root: Path
    tokenizer: PreTrainedTokenizerFast
    max_length: int
    cache_dir: Path

    def open_split(self, split: Split, *, stage: str, report: Callable[[str], None] | None) -> dict[str, TokenStore]:
        """Return a split of every task that has it.

        Args:
            split: Which split.
            stage: `fit`, `validate`, `test` or `predict`: `fit` and `validate` need every task's split.
            report: Called with a sentence for each thing that was found in the files; None to say nothing of them.

        Raises:
            InputError: If a task lacks a split that the stage needs, a file is missing, wrong or has no rows, no task
                names such a split, or no chosen training row has a label.
        """
        stores: dict[str, TokenStore] = {}
        missing: list[MissingFileError] = []
        for names in self._groups():
            if split not in self.tasks[names[0]].splits:
                if split != "test" and stage != "predict":
                    expected = f"{split}: FILE, or one file that is split: {{all: FILE, dev_share: 0.1}}"
                    raise InputError(f"task {names[0]}: its source names no {split} split (expected {expected})")
                continue
            try:
                stores |= self._open(names, split, report=report or _ignore)
                for name in names if split != "test" and stage != "predict" else ():
                    _check_labels(name, split, stores[name])
            except MissingFileError as error:
                if stage not in ("predict", "test"):
                    raise
                missing.append(error)
                for name in names if report else ():
                    log.warning("task %s: left out, %s", name, error)
        if not stores and missing and stage == "test":
            raise missing[0]
        if not stores and not missing:
            raise InputError(f"no task names a {split} split")
        if split == "train" and stage == "fit":
            choose_rows(stores)
            if report:
                self._report(stores)
        return {name: stores[name] for name in self.tasks if name in stores}

    def _groups(self) -> list[list[str]]:
        """Return the tasks that have one file: those of a stream with the same encoding."""
        return [names for stream in self.streams.values() for names in by_encoding(stream, self.tasks)]

    def _open(self, names: Sequence[str], split: Split, *, report: Callable[[str], None]) -> dict[str, TokenStore]:
        stores = open_together(
            [self.tasks[name] for name in names],
            split,
            root=self.root,
            tokenizer=self.tokenizer,
            max_length=self.max_length,
            cache_dir=self.cache_dir,
            report=report,
        )
        if len(stores[0]) == 0:
            raise InputError(f"{stores[0].source['path']}: has no rows (task {names[0]}, {split} split)")
        return dict(zip(names, stores, strict=True))

    def _report(self, stores: Mapping[str, TokenStore]) -> None:
        """Say what is odd about the labels of the train split."""
        for stream in keep_present(self.streams, stores).values():
            for name in stream:
                _report_missing_classes(name, stores[name])
                if len(stream) > 1:
                    _report_gaps(name, stores[name])
                if stores[name].task.is_balanced:
                    _report_passes(name, stores[name])

    def open_sentences(self, source: SentenceInput, examples: Sequence[Example]) -> TokenStore:
        """Tokenise the user's sentences.

        Args:
            source: Where they come from.
            examples: What was read there.

        Raises:
            InputError: If there is none.
        """
        if not examples:
            raise InputError(f"data.sentences.file {source.file}: holds no sentence")
        task = self.tasks[source.task_name]
        with TemporaryDirectory(prefix="tandem-") as folder:
            target = Path(folder) / "input.arrow"
            write_store(
                examples,
                target,
                encoding=task.encoding,
                tokenizer=self.tokenizer,
                max_length=self.max_length,
                notes=(notes := list[str]()),
                schema=schema_of(is_set=task.labels.is_set),
            )
            for note in notes:
                rank_zero_only(log.info)("%s%s", "standard input" if source.file == "-" else source.file, note)
            template = PairTemplate.of(self.tokenizer)
            return TokenStore(target, task=task, source={"path": source.file, "sha256": ""}, template=template)


def labelled(stores: Mapping[str, TokenStore]) -> dict[str, TokenStore]:
    """Return the stores that can be scored."""
    return {name: store for name, store in stores.items() if store.is_labelled}


def check_test_labels(stores: Mapping[str, TokenStore], tasks: Mapping[str, Task], root: Path) -> None:
    """Check that each test split has labels in all rows or in none, and that one has some.

    Args:
        stores: The test splits by task.
        tasks: The tasks by name.
        root: Folder that their relative paths start from.

    Raises:
        InputError: If not, or if something that is no label stands there.
    """
    for name, store in stores.items():
        if len(store.labelled_rows) == len(store):
            continue
        where = tasks[name].find_unlabelled("test", root)
        if not len(store.labelled_rows):
            rank_zero_only(log.info)("task %s: not tested, its test split has no labels", name)
        elif not store.is_labelled:
            expected = "labels in all rows or in none; missing_labels: ignore tests the rows that have one"
            raise InputError(f"{where}: {tasks[name].label} is empty (expected {expected})")
    if not labelled(stores):
        raise InputError("test: no task has a labelled test split (use predict for unlabelled ones)")


def _check_labels(name: str, split: Split, store: TokenStore) -> None:
    if not len(store.labelled_rows):
        raise InputError(
            f"{store.source['path']}: {store.task.label} holds no label in {counted(len(store), 'row')} "
            f"(task {name}, {split} split; expected some beside the gaps)"
        )


def _report_missing_classes(name: str, store: TokenStore) -> None:
    counts = store.task.labels.count_classes(store.labels[store.train_rows])
    missing = np.flatnonzero(counts == 0).tolist()
    if missing:
        named = list_names([store.task.class_names[number] for number in missing])
        where = "train split has" if store.chosen_rows is None else "chosen train_rows have"
        log.warning("task %s: the %s no example of class %s", name, where, named)


def _report_gaps(name: str, store: TokenStore) -> None:
    if store.has_gaps:
        count, path = len(store) - len(store.labelled_rows), store.source["path"]
        log.info("task %s: %s of %s rows of %s have no label", name, f"{count:,}", f"{len(store):,}", path)


def _report_passes(name: str, store: TokenStore) -> None:
    order = order_rows(store)
    if isinstance(order, BalancedRows):
        passes = {store.task.class_names[number]: count for number, count in order.passes.items()}
        named = list_names([f"{label} {count:.3g}x" for label, count in passes.items()])
        log.info("task %s: balanced sampling draws a row of each class this often per epoch: %s", name, named)


def _ignore(message: str) -> None:
    """Drop a message that another process reports."""
