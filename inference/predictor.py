"""Predictions in Python: `Predictor.load("runs/cs224n/version_0").predict("sst", ["A warm, funny film."])`."""

import logging
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedTokenizerFast

from backbones import load_tokenizer
from backbones.vocabulary import describe_tokenizer
from inference.checkpoint import build_model, build_tasks, find_checkpoint, read_checkpoint
from inference.int8_choice import quantize
from inference.model import TrainedModel
from inference.prediction import Prediction, name_predictions
from inference.rows import EncodedRows, check_texts, encode_rows
from inference.thresholds import read_thresholds, with_thresholds
from runtime.allocation import keep_freed_memory
from runtime.cache_folder import CACHE_DIR
from runtime.precision import DTYPES, settle_precision
from tasks import Encoding, InputError, Task
from tasks.meaning import compare_meaning

log = logging.getLogger(__name__)

T = TypeVar("T")
Precision = Literal["32-true", "bf16-mixed", "auto"]
TOKENS_PER_BATCH = 2048
BATCHES_WITHOUT_BAR = 16  # of 2,048 tokens: a few seconds on one CPU thread


class Predictor:
    """A trained model on texts: no Trainer, no configuration and no data files.

    Numbers are those of `train.py predict`. Texts are computed in batches of similar length without padding, whatever
    their number, and results are in the order of the texts.

    Args:
        model: Backbone and heads, in evaluation mode.
        tasks: Its tasks.
        tokenizer: The tokenizer of the backbone.
        max_length: Tokens a sequence at most; longer ones are cut as in training.
        threads: CPU threads while it computes; None for PyTorch's own number.
        device: Where it computes; None for a GPU if there is one.
        tokens_per_batch: Tokens of a batch at most.
        precision: What products are computed in: `auto` takes bf16 where it is faster on the device.
    """

    def __init__(
        self,
        model: TrainedModel,
        tasks: Mapping[str, Task],
        tokenizer: PreTrainedTokenizerFast,
        *,
        max_length: int,
        threads: int | None = None,
        device: str | torch.device | None = None,
        tokens_per_batch: int = TOKENS_PER_BATCH,
        precision: Precision = "32-true",
    ) -> None:
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.model = model.to(self.device)
        self.tasks = tasks
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.threads = threads
        self.tokens_per_batch = tokens_per_batch
        chosen = settle_precision(precision, self.device, Path(CACHE_DIR, "precision.json").expanduser())
        self.dtype = DTYPES.get(str(chosen), torch.float32)
        self.model.backbone.choose_attention("auto", self.device, dtype=self.dtype)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        threads: int | None = None,
        device: str | torch.device | None = None,
        precision: Precision = "32-true",
        int8: bool = False,
    ) -> "Predictor":
        """Load a trained model.

        Args:
            path: A checkpoint of `train.py fit`, or the folder of a run: then its best checkpoint, else its last one,
                which the log names.
            threads: See Predictor.
            device: See Predictor; with int8 the CPU where none is given.
            precision: See Predictor.
            int8: Multiply the encoder's matrices in int8: about twice as fast on a CPU, with slightly other numbers.
                From then on this process keeps the memory that it frees, see `runtime.allocation`.
                Run `python -m inference.int8 PATH` first: it compares both on the dev split, and leaves layers that
                hurt in fp32.

        Raises:
            InputError: If there is no readable checkpoint, its backbone's files are no longer those of the training,
                or int8 cannot be had on this CPU or device.
            ValueError: If the tokenizer of its backbone cannot be loaded.
        """
        checkpoint = read_checkpoint(find_checkpoint(Path(path).expanduser()))
        log.info("checkpoint: %s", checkpoint.path)
        tasks = with_thresholds(build_tasks(checkpoint), read_thresholds(checkpoint.path))
        model = build_model(checkpoint, tasks)
        tokenizer = load_tokenizer(checkpoint.backbone, special_tokens_as_text=checkpoint.special_tokens_as_text)
        now = {"tokenizer": describe_tokenizer(tokenizer), "backbone": model.backbone.meaning()}
        compare_meaning(checkpoint.meaning, now)
        if int8 and precision != "32-true":
            raise InputError(f"int8 is true and precision {precision} (expected 32-true with int8)")
        if int8:
            device = device or "cpu"
            keep_freed_memory()  # page faults would be a quarter of the time
            quantize(model.backbone, checkpoint.path, torch.device(device))
        return cls(
            model,
            tasks,
            tokenizer,
            max_length=checkpoint.max_length,
            threads=threads,
            device=device,
            precision=precision,
        )

    def task(self, name: str) -> Task:
        """Return a task.

        Raises:
            InputError: If there is none of that name.
        """
        if name not in self.tasks:
            raise InputError(f"no task {name!r} (expected {', '.join(self.tasks)})")
        return self.tasks[name]

    def predict(self, task: str, texts: Sequence[str] | Sequence[tuple[str, str]]) -> list[Prediction]:
        """Predict the labels of a task.

        Args:
            task: Name of the task.
            texts: Sentences, or pairs of sentences where the task is about pairs.

        Raises:
            InputError: If there is no such task, or a text is empty or not what the task is about.
        """
        outputs = self.compute([task], check_texts(texts, len(self.task(task).texts)))
        return name_predictions(self.tasks[task], self.model.head(task), outputs[task])

    def predict_all(
        self, texts: Sequence[str] | Sequence[tuple[str, str]], *, tasks: Collection[str] | None = None
    ) -> dict[str, list[Prediction]]:
        """Predict the labels of every task about such texts, with one forward pass for each encoding that they have.

        Tasks with weights of their own in the backbone (Pals) need a pass each.

        Args:
            texts: Sentences, or pairs of sentences.
            tasks: Names of the tasks; None for all about such texts.

        Returns:
            Predictions by task.

        Raises:
            InputError: If there is no such task, none is about such texts, or a text is empty or unlike the first one.
        """
        num_texts = 1 if isinstance(next(iter(texts), ""), str) else 2
        among = {name: self.task(name) for name in (self.tasks if tasks is None else tasks)}
        names = [name for name, task in among.items() if len(task.texts) == num_texts]
        if not names:
            found = "single sentences" if num_texts == 1 else "pairs"
            raise InputError(f"no task is about {found} (expected what {', '.join(among)} read)")
        outputs = self.compute(names, check_texts(texts, num_texts))
        return {name: name_predictions(self.tasks[name], self.model.head(name), outputs[name]) for name in names}

    def embed(self, task: str, texts: Sequence[str]) -> Tensor:
        """Return a vector of length 1 for each text, to be stored and compared.

        Where the task's score is a cosine, it is the product of two such vectors on the task's scale.

        Args:
            task: Name of a task that encodes the sides of a pair one by one (encoding bi).
            texts: Single texts.

        Returns:
            (rows, P), on the CPU.

        Raises:
            InputError: If the task encodes otherwise, or a text is empty.
        """
        if self.task(task).encoding != "bi":
            fitting = [name for name, each in self.tasks.items() if each.encoding == "bi"]
            raise InputError(
                f"task {task}: reads {self.task(task).encoding} sequences, which gives no vector of one text "
                f"(expected a task with encoding bi: {', '.join(fitting) or 'there is none'})"
            )
        rows = self._encode(check_texts(texts, 1), "single")
        found: list[tuple[Tensor, Tensor]] = []
        with self._computing():
            for numbers in _with_bar(rows.cut(self.tokens_per_batch), "embedding"):
                pooled = self.model.pool(rows.join(numbers).to(self.device), task)
                found.append((torch.from_numpy(numbers), self.model.head(task).embed(pooled).cpu()))
        return F.normalize(_in_order(found).float(), dim=1)

    def compute(self, names: Sequence[str], texts: Sequence[tuple[str, ...]]) -> dict[str, Tensor]:
        """Return the outputs of tasks' heads in the order of the texts, on the CPU.

        Args:
            names: Names of tasks about such texts.
            texts: The texts of each example, checked.
        """
        if not texts:
            raise InputError("texts is empty (expected at least one)")
        found: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in names}
        with self._computing():
            for group in self._share_passes(names):
                first = self.tasks[group[0]]
                rows = self._encode(texts, first.encoding)
                for numbers in _with_bar(rows.cut(self.tokens_per_batch), ", ".join(group)):
                    tokens = rows.join(numbers, both_orders=first.average_orders)
                    pooled = self.model.pool(tokens.to(self.device), group[0])
                    for name in group:
                        output = self.model.output(pooled, name, orders=2 if first.average_orders else 1)
                        found[name].append((torch.from_numpy(numbers), output.cpu()))
        return {name: _in_order(parts) for name, parts in found.items()}

    def _share_passes(self, names: Sequence[str]) -> list[list[str]]:
        """Group tasks whose heads read the same vectors."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for name in names:
            own = "" if self.model.backbone.task_layers is None else name
            groups.setdefault((self.tasks[name].encoding, str(self.tasks[name].average_orders), own), []).append(name)
        return list(groups.values())

    def _encode(self, texts: Sequence[tuple[str, ...]], encoding: Encoding) -> EncodedRows:
        rows = encode_rows(texts, encoding, tokenizer=self.tokenizer, max_length=self.max_length)
        if rows.num_cut:
            log.warning("%s of %s texts cut to %s tokens", f"{rows.num_cut:,}", f"{len(texts):,}", self.max_length)
        return rows

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Compute without gradients, in the precision and with the number of threads that were asked for."""
        before = torch.get_num_threads()
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        try:
            with torch.inference_mode(), self._autocast():
                yield
        finally:
            torch.set_num_threads(before)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32)


def _in_order(parts: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Join the results of batches in the order of their rows."""
    rows = torch.cat([numbers for numbers, _ in parts])
    return torch.cat([values for _, values in parts])[rows.argsort()]


def _with_bar(batches: Sequence[T], what: str) -> Iterable[T]:
    """Show progress on a terminal where there is much to do."""
    is_short = len(batches) <= BATCHES_WITHOUT_BAR or not sys.stderr.isatty()
    return batches if is_short else track(batches, description=what, console=Console(stderr=True))
