"""What is learnt: everything that differs between tasks, as one frozen value."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from heads import ConcatProductHead, CosineHead, Head, HeadFactory, LinearHead
from objectives import Debias, PairObjective
from runtime.counts import counted
from runtime.errors import InputError
from tasks.encoding import Encoding
from tasks.handin import HandIn
from tasks.meaning import MAY_CHANGE
from tasks.metrics import DEFAULT_METRICS, LOWER_IS_BETTER, OF_PROBABILITIES, MetricName, build_metric, check_metric
from tasks.task_rows import TaskRows
from tasks.teacher import Teacher

if TYPE_CHECKING:
    from torch import Tensor
    from torchmetrics import Metric


@dataclass(frozen=True, kw_only=True)
class Task(TaskRows):
    """A task over one or two text columns and a label column: its rows, and how they are learnt.

    Args:
        encoding: How the texts become sequences: `single` for one sentence; for a pair `cross` joins both into one
            sequence, `bi` keeps one sequence a side.
        head: Class of the head; None for the usual one of the encoding and the label.
        metrics: Names of the metrics, the first of which enters `mean`; None for the usual ones of the label.
        in_mean: Whether it does; false for a task that only helps another one or is a second view of it, which is then
            left out of hand-in files and of the experiments' tables too.
        weight: Factor on the task's loss (the paper's loss scaling).
        teacher: Saved predictions of other runs, or another task over the same rows, to learn from beside the labels.
        swap: Swap the sides of each training pair with probability one half, drawn anew each epoch.
        average_orders: Evaluate each pair in both orders and average the probabilities or scores; twice the work.
        auxiliary: What the training batches teach beside the labels' loss, each with a weight of its own.
        debias: What the loss does against labels that shared words, or single words, tell alone: ProductOfExperts,
            Reweighting or ConfidenceRegularization; None for nothing.
        head_only_from: Epoch (from 0) from which the task trains its head only: its gradients no longer reach the
            backbone, nor what an adapter has of it. For a small task that has learnt what it can, whose further epochs
            would pull the shared weights towards its few examples, while its head still follows the vectors that the
            other tasks move; 0 for a task that only reads the backbone. None to train both. Its steps stay in the
            schedule and cost no backward pass of the backbone.
        batch_size: Examples a batch; None for `--data.batch_size`.
        prediction_header: Second column name of the prediction file.

    Attributes:
        handin: How CS224N wants the predictions of this task; None for all tasks but its own three.

    Raises:
        InputError: If a setting is out of range or does not fit the others.
    """

    handin: ClassVar[HandIn | None] = None

    encoding: Encoding
    head: HeadFactory | None = None
    metrics: tuple[MetricName, ...] | None = None
    in_mean: bool = True
    weight: float = 1.0
    teacher: Teacher | None = None
    swap: bool = False
    average_orders: bool = False
    auxiliary: tuple[PairObjective, ...] = ()
    debias: Debias | None = None
    head_only_from: int | None = None
    batch_size: int | None = None
    prediction_header: str = "Prediction"

    def __post_init__(self) -> None:
        super().__post_init__()
        name = type(self).__name__
        expected = 1 if self.encoding == "single" else 2
        if len(self.texts) != expected:
            raise InputError(f"{name}: texts names {counted(len(self.texts), 'column')} (expected {expected})")
        for option in ("swap", "average_orders"):
            if getattr(self, option) and self.encoding == "single":
                raise InputError(f"{name}: {option} is true, but an example is one sentence (expected a pair task)")
        if not 0 <= self.weight < math.inf:
            raise InputError(f"{name}: weight is {self.weight} (expected 0 or more)")
        if self.batch_size is not None and self.batch_size < 1:
            raise InputError(f"{name}: batch_size is {self.batch_size} (expected 1 or more)")
        if self.head_only_from is not None and self.head_only_from < 0:
            raise InputError(f"{name}: head_only_from is {self.head_only_from} (expected an epoch, 0 or more)")
        if self.metrics is not None and (not self.metrics or self.metrics[0] in LOWER_IS_BETTER):
            raise InputError(f"{name}: the first of metrics must be one where higher is better, got {self.metrics}")
        try:
            for metric in self.metric_names:
                check_metric(metric, self.labels)
            for objective in self.auxiliary:
                objective.check(self.labels, self.num_sequences)
            if self.debias is not None:
                self.debias.check(self.labels, has_teacher=self.teacher is not None)
        except ValueError as error:
            raise InputError(f"{name}: {error}") from None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return itself: it never changes, and a head that YAML names is built by what holds data and trainer too."""
        return self

    def weigh_labels(self, labels: NDArray[np.float64]) -> NDArray[np.float32] | None:
        """Return the weight of each training label in the loss; None where all count alike.

        Args:
            labels: As the store holds them, NaN where there is none, (rows,) or (rows, C).

        Returns:
            Of their shape; anything where there is no label.
        """
        return None

    @property
    def is_balanced(self) -> bool:
        """Whether a training epoch takes the same number of rows of each class."""
        return False

    def meaning(self) -> dict[str, Any]:
        """Return what the numbers of a model of this task depend on beside its head, as plain data."""
        return {
            "encoding": self.encoding,
            "texts": dict(zip(self.texts, ("first", "second"), strict=False)),
            "classes": list(self.class_names),
            MAY_CHANGE: {"texts": ", ".join(self.texts), "average_orders": self.average_orders},
        }

    def read_teacher(
        self, name: str, ids: Sequence[str], *, known: NDArray[np.float64] | None = None
    ) -> NDArray[np.float32] | None:
        """Read the teacher's predictions.

        Args:
            name: Name of the task.
            ids: Ids of the training examples, [rows].
            known: Their labels; see `Teacher.read`.

        Returns:
            Probabilities (rows, C) or scores (rows,); None without files of a teacher.

        Raises:
            InputError: If its files are missing, wrong or lack an example.
        """
        if self.teacher is None or not self.teacher.files:
            return None
        return self.teacher.read(name, self.labels, self.class_names, ids, known=known)

    @property
    def taught_by(self) -> str | None:
        """Name of the task that teaches this one in the same step; None where none does."""
        return None if self.teacher is None else self.teacher.task

    @property
    def num_sequences(self) -> int:
        """Sequences that one example becomes (S)."""
        return 2 if self.encoding == "bi" else 1

    @property
    def metric_names(self) -> tuple[MetricName, ...]:
        """Names of the metrics; the first enters `mean` (see `in_mean`)."""
        return self.metrics or DEFAULT_METRICS[type(self.labels)]

    def build_metrics(self) -> "dict[MetricName, Metric]":
        """Return fresh metrics by name."""
        return {name: build_metric(name, self.labels) for name in self.metric_names}

    def score(
        self, predictions: "Tensor", labels: "Tensor", probabilities: "Tensor | None"
    ) -> "dict[MetricName, float]":
        """Return the metrics over some rows of this process, by name.

        Args:
            predictions: Predicted labels as losses take them, (n, ...).
            labels: Labels, likewise.
            probabilities: Probabilities of the classes, (n, C); None where there are none.

        Returns:
            NaN for what is undefined, or needs probabilities where there are none.
        """
        from torchmetrics import MetricCollection

        names = [name for name in self.metric_names if probabilities is not None or name not in OF_PROBABILITIES]
        built: dict[str, Any] = {str(name): build_metric(name, self.labels) for name in names}
        metrics = MetricCollection(built, compute_groups=False)
        values = metrics(preds=predictions, target=labels, probabilities=probabilities)  # unlike compute(), of no other
        return {name: float(values.get(name, math.nan)) for name in self.metric_names}

    def build_head(self, hidden_size: int) -> Head:
        """Build the task's head.

        Args:
            hidden_size: Size of a pooled vector (H).

        Raises:
            InputError: If the head does not fit the label or the encoding.
        """
        try:
            head = (self.head or self._default_head())(hidden_size, self.labels)
            if self.debias is not None:
                self.debias.check_output(head.output)
        except ValueError as error:
            raise InputError(f"{type(self).__name__}: {error}") from None
        if head.num_sequences != self.num_sequences:
            fitting = "encoding: bi" if head.num_sequences == 2 else "a single sentence or encoding: cross"
            vectors = counted(head.num_sequences, "vector")
            raise InputError(
                f"{type(self).__name__}: {type(head).__name__} reads {vectors} an example, but "
                f"encoding {self.encoding} gives {self.num_sequences} (this head goes with {fitting})"
            )
        return head

    def _default_head(self) -> HeadFactory:
        if self.encoding != "bi":
            return LinearHead
        return CosineHead if CosineHead.can_predict(self.labels) else ConcatProductHead
