"""Whether every way to compute has the numbers of the padded Hugging Face model on this device."""

import traceback
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from backbones import Attention, Backbone, build_encoder, pack
from backbones.attention_probe import probe
from benchmarks.gpu.workload import Size
from runtime.errors import reason_of

LENGTHS = (5, 30, 64, 7, 22, 41, 1, 13)
LARGEST = {torch.float32: 1e-3, torch.bfloat16: 6e-2}


@dataclass(frozen=True, kw_only=True)
class Equality:
    """How far a way to compute is from the padded model.

    Args:
        name: Attention and precision.
        pooled: Largest difference of a pooled value, relative to the largest one.
        gradient: Largest difference of a gradient, relative to the largest one of all.
        limit: What both may be at most.
        reason: Why it does not run here; empty if it does.
        error: What it failed with although the probe let it pass; empty if it did not.
    """

    name: str
    pooled: float | None = None
    gradient: float | None = None
    limit: float
    reason: str = ""
    error: str = ""

    @property
    def holds(self) -> bool:
        """Whether it runs and is near enough, or says why it does not run."""
        if self.reason or self.pooled is None or self.gradient is None:
            return bool(self.reason)
        return self.pooled <= self.limit and self.gradient <= self.limit


def check_equality(size: Size, device: torch.device) -> list[Equality]:
    """Compare every attention in float32 and bfloat16, without dropout, forward and backward."""
    torch.manual_seed(0)
    bert = build_encoder({**size.config, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0})
    torch.nn.Module.to(bert, device)
    found = []
    for dtype, limit in LARGEST.items():
        expected = _run(bert, None, device, dtype)
        for kind in get_args(Attention):
            name = f"{kind} {'fp32' if dtype == torch.float32 else 'bf16'}"
            reason = probe(
                kind, device, num_heads=size.num_heads, head_size=size.hidden_size // size.num_heads, dtype=dtype
            )
            if reason is not None:
                found.append(Equality(name=name, limit=limit, reason=reason))
                continue
            try:
                pooled, gradient = _run(bert, kind, device, dtype)
            except RuntimeError as error:  # one way must not end the others, nor the measurements
                traceback.print_exc()
                found.append(Equality(name=name, limit=limit, error=reason_of(error)[:200]))
                continue
            found.append(
                Equality(
                    name=name,
                    limit=limit,
                    pooled=_difference(pooled, expected[0]),
                    gradient=_difference(gradient, expected[1]),
                )
            )
    return found


def _run(
    bert: PreTrainedModel, kind: Attention | None, device: torch.device, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Return the pooled vectors and all gradients in one piece; without a kind those of the padded model."""
    rng = np.random.default_rng(0)
    lengths = np.array(LENGTHS)
    ids = rng.integers(1000, 30000, lengths.sum())
    bert.zero_grad()
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
        if kind is None:
            rows = torch.split(torch.from_numpy(ids), lengths.tolist())
            padded = torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True).to(device)
            mask = (torch.arange(padded.shape[1])[None] < torch.from_numpy(lengths)[:, None]).long().to(device)
            pooled = bert(input_ids=padded, attention_mask=mask).pooler_output
        else:
            backbone = Backbone(bert)
            backbone.attention = kind
            pooled = backbone(pack(ids, np.zeros_like(ids), lengths).to(device))
    pooled = pooled.float()
    pooled.square().mean().backward()
    gradients = [parameter.grad.flatten().float() for parameter in bert.parameters() if parameter.grad is not None]
    return pooled.detach(), torch.cat(gradients)


def _difference(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())
