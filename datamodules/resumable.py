"""What the data modules share: a training stream that continues where a checkpoint left it."""

import logging
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import torch
from lightning.pytorch.utilities import rank_zero_only
from torch.utils.data import DataLoader, Dataset

from backbones import load_tokenizer
from backbones.vocabulary import describe_tokenizer
from datamodules.device_store import DeviceDataset
from datamodules.limits import limit_batches
from datamodules.sampler import MultitaskSampler
from lightning_internals import move_loaded_position
from runtime.counts import counted
from tasks import InputError
from tasks.meaning import MAY_CHANGE, compare_meaning

log = logging.getLogger(__name__)

LEAST = {"max_length": 5, "num_workers": 0}  # of settings that may not be 1 at least


class ResumableDataModule(L.LightningDataModule):
    """Keeps the position in the training data in every checkpoint.

    Subclasses ask `take_position` for the position that their training sampler starts at.

    Args:
        tokenizer: The backbone whose tokenizer is used (a folder, `package:NAME` or a hub name).
        root: Folder that relative paths start from.
        batch_size: Examples a batch over all processes.
        max_length: Tokens a sequence at most, special tokens included.
        special_tokens_as_text: Read `[SEP]`, `[MASK]` and the like in a text as the letters they are.
        tokens_per_batch: Tokens of an evaluation batch at most.
        num_workers: Processes that prepare batches.
        cache_dir: Folder of the tokenised files.
        seed: Seed of the order of the examples.
        allow_changes: Whether to resume although the data or its order changed.

    Raises:
        InputError: If a setting is out of range.
        ValueError: If the tokenizer cannot be loaded.
    """

    def __init__(
        self,
        tokenizer: str,
        *,
        root: str,
        batch_size: int,
        max_length: int,
        special_tokens_as_text: bool = False,
        tokens_per_batch: int,
        num_workers: int,
        cache_dir: str,
        seed: int,
        allow_changes: bool,
    ) -> None:
        super().__init__()
        self.tokenizer = load_tokenizer(tokenizer, special_tokens_as_text=special_tokens_as_text)
        sizes = {"batch_size": batch_size, "tokens_per_batch": tokens_per_batch, "num_workers": num_workers}
        for name, value in {**sizes, "max_length": max_length}.items():
            if value < (least := LEAST.get(name, 1)):
                raise InputError(f"data.{name} is {value} (expected {least} or more)")
        if max_length > self.tokenizer.model_max_length:
            most = self.tokenizer.model_max_length
            raise InputError(f"data.max_length is {max_length} (expected {most} or less, the backbone's positions)")
        self.root = Path(root).expanduser()
        self.batch_size = batch_size
        self.max_length = max_length
        self.tokens_per_batch = tokens_per_batch
        self.num_workers = num_workers
        self.cache_dir = Path(cache_dir).expanduser()
        self.seed = seed
        self.allow_changes = allow_changes
        self._position: dict[str, Any] | None = None

    @property
    def rank(self) -> int:
        """Number of this process."""
        return self.trainer.global_rank if self.trainer else 0

    @property
    def world_size(self) -> int:
        """Number of processes."""
        return self.trainer.world_size if self.trainer else 1

    @property
    def device(self) -> torch.device:
        """Where the batches go."""
        return self.trainer.strategy.root_device if self.trainer else torch.device("cpu")

    def make_loader(self, dataset: Dataset[Any], sampler: Iterable[Any]) -> "ResumableLoader":
        """Return a loader whose sampler says what a whole batch is; its copies to a GPU make nobody wait."""
        pin_memory = self.device.type == "cuda" and not isinstance(dataset, DeviceDataset)
        return ResumableLoader(
            dataset,
            sampler=sampler,
            batch_size=None,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            pin_memory=pin_memory,
        )

    def take_position(self) -> tuple[int, int] | None:
        """Return the epoch and batch to start at, once; None to start at the trainer's epoch.

        Under `reload_dataloaders_every_n_epochs` it stays until that epoch is over: Lightning asks for a loader before
        it knows the epoch that it resumes in, and for another one there.
        """
        position, self._position = self._position, None
        trainer = self.trainer
        if position and trainer and trainer.reload_dataloaders_every_n_epochs:  # type: ignore[attr-defined]
            self._position = position if trainer.current_epoch <= position["epoch"] else None
        return None if position is None else (position["epoch"], position["batch"])

    def state_dict(self) -> dict[str, Any]:
        """Return the position in the data for a checkpoint: the batch that comes next."""
        assert self.trainer is not None  # Lightning asks where it saves
        loop: Any = self.trainer.fit_loop
        epoch = loop.epoch_progress.current
        inside = epoch.ready > epoch.processed
        batch = loop.epoch_loop.batch_progress.current.processed if inside else 0
        batches, window = self.trainer.num_training_batches, self.trainer.accumulate_grad_batches
        position = {"epoch": epoch.processed, "batch": batch, "batches": batches, "window": window}
        return {**position, "identity": self.identity(), "meaning": self.meaning()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the position that the next training loader starts at; nothing where no training goes on.

        Raises:
            InputError: If the tokenizer is not that of the checkpoint; where a training goes on, if the data or its
                order is not and `allow_changes` is off.
        """
        other_conditions = compare_meaning(state_dict.get("meaning", {}), self.meaning())
        if self.trainer is not None and self.trainer.state.fn != "fit":
            if other_conditions:
                rank_zero_only(log.warning)(other_conditions)
            return
        begun = count_begun(state_dict)
        if begun:
            rank_zero_only(log.warning)(
                "the checkpoint was made inside an accumulation window: the gradients of its first %s are not in it, "
                "so the resumed training differs from an uninterrupted one (last.ckpt is always made between windows)",
                counted(begun, "batch"),
            )
        changes = list(_differences(state_dict["identity"], self.identity()))
        if changes and not self.allow_changes:
            raise InputError(
                f"the checkpoint was made with other data: {'; '.join(changes)} (--data.allow_changes true goes on)"
            )
        self._position = self._convert(state_dict, changes) if changes and state_dict["batch"] else state_dict

    def _convert(self, position: dict[str, Any], changes: list[str]) -> dict[str, Any]:
        """Return the corresponding position in an epoch of the changed data, and move Lightning's count there."""
        batch, batches, now = position["batch"], position.get("batches"), self.count_batches()
        window = self.trainer.accumulate_grad_batches if self.trainer else 1
        place = batch * now // batches if batches else min(batch, now)
        place -= 0 if place == now else place % window
        if self.trainer is not None:
            move_loaded_position(self.trainer, place - batch)
        rank_zero_only(log.warning)(
            "the checkpoint was made with other data (%s): epoch %d goes on at batch %d of %d where it stopped at %d "
            "of %s, some of its examples may come twice and some not at all",
            "; ".join(changes),
            position["epoch"],
            place,
            now,
            batch,
            batches or "an unknown number",
        )
        return {**position, "batch": place}

    def count_batches(self) -> int:
        """Count the batches of an epoch, at most as many as the trainer takes."""
        limit = self.trainer.limit_train_batches if self.trainer else 1.0
        return limit_batches(len(self.make_sampler()), limit)

    @abstractmethod
    def make_sampler(self) -> MultitaskSampler:
        """Return the sampler of the training split, at its start."""

    def meaning(self) -> dict[str, Any]:
        """Return what the numbers of a model that was trained on this data depend on, as plain data."""
        may_change = {
            "max_length": self.max_length,
            "special_tokens_as_text": bool(self.tokenizer.split_special_tokens),
        }
        return {"tokenizer": self._tokenizer_meaning, MAY_CHANGE: may_change}

    @cached_property
    def _tokenizer_meaning(self) -> dict[str, Any]:
        return describe_tokenizer(self.tokenizer)

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Return, as plain data, all that decides which examples a step sees."""

    @abstractmethod
    def describe_data(self) -> dict[str, Any]:
        """Return path, rows and SHA-256 of every file that was read."""


def count_begun(position: Mapping[str, Any]) -> int:
    """Count the batches of a begun accumulation window that lie before a checkpoint's position.

    Args:
        position: What a data module put into the checkpoint.

    Example:
        >>> [count_begun({"batch": batch, "batches": 9, "window": 4}) for batch in (0, 3, 4, 6, 9)]
        [0, 3, 0, 2, 0]
    """
    batch = int(position["batch"])
    return 0 if batch == position.get("batches") else batch % int(position.get("window", 1))


def resumable_data(trainer: L.Trainer) -> ResumableDataModule:
    """Return the data module of a trainer, whose own type does not know it."""
    data = trainer.datamodule  # type: ignore[attr-defined]
    assert isinstance(data, ResumableDataModule)
    return data


class ResumableLoader(DataLoader[Any]):
    """A DataLoader that draws nothing from its sampler before the first batch is asked for.

    Lightning calls `set_epoch` after `iter()`; with workers, an ordinary loader has drawn batches of the wrong epoch by
    then (https://github.com/Lightning-AI/pytorch-lightning/issues/21938).
    """

    def __iter__(self) -> Any:
        """Start the ordinary iterator at the first `next`."""
        yield from super().__iter__()

    def state_dict(self) -> dict[str, Any]:
        """Tell Lightning that the loader can resume; the data module keeps the position."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take nothing: the data module keeps the position."""


def _differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Name each value that differs between two pieces of plain data.

    A `reading` is a digest of file and settings: it is named only where the file is the same.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        same_file = old.get("sha256") == new.get("sha256")
        for key in sorted({*old, *new}):
            if key != "reading":
                yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
            elif same_file and old.get(key) != new.get(key):
                yield f"{path}: how texts are read (columns, labels, rows, tokenizer, max_length) was another"
    elif old != new:
        is_part = isinstance(old, dict) or isinstance(new, dict)
        was, now = (("not there" if each is None else "there") if is_part else _show(each) for each in (old, new))
        yield f"{path} was {was}, is {now}"


def _show(value: Any) -> str:
    """Return a value as a message has it; of a SHA-256 the beginning."""
    is_digest = isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value)
    return f"{value[:8]}..." if is_digest else repr(value)
