"""Adapters: a small number of new weights that train instead of, or in addition to, the backbone's own."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, ClassVar, Literal

from torch import Tensor, nn
from transformers import PreTrainedModel

from backbones.attention import Attend

Part = Literal["layer_norms", "pooler"]


class TaskLayers(nn.Module, ABC):
    """What a task adds in each layer of the backbone, before the layer's last LayerNorm.

    Attributes:
        attention_heads: Number and size of the heads that it attends with; empty if it does not.
    """

    attention_heads: tuple[tuple[int, int], ...] = ()

    @abstractmethod
    def forward(self, task: str, number: int, hidden: Tensor, asking: Tensor, attend: Attend) -> Tensor:
        """Return what is added.

        Args:
            task: Name of the batch's task.
            number: Number of the layer, from 0.
            hidden: What the layer reads, (T, H).
            asking: The rows of it whose result is wanted, (R, H).
            attend: Attention inside each sequence.

        Returns:
            One vector a wanted row, (R, H).
        """


class Adapter(ABC):
    """Settings of an adapter; a frozen dataclass: Lora or Pals."""

    training_options: ClassVar[tuple[str, ...]] = ()  # which do not change what trained weights give

    def meaning(self) -> dict[str, Any]:
        """Return what its numbers depend on, as plain data; no shape of a weight shows the scale of an update."""
        assert is_dataclass(self)
        options = {name: value for name, value in asdict(self).items() if name not in self.training_options}
        return {"class": type(self).__name__, **options}

    @abstractmethod
    def attach(self, bert: PreTrainedModel, tasks: Sequence[str]) -> TaskLayers | None:
        """Attach the adapter to a model and say which of its weights train.

        Args:
            bert: The model, changed in place.
            tasks: Names of the tasks.

        Returns:
            What runs in parallel to the layers; None if everything is inside the model.

        Raises:
            ValueError: If the settings do not fit the model.
        """


def freeze_except(bert: PreTrainedModel, parts: Sequence[Part]) -> None:
    """Freeze the backbone's own weights, some parts excepted.

    Args:
        bert: The model.
        parts: `layer_norms` for every LayerNorm, `pooler` for the model's pooler.

    Raises:
        ValueError: If it has no such part.
    """
    bert.requires_grad_(False)
    release(bert, parts)


def release(bert: PreTrainedModel, parts: Sequence[Part]) -> None:
    """Unfreeze some parts of the backbone; see `freeze_except`."""
    if "pooler" in parts:
        if getattr(bert, "pooler", None) is None:
            raise ValueError("adapter: also_train names the pooler, but there is none (expected pooling: pooler)")
        bert.pooler.requires_grad_(True)
    if "layer_norms" in parts:
        for module in bert.modules():
            if isinstance(module, nn.LayerNorm) or type(module).__name__.endswith("RMSNorm"):
                module.requires_grad_(True)
