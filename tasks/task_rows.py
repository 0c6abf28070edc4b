"""The rows of a task: where they lie, and how texts and labels are read from them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from augmentation import GeneratedPairs
from heads import Label, LabelSpace
from runtime.errors import InputError
from tasks.chosen_rows import find_rows
from tasks.delimited import check_delimiter
from tasks.generating import find_pair_labels, with_generated
from tasks.own_code import digest_own_code
from tasks.reading import Example, ExampleReader
from tasks.rows import Row
from tasks.sample import sample
from tasks.source import Source, Split, check_source
from tasks.texts import read_texts


@dataclass(frozen=True, kw_only=True)
class TaskRows(ABC):
    """One or two text columns and a label column; Task says how they are learnt.

    Args:
        source: Where the rows lie: `{train: FILE, dev: FILE, test: FILE}` (relative to `--data.root`), or
            `{hub: NAME, name: CONFIGURATION}` for a Hugging Face dataset. A split may be left out. `{all: FILE,
            dev_share: 0.1}`, or `{all: FILE, folds: 5, fold: 0}`, splits one file.
        texts: Names of the text columns.
        label: Name of the label column; a test split may lack it.
        id: Name of the id column; None to number the rows from 0.
        delimiter: Character between the cells of a .csv, .tsv or .txt file; None for a comma in .csv, a tab in .tsv,
            and lines of a .txt file that are the one column `text`.
        quotes: Whether quotes enclose cells of such a file; false takes them as text, as in GLUE's files.
        broken_rows: What to do with a row whose text or label is empty: stop with an error, or skip and report it; in
            the test split a row without text is kept, so that every row is predicted.
        missing_labels: What an empty label cell says: `error` that the row is broken, `ignore` that the row has no
            label for this task. Of a list, such as `["", "NA", -1]`, each word says so, and an empty cell if it is one
            of them. Training, metrics and baseline are of the rows with a label; all rows are predicted.
        generated_pairs: Pairs that are made by rule from the training rows and trained on beside them, so that shared
            words do not tell the label; for pairs of English texts. None for the rows alone.
        train_rows: A .csv file whose column `id` names the training rows to train on, as `analysis.forgotten` writes
            it; None for all.
        train_limit: Train on this many examples at most, drawn evenly from the file: the same in every run; None for
            `--data.train_limit`.
        dev_limit: Validate on this many examples at most, drawn likewise; None for `--data.dev_limit`.

    Raises:
        InputError: If a setting is out of range or does not fit the others.
    """

    source: Source
    texts: tuple[str, ...]
    label: str
    id: str | None = None
    delimiter: str | None = None
    quotes: bool = True
    broken_rows: Literal["error", "skip"] = "error"
    missing_labels: Literal["error", "ignore"] | tuple[str | int, ...] = "error"
    generated_pairs: GeneratedPairs | None = None
    train_rows: str | None = None
    train_limit: int | None = None
    dev_limit: int | None = None

    def __post_init__(self) -> None:
        name = type(self).__name__
        check_source(self.source, name)
        check_delimiter(self.delimiter, name)
        for option in ("train_limit", "dev_limit"):
            value = getattr(self, option)
            if value is not None and value < 1:
                raise InputError(f"{name}: {option} is {value} (expected 1 or more)")
        for word in sorted(self.gaps - {""}):
            if self._is_label(word):
                raise InputError(
                    f"{name}: missing_labels has {word!r}, which is a label (expected words that are none)"
                )
        if self.generated_pairs is not None:
            if len(self.texts) == 1:
                raise InputError(
                    f"{name}: generated_pairs is set, but an example is one sentence (expected a pair task)"
                )
            try:
                find_pair_labels(self.generated_pairs, self.labels, self.class_names, self.parse_label)
            except ValueError as error:
                raise InputError(f"{name}: {error}") from None

    @property
    @abstractmethod
    def labels(self) -> LabelSpace:
        """The values that a label can take."""

    @property
    @abstractmethod
    def class_names(self) -> tuple[str, ...]:
        """The classes as the files name them; none for scores."""

    @abstractmethod
    def parse_label(self, cell: str) -> Label:
        """Turn a label cell into a class index, a score, or the numbers of several labels.

        Raises:
            ValueError: If the cell is no label; the message says what was expected.
        """

    @abstractmethod
    def format_label(self, label: Any) -> str:
        """Turn a class index or score, or a set's row of zeros and ones, into the text of a prediction file."""

    @property
    def read_columns(self) -> tuple[str, ...]:
        """Columns that the label is read from."""
        return (self.label,)

    @property
    def list_columns(self) -> tuple[str, ...]:
        """Columns whose cells may be lists."""
        return ()

    @cached_property
    def gaps(self) -> frozenset[str]:
        """The label cells that say that a row has no label for this task."""
        if isinstance(self.missing_labels, str):
            return frozenset([""] if self.missing_labels == "ignore" else [])
        numbers = [f"{word}.0" for word in self.missing_labels if isinstance(word, int)]  # as data frames write them
        return frozenset([*map(str, self.missing_labels), *numbers])

    def with_gaps(self) -> Self:
        """Return the task with empty label cells as gaps."""
        if "" in self.gaps:
            return self
        words = () if isinstance(self.missing_labels, str) else self.missing_labels
        return replace(self, missing_labels=("", *words))

    @property
    def ignores_gaps(self) -> bool:
        """Whether rows may lack a label."""
        return bool(self.gaps)

    @property
    def strata(self) -> object:
        """What a split of one file follows: the column of `source.stratify`, or the label and all that it is read by.

        Two tasks with unlike strata split the same file otherwise: the tenths of a score are not the classes.
        """
        rule = self.source.rule
        if rule is None or rule.stratify is not None:
            return rule and rule.stratify
        return self.label, self.read_columns, self.list_columns, type(self.labels), self.class_names, self.gaps

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that the source names; a hub dataset is taken to have all three."""
        return self.source.splits

    def find_train_rows(self, name: str, ids: Sequence[str]) -> NDArray[np.int64] | None:
        """Return the numbers of the rows to train on, ascending; None for all of them.

        Args:
            name: Name of the task.
            ids: Ids of the training examples, [rows].

        Raises:
            InputError: If `train_rows` is no such file, or names an example that there is not.
        """
        return None if self.train_rows is None else find_rows(name, self.train_rows, ids)

    def read(self, split: Split, root: Path, report: Callable[[str], None]) -> Iterator[Example]:
        """Return the examples of a split in file order, each checked; those that a limit leaves out too.

        Args:
            split: Which split.
            root: Folder that relative paths start from.
            report: Called with a sentence for each row that is skipped.

        Raises:
            InputError: If the source or a row of it is wrong; the message names file, line, field and what was
                expected.
        """
        return (example for _, example in self.read_located(split, root, report))

    def read_located(self, split: Split, root: Path, report: Callable[[str], None]) -> Iterator[tuple[str, Example]]:
        """Return what `read` does, each example behind the file and line (or row) it stands on."""
        located = self.reader.read(split, root, report)
        limit = self.limit(split)
        yield from sample(located, limit) if limit else located

    def read_trained(
        self, split: Split, root: Path, report: Callable[[str], None], *, made: Collection[str] | None = None
    ) -> Iterator[Example]:
        """Return what `read` does and, behind the train split, the pairs that are made of it; see `generated_pairs`.

        Given the ids of those that were made of it before, they are made again without being chosen again.
        """
        examples = self.read(split, root, report)
        if split != "train" or self.generated_pairs is None:
            return examples
        labels = find_pair_labels(self.generated_pairs, self.labels, self.class_names, self.parse_label)
        return with_generated(examples, self.generated_pairs, labels, report, made)

    def generation_settings(self, split: Split) -> dict[str, str]:
        """Return what decides which pairs are made beside a split, for a cache key; nothing where none is."""
        if split != "train" or self.generated_pairs is None:
            return {}
        try:
            return {"generated": self.generated_pairs.reading_settings()}
        except ValueError as error:
            raise InputError(str(error)) from None

    def with_limits(self, *, train: int | None, dev: int | None) -> Self:
        """Return the task with the limits that it does not set itself."""
        return replace(self, train_limit=self.train_limit or train, dev_limit=self.dev_limit or dev)

    def limit(self, split: Split) -> int | None:
        """Return how many examples of a split are read at most; None for all."""
        return {"train": self.train_limit, "dev": self.dev_limit}.get(split)

    def read_texts(
        self, split: Split, root: Path, report: Callable[[str], None], *, keep_halves: bool = False
    ) -> Iterator[tuple[str, ...]]:
        """Return the texts of a split without looking at labels; see `tasks.texts.read_texts`.

        With a limit they are those of the examples that `read` draws, which have labels.
        """
        if self.limit(split):
            examples = self.read(split, root, report)
            return (tuple(text.strip() for text in example.texts) for example in examples)
        return read_texts(
            self.source,
            split,
            root,
            self.texts,
            delimiter=self.delimiter,
            quotes=self.quotes,
            report=report,
            broken_rows=self.broken_rows,
            keep_halves=keep_halves,
            keys=self.reader.keys,
        )

    def text_settings(self) -> list[Any]:
        """Return the settings that decide what `read_texts` yields of the train split, for a cache key."""
        limit = dict(self.reading_settings()) if self.train_limit or self.source.rule is not None else None
        return [*self.texts, self.delimiter, self.quotes, self.broken_rows, limit, self.source.reading_settings()]

    def find_unlabelled(self, split: Split, root: Path) -> str | None:
        """Return file and line of the first row without a label; None if all have one.

        Raises:
            InputError: If a label cell holds something else.
        """
        return self.reader.find_unlabelled(split, root)

    @property
    def reader(self) -> ExampleReader:
        """What reads its examples."""
        return ExampleReader(
            source=self.source,
            texts=self.texts,
            label=self.label,
            read_columns=self.read_columns,
            list_columns=self.list_columns,
            gaps=self.gaps,
            id=self.id,
            delimiter=self.delimiter,
            quotes=self.quotes,
            broken_rows=self.broken_rows,
            read_cell=self.read_cell,
            parse_label=self.parse_label,
            empty_choices=self.empty_choices,
        )

    @property
    def empty_choices(self) -> str:
        """The settings that give an empty label cell a meaning."""
        return "missing_labels: ignore takes it as no label"

    def read_cell(self, row: Row) -> str:
        """Return the label cell of a row; empty where there is none."""
        return (row.fields.get(self.label) or "").strip()

    def _is_label(self, cell: str) -> bool:
        try:
            self.parse_label(cell)
        except ValueError:
            return False
        return True

    def reading_settings(self) -> Mapping[str, str]:
        """Return the settings that decide what `read` yields, for a cache key."""
        skipped = {"source", "head", "metrics", "weight", "teacher", "swap", "average_orders", "auxiliary", "debias"}
        skipped |= {"generated_pairs", "train_rows", "head_only_from", "batch_size", "prediction_header"}
        skipped |= {"class_weights", "sampling", "thresholds", "in_mean"}
        if not self.ignores_gaps:
            skipped.add("missing_labels")
        settings = {field.name: repr(getattr(self, field.name)) for field in fields(self) if field.name not in skipped}
        own = type(self)  # in full: another module may have a class of this name, which reads labels otherwise
        code = digest_own_code(own)
        return {
            "class": f"{own.__module__}.{own.__qualname__}",
            **({} if code is None else {"code": code}),
            **self.source.reading_settings(),
            **settings,
        }
