"""The interface between the backbone and a task."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from torch import Tensor, nn

from heads.labels import LabelSpace, name_kinds
from heads.outputs import OutputKind
from runtime.counts import counted


class Head(nn.Module, ABC):
    """Turns the pooled vectors of an example into an output, a loss and a prediction.

    Args:
        labels: The task's labels.
        output: How the computed values become loss and prediction.

    Attributes:
        num_sequences: Vectors an example that the head reads (S): 1 for a single sentence or a cross-encoded pair,
            2 for a bi-encoded pair.
        label_kinds: The kinds of label that the head can predict; all, unless a head says otherwise.

    Raises:
        ValueError: If the head cannot predict this kind of label.
    """

    num_sequences: ClassVar[int]
    label_kinds: ClassVar[tuple[type[LabelSpace], ...]] = (LabelSpace,)

    def __init__(self, labels: LabelSpace, output: OutputKind) -> None:
        super().__init__()
        if not self.can_predict(labels):
            can = name_kinds(self.label_kinds)
            raise ValueError(f"{type(self).__name__} predicts {can}, but the task has {labels.plural}")
        self.output = output

    @classmethod
    def can_predict(cls, labels: LabelSpace) -> bool:
        """Whether the head is made for this kind of label."""
        return isinstance(labels, cls.label_kinds)

    def meaning(self) -> dict[str, Any]:
        """Return what its numbers depend on beside the weights and their shapes, as plain data.

        A head with options of that kind adds them: a checkpoint is refused where they differ.
        """
        return {"class": type(self).__name__, "output": self.output.meaning()}

    @abstractmethod
    def compute(self, pooled: Tensor) -> Tensor:
        """Compute the output from vectors of the right shape, (B, S, H); see `forward`."""

    def forward(self, pooled: Tensor) -> Tensor:
        """Compute the output of a batch.

        Args:
            pooled: One vector a sequence, (B, S, H).

        Returns:
            Logits (B, num_values) of the output, or (B,) where that is one; scores in label units (B,).

        Raises:
            ValueError: If `pooled` does not hold `num_sequences` vectors an example.
        """
        if pooled.dim() != 3 or pooled.shape[1] != self.num_sequences:
            vectors = counted(self.num_sequences, "vector")
            raise ValueError(
                f"{type(self).__name__} reads {vectors} an example, (B, {self.num_sequences}, H), but got a tensor of "
                f"shape {tuple(pooled.shape)}"
            )
        output: Tensor = self.compute(pooled)
        return output

    @property
    def readout(self) -> nn.Linear | None:
        """The layer whose raw values are the output, where it alone reads the first vector; None in other heads."""
        return None

    @property
    def compares_by_cosine(self) -> bool:
        """Whether its score is the cosine of two texts' `embed`, laid on the label's range."""
        return False

    @property
    def projection(self) -> nn.Linear | None:
        """The layer that `embed` consists of, where it is one linear layer."""
        return None

    def embed(self, pooled: Tensor) -> Tensor:
        """Return what stands for one text where texts are compared, (N, H) to (N, P): the pooled vector as it is."""
        return pooled

    def loss(self, output: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Mean loss over the batch; output as `forward` gave it, labels and their weights (B,), or of sets (B, C)."""
        return self.output.loss(output, labels, weights)

    def soft_loss(self, output: Tensor, target: Tensor, temperature: float) -> Tensor:
        """Mean difference to a teacher's probabilities (B, C) or scores (B,)."""
        return self.output.soft_loss(output, target, temperature)

    def divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """How far apart two outputs are, a scalar; 0 where they are equal, with gradients to both."""
        return self.output.divergence(one, other)

    def average(self, outputs: Tensor) -> Tensor:
        """Return the output whose probabilities (or scores) are the means of M outputs', (M, B, ...) to (B, ...)."""
        return self.output.average(outputs)

    def predict(self, output: Tensor) -> Tensor:
        """Predicted labels in label units, (B,)."""
        return self.output.predict(output)

    def probabilities(self, output: Tensor) -> Tensor | None:
        """Probability of each class, (B, C); None for scores."""
        return self.output.probabilities(output)

    def answer(self, output: Tensor) -> Tensor:
        """Return all that it says of its labels: probabilities (B, C), or scores in label units (B,)."""
        probabilities = self.probabilities(output)
        return self.predict(output) if probabilities is None else probabilities


def check_size(name: str, value: int) -> None:
    """Check the size of a layer.

    Args:
        name: What it is called in a message.
        value: The size.

    Raises:
        ValueError: If it is less than 1: such a layer passes nothing on.
    """
    if value < 1:
        raise ValueError(f"{name} is {value} (expected 1 or more)")


# Builds a head from the backbone's hidden size and the task's labels.
HeadFactory = Callable[[int, LabelSpace], Head]
