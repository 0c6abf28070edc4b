"""Two heads for a pair that is encoded both ways: an accurate scorer and a fast embedder in one model."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from heads.cosine import CosineHead
from heads.head import Head, HeadFactory
from heads.labels import LabelSpace
from heads.linear import LinearHead
from heads.product import ConcatProductHead
from runtime.counts import counted


def usual_pair_head(labels: LabelSpace) -> HeadFactory:
    """Return the usual head of a bi-encoded pair: the cosine for what it can predict, else a product."""
    return CosineHead if CosineHead.can_predict(labels) else ConcatProductHead


class TwinHead(Head):
    """A cross head that learns from labels, and a bi head that learns from labels and from the cross head.

    loss = cross + (1 - share) * bi + share * soft, where soft compares the bi head's output with the cross head's of
    the same forward pass, through which no gradient flows. Afterwards the cross head scores pairs, and the backbone
    with the bi head compares stored vectors of single sentences.

    One example is three sequences of one batch: the joined pair, then each side. So a pair's two encodings always meet
    in the same step, and sampler, accumulation, processes and resuming need nothing new; two tasks over the same rows
    would have to be drawn together and to pass outputs from one step to the next. It costs about twice the tokens of
    either encoding.

    The output holds both heads', (B, 2, C) or (B, 2).

    Args:
        hidden_size: Size of a pooled vector (H).
        labels: The task's labels.
        cross: Head on the joined pair's vector.
        bi: Head on the sides' vectors; None for CosineHead (scores) or ConcatProductHead (classes).
        share: Share of the cross head's output in what the bi head learns from, 0 to 1.
        temperature: Flattens both heads' probabilities before they are compared; above 0.

    Raises:
        ValueError: If an option is out of range, or the two heads' outputs differ in shape.

    Source: Hinton et al. 2015, https://arxiv.org/abs/1503.02531; a cross-encoder as the teacher of a bi-encoder:
        Thakur et al. 2021, https://arxiv.org/abs/2010.08240
    """

    num_sequences: ClassVar[int] = 3
    views: ClassVar[tuple[str, ...]] = ("", "_bi")

    def __init__(
        self,
        hidden_size: int,
        labels: LabelSpace,
        *,
        cross: HeadFactory = LinearHead,
        bi: HeadFactory | None = None,
        share: float = 0.5,
        temperature: float = 1.0,
    ) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"TwinHead: share is {share} (expected 0 to 1)")
        if not 0 < temperature < float("inf"):
            raise ValueError(f"TwinHead: temperature is {temperature} (expected above 0)")
        one, two = cross(hidden_size, labels), (bi or usual_pair_head(labels))(hidden_size, labels)
        for part, head, expected in (("cross", one, 1), ("bi", two, 2)):
            if head.num_sequences != expected:
                reads = f"{type(head).__name__}, which reads {counted(head.num_sequences, 'vector')} an example"
                raise ValueError(f"TwinHead: {part} is {reads} (expected a head that reads {expected})")
        if one.output.num_values != two.output.num_values:
            raise ValueError(
                f"TwinHead: the cross head gives {counted(one.output.num_values, 'value')} an example, the bi head "
                f"{two.output.num_values} (expected losses with the same output)"
            )
        super().__init__(labels, one.output)
        self.cross, self.bi = one, two
        self.share, self.temperature = share, temperature

    def meaning(self) -> dict[str, Any]:
        """Of both heads."""
        return {"class": type(self).__name__, "cross": self.cross.meaning(), "bi": self.bi.meaning()}

    def compute(self, pooled: Tensor) -> Tensor:
        """Map (B, 3, H) to both outputs, (B, 2, C) or (B, 2)."""
        return torch.stack([self.cross(pooled[:, :1]), self.bi(pooled[:, 1:])], dim=1)  # (B, 2, ...)

    @property
    def readout(self) -> nn.Linear | None:
        """Of the cross head."""
        return self.cross.readout

    @property
    def compares_by_cosine(self) -> bool:
        """Of the bi head."""
        return self.bi.compares_by_cosine

    @property
    def projection(self) -> nn.Linear | None:
        """Of the bi head."""
        return self.bi.projection

    def embed(self, pooled: Tensor) -> Tensor:
        """Of the bi head."""
        return self.bi.embed(pooled)

    def loss(self, output: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Sum of the cross head's mean loss and what the bi head learns."""
        cross, bi = output.unbind(dim=1)  # (B, ...) each
        answers = self.cross.probabilities(cross)
        teacher = self.cross.predict(cross) if answers is None else answers
        soft = self.bi.soft_loss(bi, teacher.detach(), self.temperature)
        own = self.cross.loss(cross, labels, weights) + (1 - self.share) * self.bi.loss(bi, labels, weights)
        return own + self.share * soft

    def soft_loss(self, output: Tensor, target: Tensor, temperature: float) -> Tensor:
        """Sum of both heads' differences to a saved teacher."""
        cross, bi = output.unbind(dim=1)  # (B, ...) each
        return self.cross.soft_loss(cross, target, temperature) + self.bi.soft_loss(bi, target, temperature)

    def divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """Sum of both heads' divergences."""
        pairs = zip((self.cross, self.bi), one.unbind(dim=1), other.unbind(dim=1), strict=True)
        return torch.stack([head.divergence(first, second) for head, first, second in pairs]).sum()

    def average(self, outputs: Tensor) -> Tensor:
        """Average each head's M outputs, (M, B, 2, ...) to (B, 2, ...)."""
        cross, bi = outputs.unbind(dim=2)  # (M, B, ...) each
        return torch.stack([self.cross.average(cross), self.bi.average(bi)], dim=1)  # (B, 2, ...)

    def predict(self, output: Tensor) -> Tensor:
        """What the cross head predicts, (B,)."""
        return self.cross.predict(output[:, 0])

    def probabilities(self, output: Tensor) -> Tensor | None:
        """Of the cross head."""
        return self.cross.probabilities(output[:, 0])

    @property
    def parts(self) -> Mapping[str, Head]:
        """The cross head under the task's own name, the bi head under `<task>_bi`."""
        return {"": self.cross, "_bi": self.bi}

    def split(self, output: Tensor) -> Mapping[str, tuple[Head, Tensor]]:
        """Return the cross head under the task's own name, the bi head under `<task>_bi`."""
        cross, bi = output.unbind(dim=1)  # (B, ...) each
        return {"": (self.cross, cross), "_bi": (self.bi, bi)}
