"""Projected attention layers: a small attention of each task in parallel to every layer of the backbone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from transformers import PreTrainedModel

from backbones.adapter import Adapter, Part, TaskLayers, freeze_except
from backbones.attention import Attend
from backbones.families import BERT_SHAPED


@dataclass(frozen=True)
class Pals(Adapter):
    """Each layer computes LN(FFN(a) + a + PA(h)): h is what it reads, a its attended states.

    PA(h) = V_D SA(V_E h). The encoder V_E (size, H) and the decoder V_D (H, size) are a task's own and shared by all
    layers; the self-attention SA (queries, keys, values of `size`; no output matrix) is a task's own in each layer.
    V_D starts at 0, so training starts from the backbone's own function (the authors start it at random).

    Args:
        size: Size of the small attention; None for 204 / 768 of H, rounded to a multiple of `num_heads`: 204 for
            BERT-base, 96 for H = 384 and twelve heads.
        num_heads: Its heads.
        frozen: Whether the backbone's own weights are frozen.
        also_train: Parts of a frozen backbone that train along; L. Wang's frozen variant trains both.

    Raises:
        ValueError: If a value is out of range, or (from attach) if the backbone lacks a part, or is not computed layer
            by layer.

    Source: Stickland & Murray 2019 ("BERT and PALs"), https://arxiv.org/abs/1902.02671
    """

    training_options: ClassVar[tuple[str, ...]] = ("frozen", "also_train")
    size: int | None = None
    num_heads: int = 12
    frozen: bool = False
    also_train: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        if self.num_heads < 1 or (self.size is not None and (self.size < 1 or self.size % self.num_heads)):
            raise ValueError(
                f"adapter Pals: size is {self.size}, num_heads {self.num_heads} (expected a size that the heads divide)"
            )
        if self.also_train and not self.frozen:
            raise ValueError("adapter Pals: also_train is for a frozen backbone (expected frozen: true)")

    def attach(self, bert: PreTrainedModel, tasks: Sequence[str]) -> "PalLayers":
        """Build the layers of every task; see `Adapter.attach`."""
        if bert.config.model_type not in BERT_SHAPED:
            raise ValueError(
                f"adapter Pals: stands beside each layer of BERT's form, which {bert.config.model_type} models do not "
                "have (expected Lora, or another backbone)"
            )
        if self.frozen:
            freeze_except(bert, self.also_train)
        size = self.size or scaled_size(bert.config.hidden_size, self.num_heads)
        return PalLayers(bert, tasks, size=size, num_heads=self.num_heads)


def scaled_size(hidden_size: int, num_heads: int) -> int:
    """Scale the paper's size, 204 of 768, to another backbone: the next multiple of the heads, at least one each.

    Example:
        >>> scaled_size(768, 12), scaled_size(384, 12), scaled_size(16, 2)
        (204, 96, 4)
    """
    return num_heads * max(1, round(hidden_size * 204 / 768 / num_heads))


class PalLayers(TaskLayers):
    """The projected attention of every task in every layer.

    Args:
        bert: The backbone, for its shape, dropout and start values.
        tasks: Names of the tasks.
        size: Size of the small attention.
        num_heads: Its heads.
    """

    def __init__(self, bert: PreTrainedModel, tasks: Sequence[str], *, size: int, num_heads: int) -> None:
        super().__init__()
        hidden_size = bert.config.hidden_size
        self.num_heads = num_heads
        self.attention_heads = ((num_heads, size // num_heads),)
        self.dropout = float(bert.config.attention_probs_dropout_prob)
        self.encoders = nn.ModuleDict({task: nn.Linear(hidden_size, size) for task in tasks})
        self.decoders = nn.ModuleDict({task: nn.Linear(size, hidden_size) for task in tasks})
        self.layer = nn.ModuleList(
            nn.ModuleDict({task: _Projections(size) for task in tasks}) for _ in range(bert.config.num_hidden_layers)
        )
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=bert.config.initializer_range)
                nn.init.zeros_(module.bias)
        for decoder in self.decoders.values():
            nn.init.zeros_(decoder.weight)  # type: ignore[arg-type]

    def forward(self, task: str, number: int, hidden: Tensor, asking: Tensor, attend: Attend) -> Tensor:
        """Return what a task adds in a layer, (R, H); see TaskLayers."""
        encoder, projections = self.encoders[task], self.layer[number][task]  # type: ignore[index]
        small = encoder(hidden)
        context = attend(
            projections.query(small if asking is hidden else encoder(asking)),
            projections.key(small),
            projections.value(small),
            num_heads=self.num_heads,
            dropout=self.dropout if self.training else 0.0,
        )
        added: Tensor = self.decoders[task](context)
        return added


class _Projections(nn.Module):
    """Queries, keys and values of one task in one layer."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.query = nn.Linear(size, size)
        self.key = nn.Linear(size, size)
        self.value = nn.Linear(size, size)
