"""Counts examples, real tokens and token slots of a padded model."""

from collections.abc import Mapping

from torch import Tensor, nn
from transformers import PreTrainedModel

from benchmarks.meter import Work


class WorkCounter:
    """Counts what goes into a model.

    Args:
        model: An encoder with a head; what is counted goes into the encoder, since not every program calls the whole.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self._work = Work()
        model.base_model.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, encoder: nn.Module, arguments: tuple[Tensor, ...], keywords: Mapping[str, Tensor]) -> None:
        input_ids = arguments[0] if arguments else keywords["input_ids"]
        mask = keywords["attention_mask"]
        self._work = Work(
            examples=self._work.examples + input_ids.shape[0],
            tokens=self._work.tokens + int(mask.sum()),
            slots=self._work.slots + input_ids.numel(),
        )

    def take(self) -> Work:
        """Return what was counted since the last call."""
        work, self._work = self._work, Work()
        return work
