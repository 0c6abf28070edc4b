"""The trained backbone and heads, without what only training needs."""

from collections.abc import Mapping

from torch import Tensor, nn

from backbones import Backbone, PackedTokens
from heads import Head, Trunk


class TrainedModel(nn.Module):
    """A backbone, a head for each task, and the trunk between them where there is one.

    Its weights have the names that they have in a checkpoint.

    Args:
        backbone: The backbone.
        heads: The heads by task.
        trunk: What every head reads beside the pooled vector; None for nothing.
    """

    def __init__(self, backbone: Backbone, heads: Mapping[str, Head], trunk: Trunk | None) -> None:
        super().__init__()
        self.backbone = backbone
        self.heads = nn.ModuleDict(heads)
        self.trunk = trunk

    def head(self, task: str) -> Head:
        """Head of a task."""
        head = self.heads[task]
        assert isinstance(head, Head)
        return head

    def pool(self, tokens: PackedTokens, task: str | None = None) -> Tensor:
        """Return what the heads read of each sequence, (N, H), or (N, H + P) with a trunk.

        Args:
            tokens: The packed sequences.
            task: Name of the task; needed where an adapter has weights of each task.
        """
        pooled: Tensor = self.backbone(tokens, task)
        return pooled if self.trunk is None else self.trunk(pooled)

    def output(self, pooled: Tensor, task: str, *, orders: int = 1) -> Tensor:
        """Return the output of a task's head, (B, ...).

        Args:
            pooled: What `pool` gave for orders * B examples, (orders * B * S, H).
            task: Name of the task.
            orders: How often each example is there: 2 for the average over both orders of a pair.
        """
        head = self.head(task)
        output: Tensor = head(pooled.view(-1, head.num_sequences, pooled.shape[-1]))
        return output if orders == 1 else head.average(output.view(orders, -1, *output.shape[1:]))
