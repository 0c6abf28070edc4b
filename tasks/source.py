"""Where a task's rows lie: a file a split, one file that is split, or a dataset of the Hugging Face hub."""

import codecs
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Literal

from runtime.errors import InputError
from runtime.file_digest import digest
from tasks.cells import check_columns
from tasks.hub import digest_hub, read_hub
from tasks.rows import FILE_FORMATS, FileFormat, Row, check_ending, read_rows
from tasks.split_rule import SplitRule
from tasks.splitting import SplitKeys, choose_rows, refuse_shared_groups
from tasks.text_lines import TextEncoding, check_encoding

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")
HUB_SPLITS = {"train": "train", "dev": "validation", "test": "test"}


class MissingFileError(InputError):
    """A file that a source names is not there."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Files of a task's splits, or a hub dataset.

    In YAML a map replaces the whole source, that of a preset too; `--tasks.NAME.source.test FILE` sets one split and
    leaves the others, `--tasks.NAME.source.test null` takes one away.

    Args:
        train: File of the train split (.csv, .tsv, .txt, .jsonl, .json or .parquet), relative to `--data.root`; with
            `hub` the name of that split where it is not `train`.
        dev: The same for the dev split; on the hub `validation`.
        test: The same for the test split.
        all: One file instead of `train` and `dev`, which is split; with `hub` the name of that split.
        dev_share: Share of the rows of `all` that becomes the dev split.
        folds: Number of equal parts of `all`, one of which is the dev split; instead of `dev_share`.
        fold: Number of that part, from 0.
        group: Column of `all` whose equal values stay on one side.
        stratify: Column whose values are equally frequent on both sides; None for the task's label. Tasks over the same
            file name the same one, so that no row is trained on in one task and scored in another.
        hub: Name of a hub dataset, or a local folder in hub layout.
        name: Its configuration.
        columns: Names of the columns of .csv, .tsv and .txt files that have no header line.
        encoding: Character encoding of .csv, .tsv, .txt, .jsonl and .json files.
    """

    train: str | None = None
    dev: str | None = None
    test: str | None = None
    all: str | None = None
    dev_share: float | None = None
    folds: int | None = None
    fold: int | None = None
    group: str | None = None
    stratify: str | None = None
    hub: str | None = None
    name: str | None = None
    columns: tuple[str, ...] | None = None
    encoding: str = "utf-8"

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that are named; a hub dataset that is not split here is taken to have all three."""
        if self.hub is not None and self.all is None:
            return SPLITS
        return tuple(split for split in SPLITS if self._named(split) is not None)

    @property
    def rule(self) -> SplitRule | None:
        """How `all` is split; None where each split has a file of its own."""
        if self.all is None:
            return None
        return SplitRule(
            dev_share=self.dev_share, folds=self.folds, fold=self.fold, group=self.group, stratify=self.stratify
        )

    def check(self, task: str) -> None:
        """Check that the settings fit each other.

        Args:
            task: Class name of the task, for messages.

        Raises:
            InputError: If no file is named, one file is to be split and another setting does not fit that, a
                configuration goes without a dataset, a column is named twice, or the encoding is unknown.
        """
        self._check_rule(task)
        if not self.splits:
            raise InputError(
                f"{task}: source is empty (expected all, train, dev or test with a file, or hub with a dataset)"
            )
        if self.name is not None and self.hub is None:
            raise InputError(f"{task}: source.name is {self.name!r} without source.hub (expected a hub dataset)")
        for split in (*SPLITS, "all"):
            if self.hub is not None and Path(getattr(self, split) or "").suffix.lower() in FILE_FORMATS:
                raise InputError(
                    f"{task}: source.{split} is {getattr(self, split)!r} beside source.hub {self.hub} (expected the "
                    "name of a split of the dataset, or null)"
                )
        if self.columns is not None and len(set(self.columns)) != len(self.columns or [None]):
            raise InputError(f"{task}: source.columns is {list(self.columns)} (expected one or more different names)")
        check_encoding(self.encoding, f"{task}: source.encoding")

    def locate(self, split: Split, root: Path) -> Path | None:
        """Return the file of a split; None if the source is on the hub.

        Args:
            split: Which split.
            root: Folder that relative paths start from.

        Raises:
            MissingFileError: If there is no such file.
            InputError: If the source lacks the split, or the file is a folder or has an unknown ending.
        """
        if self.hub is not None:
            return None
        file = self._named(split)
        if file is None:
            raise InputError(f"source names no {split} split (it has {', '.join(self.splits)})")
        path = root / Path(file).expanduser()
        if path.is_dir():
            raise InputError(f"{path}: is a folder (expected a file of the {split} split)")
        if not path.is_file():
            raise MissingFileError(
                f"{path}: no such file (the {split} split; relative paths start from --data.root {root})"
            )
        check_ending(path)
        return path

    def describe(self, split: Split, root: Path) -> dict[str, str]:
        """Return path (or hub name) and SHA-256 of the content of a split, and how one file is split; see `locate`."""
        path = self.locate(split, root)
        rule = None if split == "test" else self.rule
        more = {"split": rule.describe()} if rule is not None else {}
        if path is not None:
            return {"path": str(path), "sha256": digest(path), **more}
        return {"path": str(self.hub), "sha256": digest_hub(str(self.hub), self.name, self._hub_split(split)), **more}

    def read(
        self,
        split: Split,
        root: Path,
        columns: Collection[str],
        *,
        delimiter: str | None,
        quotes: bool,
        report: Callable[[str], None],
        lists: Collection[str] = (),
        keys: SplitKeys | None = None,
    ) -> Iterator[Row]:
        """Return the rows of a split in order.

        Args:
            split: Which split.
            root: Folder that relative paths start from.
            columns: The columns that are used; the cells of the others are None.
            delimiter: Character between the cells of a .csv, .tsv or .txt file; None for the ending's own.
            quotes: Whether quotes enclose cells of a .csv, .tsv or .txt file.
            report: Called with a sentence on what is odd.
            lists: Those of the columns whose cells may be lists; they become JSON.
            keys: What decides how `all` is split, beside the settings here; needed for that alone.

        Raises:
            InputError: As for `locate`, `read_rows` and `choose_rows`, if the hub dataset cannot be had, or the test
                file has a group that `all` has.
        """
        self.locate(split, root)
        read = partial(self._read, root=root, delimiter=delimiter, quotes=quotes, lists=lists)
        if self.rule is None:
            return read(split, columns, report)
        if split != "test":
            assert keys is not None
            whole = partial(read, split)
            return choose_rows(split, self.rule, keys, columns, read=whole, check=check_columns, report=report)
        rows = read(split, [*columns, *filter(None, [self.group])], report)
        return rows if self.group is None else refuse_shared_groups(rows, self._read_groups(read), self.group)

    def _read_groups(self, read: Callable[..., Iterator[Row]]) -> Iterator[Row]:
        yield from read("train", [self.group], lambda note: None)

    def _read(
        self,
        split: Split,
        columns: Collection[str],
        report: Callable[[str], None],
        *,
        root: Path,
        delimiter: str | None,
        quotes: bool,
        lists: Collection[str],
    ) -> Iterator[Row]:
        """Return all rows of the file of a split."""
        path = self.locate(split, root)
        if path is None:
            where = "/".join(filter(None, (self.hub, self.name)))
            part = split if self.all is None or split == "test" else self.all
            return read_hub(
                str(self.hub), self.name, self._hub_split(split), columns, where=f"{where} {part}", lists=lists
            )
        encoding = TextEncoding(self.encoding)
        layout = FileFormat(delimiter=delimiter, quotes=quotes, columns=self.columns, encoding=encoding)
        return read_rows(path, columns, layout=layout, report=report, lists=lists)

    def reading_settings(self) -> dict[str, str]:
        """Return what decides how bytes become rows, for a cache key."""
        rule = {} if self.rule is None else {"split": repr(self.rule)}
        return {"columns": repr(self.columns), "file_encoding": codecs.lookup(self.encoding).name, **rule}

    def checking_settings(self, split: Split, root: Path) -> dict[str, str]:
        """Return what another file decides about a split, for a cache key: a test split has no group of `all`."""
        return {"groups": self.describe("train", root)["sha256"]} if split == "test" and self.group is not None else {}

    def _check_rule(self, task: str) -> None:
        """Check the settings of one file that is split."""
        rule = self.rule
        if rule is None:
            for name in ("dev_share", "folds", "fold", "group", "stratify"):
                if getattr(self, name) is not None:
                    raise InputError(
                        f"{task}: source.{name} is {getattr(self, name)!r} without source.all (expected all with the "
                        "file to split)"
                    )
            return
        for name in ("train", "dev"):
            if getattr(self, name) is not None:
                raise InputError(
                    f"{task}: source.{name} is {getattr(self, name)!r} beside source.all {self.all!r}, which is split "
                    "into train and dev (expected one or the other, null for the rest)"
                )
        rule.check(task)

    def _named(self, split: Split) -> str | None:
        """Return the file, or the hub's name, of a split."""
        named: str | None = getattr(self, split) if self.all is None or split == "test" else self.all
        return named

    def _hub_split(self, split: Split) -> str:
        return self._named(split) or HUB_SPLITS[split]


def check_source(value: object, task: str) -> None:
    """Check what is given as the source of a task, which Python code may set to anything.

    Args:
        value: What is given.
        task: Class name of the task, for messages.

    Raises:
        InputError: If it is no Source, or see `Source.check`.
    """
    if not isinstance(value, Source):
        raise InputError(
            f"{task}: source is of type {type(value).__name__} (expected a Source, as in Source(train='train.csv'))"
        )
    value.check(task)


def as_whole_map(value: Any) -> Any:
    """Complete a map that stands for a source, so that it replaces a preset's source and is not merged with it.

    Example:
        >>> as_whole_map({"train": "a.csv"})["test"] is None, as_whole_map("no map")
        (True, 'no map')
    """
    if not isinstance(value, dict):
        return value
    return {**{field.name: field.default for field in fields(Source)}, **value}
