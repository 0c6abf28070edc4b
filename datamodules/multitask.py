"""The data of all tasks as one interleaved stream of batches."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import lightning.pytorch as L
from lightning.pytorch.utilities import rank_zero_only

from backbones import StaticShape
from datamodules.batch import TaskDataset
from datamodules.device_store import DeviceDataset
from datamodules.evaluation import EvaluationSampler
from datamodules.generated_rows import describe_generated
from datamodules.identity import identify_rows
from datamodules.limits import limit_batches
from datamodules.notes import telling_once
from datamodules.opening import Opener, check_test_labels, labelled
from datamodules.resumable import ResumableDataModule, ResumableLoader, resumable_data
from datamodules.row_orders import order_streams
from datamodules.sampler import MultitaskSampler
from datamodules.schedules import RoundRobinShuffled, Schedule
from datamodules.sentences import SentenceInput, read_sentences
from datamodules.shared_files import find_unlike_splits
from datamodules.store import TokenStore
from datamodules.streams import (
    by_encoding,
    check_teachers,
    describe_streams,
    fill_gaps,
    find_streams,
    join_rows,
    stream_of,
)
from datamodules.training_rows import ask_shortcuts, complete_rows
from datamodules.trial import ChooseBatches
from runtime.cache_folder import CACHE_DIR
from tasks import InputError, Split, Task
from tasks.names import check_names

log = logging.getLogger(__name__)

STAGE_SPLITS: Mapping[str, tuple[Split, ...]] = {
    "fit": ("train", "dev"),
    "validate": ("dev",),
    "test": ("test",),
}


class MultitaskDataModule(ResumableDataModule):
    """Reads, checks and tokenises every task's files once, and yields interleaved batches without padding.

    Args:
        tasks: The tasks by name.
        tokenizer: The backbone whose tokenizer is used (a folder, `package:NAME` or a hub name).
        root: Folder that the tasks' relative paths start from.
        batch_size: Examples a batch over all processes, for tasks that do not set their own.
        max_length: Tokens a sequence at most, special tokens included; longer ones are cut and counted.
        special_tokens_as_text: Read `[SEP]`, `[MASK]` and the like in a text as the letters they are, not as tokens.
        schedule: Which stream comes at each step of an epoch: a task, or the tasks that share their rows.
        share_rows: Make one stream of the tasks whose examples come from the same rows: one batch with the labels of
            all, one forward pass for those of the same encoding, the weighted sum of their losses, one optimiser step.
        num_workers: Processes that prepare batches; 0 is the fastest, since batches are cut from memory-mapped tokens.
        tokens_per_batch: Tokens of an evaluation batch at most.
        round_tokens: Fill training batches up to a multiple of so many tokens and to a fixed number of sequences, for
            `model.compile`; 0 leaves them as they are. 128 costs about 7 % more tokens at 32 short examples a batch.
            Under bf16-mixed on a CPU 64 saves a twentieth of the time and a fifth of the memory, since oneDNN builds
            and keeps kernels for each new shape; in fp32 it costs time.
        on_device: Keep the tokens of the training split on the device and join batches there: 4 bytes a token and 16 a
            row, 24 MB for 156,000 question pairs.
        train_limit: Train on this many examples of a task at most, drawn evenly, where it does not set its own limit.
        dev_limit: Read this many examples of a dev split at most, likewise.
        predict_splits: The splits that `predict` writes, for the tasks that have them.
        sentences: Sentences to predict instead of splits.
        cache_dir: Folder of the tokenised files.
        seed: Seed of the order of the examples.
        max_epochs: Epochs of the training, for schedules that change over it.
        allow_changes: Whether `--ckpt_path` may go on with other data, tasks, batch sizes or another seed.

    Attributes:
        streams: Names of the tasks of each stream, by its name: those that share their rows.
        choose: Chooses the batches to train on among those of an epoch, for a trial; None to train on all.

    Raises:
        InputError: If a setting is out of range; from `prepare_data` if a file is wrong.
    """

    def __init__(
        self,
        tasks: dict[str, Task],
        tokenizer: str,
        *,
        root: str = ".",
        batch_size: int = 16,
        max_length: int = 128,
        special_tokens_as_text: bool = False,
        schedule: Schedule | None = None,
        share_rows: bool = True,
        num_workers: int = 0,
        tokens_per_batch: int = 2048,
        round_tokens: int = 0,
        on_device: bool = False,
        train_limit: int | None = None,
        dev_limit: int | None = None,
        predict_splits: tuple[Split, ...] = ("dev", "test"),
        sentences: SentenceInput | None = None,
        cache_dir: str = CACHE_DIR,
        seed: int = 42,
        max_epochs: int | None = None,
        allow_changes: bool = False,
    ) -> None:
        super().__init__(
            tokenizer,
            root=root,
            batch_size=batch_size,
            max_length=max_length,
            special_tokens_as_text=special_tokens_as_text,
            tokens_per_batch=tokens_per_batch,
            num_workers=num_workers,
            cache_dir=cache_dir,
            seed=seed,
            allow_changes=allow_changes,
        )
        check_names(tasks)
        if round_tokens < 0:
            raise InputError(f"data.round_tokens is {round_tokens} (expected 0 or more)")
        if on_device and num_workers:
            raise InputError(f"data.num_workers is {num_workers} with data.on_device (expected 0 workers)")
        if schedule is not None and type(schedule).__repr__ is object.__repr__:  # by which a resumed training knows it
            raise InputError(f"data.schedule: {type(schedule).__name__} is no dataclass (expected a frozen one)")
        self.round_tokens = round_tokens
        self.on_device = on_device
        limited = {name: task.with_limits(train=train_limit, dev=dev_limit) for name, task in tasks.items()}
        self.streams = find_streams(limited, share_rows=share_rows)
        check_teachers(limited, self.streams)
        self.tasks = fill_gaps(limited, self.streams)
        self.schedule = schedule or RoundRobinShuffled()
        self.predict_splits = predict_splits
        self.sentences = None if sentences is None else sentences.of(tasks)
        self.max_epochs = max_epochs
        self.choose: ChooseBatches | None = None
        self.input_texts: list[tuple[str, ...]] = []
        self.stores: dict[str, dict[str, TokenStore]] = {}

    def prepare_data(self) -> None:
        """Read, check and tokenise what the coming stage needs, on one process; problems come to light here."""
        if self._stage == "fit":
            for note in find_unlike_splits(self.tasks):
                log.warning("%s", note)
            for note in describe_streams(self.tasks, self.streams):
                log.info("%s", note)
            for name, task in self.tasks.items():
                if task.teacher is not None and task.teacher.files:
                    task.teacher.locate(name, task.labels)
        report = telling_once(rank_zero_only(log.info))
        for split in self._stage_splits():
            stores = self._open(split, report=report)
            if split == "train":
                ask_shortcuts(stores, self.streams, root=self.root, cache_dir=self.cache_dir)

    def setup(self, stage: str) -> None:
        """Open the tokenised files of a stage on every process."""
        if stage == "predict" and self.sentences is not None:
            self.stores["input"] = {self.sentences.task_name: self._open_sentences(self.sentences)}
            return
        for split in self._stage_splits():
            if split not in self.stores:
                self.stores[split] = self._open(split, report=None)
        if stage == "fit":
            complete_rows(self.stores["train"], self.streams, root=self.root, cache_dir=self.cache_dir)
        if stage == "test":
            check_test_labels(self.stores["test"], self.tasks, self.root)
        if stage == "predict" and not self.prediction_names:
            raise InputError(f"predict: the files of {' and '.join(self._named_splits())} are missing for every task")

    @property
    def _stage(self) -> str:
        running = self.trainer.state.fn if self.trainer else None
        return running.value if running else "fit"

    def _stage_splits(self) -> tuple[Split, ...]:
        if self._stage != "predict":
            return STAGE_SPLITS[self._stage]
        if self.sentences is not None:
            return ()
        if not self._named_splits():
            raise InputError(f"predict: no task names a split of {', '.join(self.predict_splits)}")
        return self._named_splits()

    def _named_splits(self) -> tuple[Split, ...]:
        return tuple(
            split for split in self.predict_splits if any(split in task.splits for task in self.tasks.values())
        )

    def _open(self, split: Split, *, report: Callable[[str], None] | None) -> dict[str, TokenStore]:
        return self._opener.open_split(split, stage=self._stage, report=report)

    @property
    def _opener(self) -> Opener:
        return Opener(
            tasks=self.tasks,
            streams=self.streams,
            root=self.root,
            tokenizer=self.tokenizer,
            max_length=self.max_length,
            cache_dir=self.cache_dir,
        )

    def _open_sentences(self, source: SentenceInput) -> TokenStore:
        """Read the user's sentences on the first process, and tokenise them on every one."""
        examples = list(read_sentences(source, self.tasks[source.task_name])) if self.rank == 0 else []
        if self.trainer is not None:
            examples = self.trainer.strategy.broadcast(examples)
        self.input_texts = [example.texts for example in examples]
        return self._opener.open_sentences(source, examples)

    def train_dataloader(self) -> ResumableLoader:
        """Return the interleaved batches of the training split."""
        stores = self.stores["train"]
        if self.trainer is not None:
            self.check_window(self.trainer.accumulate_grad_batches)
        sampler = self.make_sampler()
        position = self.take_position()
        if position is not None:
            sampler.resume(*position)
        dataset = TaskDataset(
            stores, streams=self.streams, num_groups=self._num_groups, shapes=self.task_shapes(stores), seed=self.seed
        )
        batches = sampler if self.choose is None else self.choose(sampler, join_rows(self.streams, stores))
        if not self.on_device:
            return self.make_loader(dataset, batches)
        on_device = DeviceDataset(dataset, self.device)
        log.info("training tokens on %s: %.1f MB", self.device, on_device.num_bytes / 1e6)
        return self.make_loader(on_device, batches)

    def make_sampler(self) -> MultitaskSampler:
        """Return the order of the training split.

        Raises:
            InputError: If the schedule does not fit the tasks.
        """
        rows = order_streams(self.streams, self.stores["train"])
        try:
            sampler = MultitaskSampler(
                rows.sizes,
                self.batch_sizes,
                self.schedule,
                orders=rows.orders,
                labelled=rows.labelled,
                window=self.trainer.accumulate_grad_batches if self.trainer else 1,
                seed=self.seed,
                max_epochs=self.max_epochs,
                rank=self.rank,
                world_size=self.world_size,
            )
        except ValueError as error:
            raise InputError(str(error)) from error
        if self.trainer is not None:
            sampler.limit(limit_batches(len(sampler), self.trainer.limit_train_batches))
        return sampler

    @property
    def batch_sizes(self) -> dict[str, int]:
        """Rows of a full batch of each stream, over all processes."""
        return {name: self.tasks[tasks[0]].batch_size or self.batch_size for name, tasks in self.streams.items()}

    @property
    def _num_groups(self) -> int:
        """Attention groups a batch: none where the trained backbone's attention needs none."""
        backbone = getattr(self.trainer and self.trainer.lightning_module, "backbone", None)
        return 4 if backbone is None or backbone.attention == "grouped" else 0

    def task_shapes(self, stores: Iterable[str]) -> dict[str, StaticShape]:
        """Return the static shape of each task's training batches, if they have one.

        Args:
            stores: Names of the tasks.
        """
        if self.round_tokens == 0:
            return {}
        sizes = {name: -(-self.batch_sizes[stream_of(self.streams, name)] // self.world_size) for name in stores}
        return {
            name: StaticShape(self.round_tokens, size * self.tasks[name].num_sequences, self.max_length)
            for name, size in sizes.items()
        }

    def shapes(self, stores: Mapping[str, TokenStore]) -> dict[str, list[StaticShape]]:
        """Return the static shapes of each stream's training batches, one for each encoding, if they have some."""
        shapes = self.task_shapes(stores)
        groups = {name: by_encoding(tasks, self.tasks) for name, tasks in self.streams.items()}
        return {name: [shapes[names[0]] for names in each] for name, each in groups.items()} if shapes else {}

    def choose_window(self, accumulated: int) -> int:
        """Return the batches of an optimiser step: the number given, or where it is 1 as many as the schedule says."""
        return self.schedule.window(len(self.streams)) if accumulated == 1 else accumulated

    def check_window(self, accumulated: int) -> None:
        """Check that whole windows of the schedule make an optimiser step.

        Args:
            accumulated: Batches of an optimiser step.

        Raises:
            InputError: If they do not.
        """
        window = self.schedule.window(len(self.streams))
        if accumulated % window:
            raise InputError(
                f"{type(self.schedule).__name__}: trainer.accumulate_grad_batches is {accumulated} (expected {window}, "
                "one batch of every task, or a multiple of it)"
            )

    def val_dataloader(self) -> ResumableLoader:
        """Return every row of the dev split once."""
        return self._evaluation_loader(self.stores["dev"])

    def test_dataloader(self) -> ResumableLoader:
        """Return every row of the labelled test splits once."""
        return self._evaluation_loader(labelled(self.stores["test"]))

    def predict_dataloader(self) -> list[ResumableLoader]:
        """Return one loader for each of `prediction_names`."""
        return [self._evaluation_loader(self.stores[name]) for name in self.prediction_names]

    @property
    def prediction_names(self) -> tuple[str, ...]:
        """What `predict` predicts: splits, or `input` for the user's sentences."""
        if self.sentences is not None:
            return ("input",)
        return tuple(split for split in self._named_splits() if self.stores.get(split))

    def _evaluation_loader(self, stores: dict[str, TokenStore]) -> ResumableLoader:
        sampler = EvaluationSampler(
            join_rows(self.streams, stores),
            tokens_per_batch=self.tokens_per_batch,
            rank=self.rank,
            world_size=self.world_size,
        )
        dataset = TaskDataset(stores, streams=self.streams, num_groups=self._num_groups)
        return self.make_loader(dataset, sampler)

    def identity(self) -> dict[str, Any]:
        """Return all that decides which examples a step sees."""
        joint = {name: tasks for name, tasks in self.streams.items() if len(tasks) > 1}
        return {
            "seed": self.seed,
            "schedule": repr(self.schedule),
            "max_length": self.max_length,
            **({"special_tokens_as_text": True} if self.tokenizer.split_special_tokens else {}),
            "tasks order": list(self.stores.get("train", {})),
            **({"streams": {name: list(tasks) for name, tasks in joint.items()}} if joint else {}),
            "tasks": {
                name: identify_rows(store, batch_size=self.tasks[name].batch_size or self.batch_size)
                for name, store in self.stores.get("train", {}).items()
            },
        }

    def describe_data(self) -> dict[str, Any]:
        """Return path, rows and SHA-256 of every file that was read, by task and split."""
        return {
            name: {
                split: {**stores[name].source, **stores[name].count(), **describe_generated(stores[name])}
                for split, stores in self.stores.items()
                if name in stores
            }
            for name in self.tasks
        }


def multitask_data(trainer: L.Trainer) -> MultitaskDataModule:
    """Return the data module of a multitask trainer, whose own type does not know it."""
    data = resumable_data(trainer)
    assert isinstance(data, MultitaskDataModule)
    return data
