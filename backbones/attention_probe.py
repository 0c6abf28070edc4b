"""Which attention a device gets: tried on a small batch before a run relies on it."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from backbones.attention import Attention, build_attention
from backbones.attention_groups import QueryRows
from backbones.packing import PackedTokens, pack
from runtime.errors import reason_of

log = logging.getLogger(__name__)

AttentionChoice = Literal["auto", "grouped", "masked", "varlen"]
LENGTHS = (1, 17, 3, 40, 64, 1, 128, 9)
LARGEST_DIFFERENCE = {torch.float32: 1e-4, torch.bfloat16: 3e-2, torch.float16: 4e-3}
DROPOUT = 0.5
assert set(get_args(AttentionChoice)) == {"auto", *get_args(Attention)}


def choose_attention(
    choice: AttentionChoice,
    device: torch.device,
    *,
    heads: Sequence[tuple[int, int]],
    dtype: torch.dtype,
    reach: int | None = None,
    needs_static_shapes: bool = False,
) -> Attention:
    """Settle which attention a run uses, and log it if there was a choice.

    Args:
        choice: `auto` for `varlen` on a CUDA device where the probe passes. What else it gives, and what `varlen` falls
            back to where the probe fails, is `grouped`, or `masked` if shapes must be static.
        device: Where the backbone runs.
        heads: Number and size of the heads of every kind of attention there is: `Backbone.attention_heads`.
            `varlen` must pass for each.
        dtype: Of queries, keys and values.
        reach: How far local attention sees, if some layers have it.
        needs_static_shapes: Whether the encoder is compiled: the shapes of `grouped` change with every batch.
    """
    if choice == "grouped" and needs_static_shapes:
        log.warning("attention: masked, since the shapes of grouped attention change with every batch")
    plain: Attention = "masked" if needs_static_shapes else "grouped"
    if choice == "masked" or (choice == "auto" and device.type != "cuda"):
        return "masked" if choice == "masked" else plain
    if choice == "grouped":
        return plain
    found = (probe("varlen", device, num_heads=n, head_size=size, dtype=dtype, reach=reach) for n, size in heads)
    reason = next(filter(None, found), None)
    if reason is None:
        log.info("attention: varlen (equal to grouped on a probe, dropout applied)")
        return "varlen"
    log.warning("attention: %s instead of varlen: %s", plain, reason)
    return plain


def probe(
    kind: Attention,
    device: torch.device,
    *,
    num_heads: int,
    head_size: int,
    dtype: torch.dtype,
    reach: int | None = None,
) -> str | None:
    """Try an attention on a small batch.

    Args:
        kind: The attention to try.
        device: Where to try it.
        num_heads: Attention heads.
        head_size: H / heads.
        dtype: Of queries, keys and values.
        reach: Try it with keys up to this distance too.

    Returns:
        Why it cannot be used: it fails, differs from `grouped` in results or gradients, or leaves dropout out. None if
        it can. The random state is left as it was.
    """
    if dtype not in LARGEST_DIFFERENCE:
        return f"no kernel for {dtype}"
    if head_size % 8 or head_size > 256:
        return f"heads of size {head_size} (expected a multiple of 8, 256 at most)"
    devices = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=devices), torch.enable_grad(), torch.autocast(device.type, enabled=False):
            torch.manual_seed(0)
            shape = {"num_heads": num_heads, "hidden_size": num_heads * head_size}
            checks: list[Callable[..., str]] = [partial(_compare, reach=each) for each in dict.fromkeys((None, reach))]
            found = (check(kind, device, dtype=dtype, **shape) for check in [*checks, _check_dropout])
            return next(filter(None, found), None)
    except (RuntimeError, NotImplementedError, TypeError, AttributeError) as error:
        return reason_of(error)[:200]


def _compare(
    kind: Attention, device: torch.device, *, num_heads: int, hidden_size: int, dtype: torch.dtype, reach: int | None
) -> str:
    """Say where results or gradients without dropout differ from `grouped`; empty if nowhere."""
    tokens = _small_batch(np.array(LENGTHS), device)
    states = [torch.randn(tokens.input_ids.numel(), hidden_size, device=device, dtype=dtype) for _ in range(3)]
    for name, wanted in (("all tokens", None), ("first tokens", tokens.firsts)):
        found = _run(kind, tokens, wanted, states, num_heads, reach)
        expected = _run("grouped", tokens, wanted, states, num_heads, reach)
        for part, own, other in zip(("results", "dQ", "dK", "dV"), found, expected, strict=True):
            difference = float((own.float() - other.float()).abs().max() / other.float().abs().max())
            if not difference <= LARGEST_DIFFERENCE[dtype]:
                limit = LARGEST_DIFFERENCE[dtype]
                return f"{part} of {name} differ by {difference:.1e} (expected {limit:.0e} at most)"
    return ""


def _run(
    kind: Attention,
    tokens: PackedTokens,
    wanted: QueryRows | None,
    states: list[Tensor],
    num_heads: int,
    reach: int | None,
) -> list[Tensor]:
    leaves = [tensor.detach().requires_grad_() for tensor in states]
    query = leaves[0] if wanted is None else leaves[0].index_select(0, wanted.rows)
    attend = build_attention(kind, tokens, wanted)
    context = attend(query, leaves[1], leaves[2], num_heads=num_heads, dropout=0.0, reach=reach)
    torch.autograd.backward(
        context, torch.linspace(-1, 1, context.numel(), device=context.device).view_as(context).to(context.dtype)
    )
    return [context.detach(), *(leaf.grad for leaf in leaves if leaf.grad is not None)]


def _check_dropout(
    kind: Attention, device: torch.device, *, num_heads: int, hidden_size: int, dtype: torch.dtype
) -> str:
    """Say how results under dropout are wrong; empty if they are right.

    In a sequence of one token that attends to itself with weight 1, a dropped weight yields 0 and a kept one
    1 / (1 - p) times the value.
    """
    tokens = _small_batch(np.ones(256, dtype=np.int64), device)
    ones = torch.ones(256, hidden_size, device=device, dtype=dtype)
    attend = build_attention(kind, tokens)
    first, second = (attend(ones, ones, ones, num_heads=num_heads, dropout=DROPOUT).float() for _ in range(2))
    dropped = first == 0
    if not bool((dropped | ((first - 1 / (1 - DROPOUT)).abs() < 0.02)).all()):
        return "attention dropout gives other values than 0 and 1 / (1 - p)"
    share = float(dropped.float().mean())
    if not 0.3 < share < 0.7:
        return f"attention dropout of {DROPOUT} drops {share:.0%}"
    return "attention dropout repeats its masks" if torch.equal(first, second) else ""


def _small_batch(lengths: np.ndarray, device: torch.device) -> PackedTokens:
    size = int(lengths.sum())
    return pack(np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64), lengths).to(device)
