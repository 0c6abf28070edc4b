"""Layers between the backbone and all heads, trained by every task."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class TrunkSettings:
    """The shape of a Trunk.

    Args:
        size: Size of the shared vector (U).
        dropout: Probability that an entry is dropped, of the pooled vector and again inside.

    Raises:
        ValueError: If a value is out of range.
    """

    size: int = 128
    dropout: float = 0.3

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"trunk.size is {self.size} (expected 1 or more)")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"trunk.dropout is {self.dropout} (expected 0 to less than 1)")


class Trunk(nn.Module):
    """Computes a shared vector beside each pooled one: Linear(H, U), ReLU, dropout, Linear(U, U).

    Every head then reads both, end to end, H + U entries, whatever it makes of them: LinearHead weighs all of them,
    the heads in `heads.trunk_heads` treat the two parts apart. So a part of the heads learns from every task, which
    helps the small ones, while the backbone's own vector stays as it is.

    Args:
        hidden_size: Size of a pooled vector (H).
        settings: Its shape.

    Source: Venkateswaran 2024, figure 1 ("shared architecture", both layers of size 128).
    """

    def __init__(self, hidden_size: int, settings: TrunkSettings) -> None:
        super().__init__()
        self.size = settings.size
        self.layers = nn.Sequential(
            nn.Dropout(settings.dropout),
            nn.Linear(hidden_size, settings.size),
            nn.ReLU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.size, settings.size),
        )

    def forward(self, pooled: Tensor) -> Tensor:
        """Return each pooled vector with its shared one behind it, (B, S, H) to (B, S, H + U)."""
        return torch.cat([pooled, self.layers(pooled)], dim=-1)  # (B, S, H + U)
