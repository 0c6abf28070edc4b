"""Whether an exported model answers as the checkpoint does, on the dev split."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from heads import LabelSpace, Scores
from inference.predictor import Predictor
from tasks import InputError, MissingFileError, Task
from tasks.sample import sample

RESAMPLES = 400  # of an interval
LEAST_ROWS = 10
LARGEST_DIFFERENCE = 1e-4  # of a probability, or of a score as a share of its range: rounding is about 1e-6


@dataclass(frozen=True)
class DevSplit:
    """Labelled examples of a task.

    Args:
        texts: Their texts, [n].
        labels: Class indices or scores, (n,), or sets (n, C).
        size: Labelled examples of the whole split.
    """

    texts: Sequence[tuple[str, ...]]
    labels: Tensor
    size: int


@dataclass(frozen=True)
class Parity:
    """An exported model beside the checkpoint.

    Args:
        name: What was compared, such as a task or a task and a file.
        metric: Name of the task's first metric; None where vectors were compared.
        checkpoint: Its value with the checkpoint's answers.
        exported: Its value with the exported model's.
        difference: Largest difference of a probability or a score.
        changed: Examples whose predicted label changed; of scores, those that moved by a hundredth of the range.
        rows: Examples compared.
        size: Examples of the dev split.
        bound: What `difference` may be at most.
        interval: 95 % interval of `exported` over resamples of the rows; None where it is undefined.
        moves: What `changed` counts, in words.
    """

    name: str
    metric: str | None
    checkpoint: float | None
    exported: float | None
    difference: float
    changed: int
    rows: int
    size: int
    bound: float
    interval: tuple[float, float] | None = None
    moves: str = "labels changed"

    def describe(self) -> str:
        """Return one line for the terminal."""
        part = f"{self.rows}" if self.rows == self.size else f"{self.rows} of {self.size}"
        if self.metric is None:
            return f"{self.name}: largest difference of a vector's entry {self.difference:.1e} on {part} dev rows"
        assert self.checkpoint is not None
        if math.isnan(self.checkpoint):
            scores = f"{self.metric} is undefined with the checkpoint's answers already, so no loss of it can be told,"
        else:
            scores = f"{self.metric} {self.checkpoint:.4f} (checkpoint), {self.exported:.4f} (exported)"
        changes = f"largest difference {self.difference:.1e}, {self.moves}: {self.changed}"
        return f"{self.name}: {scores} on {part} dev rows; {changes}"

    def check(self) -> "Parity":
        """Return itself; raise an InputError if the difference is above the bound."""
        if not self.difference <= self.bound:
            raise InputError(f"{self.describe()} (expected {self.bound:.1e} at most; nothing was written)")
        return self

    @property
    def loss(self) -> float:
        """What the metric lost: below 0 for a gain, infinite if it became undefined, 0 if it was so before."""
        assert self.checkpoint is not None
        assert self.exported is not None
        if math.isnan(self.checkpoint):
            return 0.0
        return math.inf if math.isnan(self.exported) else self.checkpoint - self.exported


def read_dev(task: Task, root: Path, *, most_rows: int) -> DevSplit:
    """Read the dev split of a task.

    Args:
        task: The task.
        root: Folder that its relative paths start from.
        most_rows: Examples at most, drawn evenly.

    Raises:
        InputError: If the source names no dev split, a file is missing or wrong, or no row is to be read.
    """
    if most_rows < 1:
        raise InputError(f"--dev_rows is {most_rows} (expected 1 or more)")
    if "dev" not in task.splits:
        raise InputError(f"its source names no dev split, which an export is checked on ({task.source})")
    try:
        every = [example for example in task.read("dev", root, lambda note: None) if example.label is not None]
    except MissingFileError as error:
        raise InputError(f"{error}; --root DIR names another folder") from None
    examples = list(sample(iter(every), most_rows))
    labels = task.labels.as_tensor(task.labels.stack([example.label for example in examples]))
    return DevSplit([example.texts for example in examples], labels, len(every))


def score_range(labels: LabelSpace) -> tuple[float, float]:
    """Return the smallest and the largest score of labels that are scores."""
    assert isinstance(labels, Scores)
    return labels.low, labels.high


def compare(name: str, task: Task, split: DevSplit, checkpoint: Tensor, exported: Tensor) -> Parity:
    """Compare answers.

    Args:
        name: What is compared.
        task: The task.
        split: What was answered.
        checkpoint: Probabilities (n, C) or scores (n,) of the checkpoint.
        exported: Those of the exported model.
    """
    is_score = not task.labels.num_classes
    low, high = score_range(task.labels) if is_score else (0.0, 1.0)
    extent = high - low
    before, after = (task.labels.decide(answers) for answers in (checkpoint, exported))
    moved = ((before - after).abs() > (extent / 100 if is_score else 0)).reshape(len(before), -1).any(dim=1)
    metric = task.metric_names[0]
    return Parity(
        name=name,
        metric=metric,
        checkpoint=task.score(before, split.labels, None if is_score else checkpoint)[metric],
        exported=task.score(after, split.labels, None if is_score else exported)[metric],
        difference=float((checkpoint - exported).abs().max()),
        changed=int(moved.sum()),
        rows=len(split.texts),
        size=split.size,
        bound=LARGEST_DIFFERENCE * extent,
        interval=bootstrap(task, after, split.labels, None if is_score else exported),
        moves="labels changed" if task.labels.num_classes else "scores moved by a hundredth of the range",
    )


def bootstrap(
    task: Task, predictions: Tensor, labels: Tensor, probabilities: Tensor | None = None
) -> tuple[float, float] | None:
    """Return the 95 % percentile interval of a task's first metric over resamples of the rows, the same at each call.

    Args:
        task: The task.
        predictions: In label units, (n,).
        labels: The labels, (n,).
        probabilities: Of the classes, (n, C); None for scores.

    Returns:
        None for fewer than ten rows, or where the metric is undefined.
    """
    count = len(labels)
    if count < LEAST_ROWS:
        return None
    generator, values = torch.Generator().manual_seed(0), list[float]()
    first = replace(task, metrics=task.metric_names[:1])
    for _ in range(RESAMPLES):
        rows = torch.randint(count, (count,), generator=generator)
        drawn = None if probabilities is None else probabilities[rows]
        values += first.score(predictions[rows], labels[rows], drawn).values()
    found = torch.tensor(values)[torch.tensor(values).isfinite()]
    if not found.numel():
        return None
    low, high = torch.quantile(found, torch.tensor([0.025, 0.975])).tolist()
    return low, high


def answer_dev(predictor: Predictor, splits: Mapping[str, DevSplit]) -> dict[str, Tensor]:
    """Return the checkpoint's answers to dev splits by task: probabilities (n, C), or scores (n,)."""
    return {
        name: predictor.model.head(name).answer(predictor.compute([name], split.texts)[name])
        for name, split in splits.items()
    }
