"""DeBERTa's projections of relative positions, computed once for all length groups of a batch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from transformers_internals import relative_position_parts


@contextmanager
def sharing_relative_positions(model: PreTrainedModel) -> Iterator[None]:
    """Let several forward passes of a DeBERTa share what depends on relative positions alone; others are left alone.

    Each layer projects its table of relative positions, 512 rows in published models, at each pass: half as many as a
    batch of short sentences has tokens. As in one padded pass, dropout on the table is the same for the whole batch.
    """
    parts = relative_position_parts(model)
    table = None if parts is None else parts.table()
    if parts is None or table is None:
        yield
        return
    memory = _Memory(table)
    parts.encoder.get_rel_embedding = lambda: table
    for module in parts.modules:
        module.forward = memory.wrap(module)
    try:
        yield
    finally:
        del parts.encoder.get_rel_embedding
        for module in parts.modules:
            del module.forward


class _Memory:
    """Results of modules on the table and on what was computed from it.

    Args:
        table: The relative positions, (2 * span, H).
    """

    def __init__(self, table: Tensor) -> None:
        self._known = {_storage(table)}
        self._results: dict[tuple[object, ...], Tensor] = {}

    def wrap(self, module: nn.Module) -> Callable[[Tensor], Tensor]:
        """Return a module's forward that is computed once for each part of the table."""
        compute: Callable[[Tensor], Tensor] = module.forward

        def forward(states: Tensor) -> Tensor:
            if _storage(states) not in self._known:
                return compute(states)
            key = (id(module), _storage(states), states.storage_offset(), states.shape)
            if key not in self._results:
                self._results[key] = compute(states)
                self._known.add(_storage(self._results[key]))
            return self._results[key]

        return forward


def _storage(tensor: Tensor) -> int:
    return torch.Tensor.untyped_storage(tensor).data_ptr()
