"""The pooled vectors of a frozen backbone, computed once."""

from collections.abc import Mapping

import torch
from lightning.fabric.utilities.apply_func import move_data_to_device
from torch import Tensor

from backbones import Backbone
from datamodules import TokenStore, cut_store


class FrozenVectors:
    """Every example's pooled vectors, so that heads train without running the backbone again.

    Tasks that see pairs in another order than the file's (`swap`, `average_orders`) are left out.
    They are computed in an order that depends on the stores alone: a resumed run gets the same ones to the bit.
    Build it under the trainer's precision (`precision_plugin.forward_context()`): they have the type that comes out.

    Args:
        backbone: A frozen backbone, which has no dropout and always gives the same vectors.
        stores: Token stores by split and task.
        tokens_per_batch: Tokens computed at once, at most.
        device: Where backbone and vectors are.
    """

    def __init__(
        self,
        backbone: Backbone,
        stores: Mapping[str, Mapping[str, TokenStore]],
        *,
        tokens_per_batch: int,
        device: torch.device,
    ) -> None:
        computed: dict[object, Tensor] = {}  # once for the tasks that have one file, which share it
        self._vectors: dict[tuple[str, str], Tensor] = {}
        for split, tasks in stores.items():
            for name, store in tasks.items():
                if store.task.swap or store.task.average_orders:
                    continue
                tokens = (store.path, name if backbone.task_layers is not None else "")
                if tokens not in computed:
                    computed[tokens] = _compute(backbone, name, store, tokens_per_batch, device)
                self._vectors[split, name] = computed[tokens]

    def has(self, task: str) -> bool:
        """Whether the vectors of a task are kept."""
        return any(name == task for _, name in self._vectors)

    def look_up(self, split: str, task: str, rows: Tensor) -> Tensor:
        """Return the vectors of some rows, (B, S, H)."""
        return self._vectors[split, task].index_select(0, rows)


@torch.no_grad()
def _compute(backbone: Backbone, name: str, store: TokenStore, tokens_per_batch: int, device: torch.device) -> Tensor:
    num_sequences = store.task.num_sequences
    vectors = torch.empty(0, num_sequences, backbone.hidden_size, device=device)
    for on_host in cut_store(name, store, tokens_per_batch):
        batch = move_data_to_device(on_host, device)
        pooled = backbone(batch.tokens, name).view(len(batch.rows), num_sequences, -1)  # (B, S, H)
        if not len(vectors):
            vectors = pooled.new_empty(len(store), *pooled.shape[1:])
        vectors[batch.rows] = pooled
    return vectors
