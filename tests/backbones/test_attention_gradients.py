"""Attention forward and backward by hand, against autograd through the plain steps."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from backbones import PackedTokens, pack
from backbones.attention import GroupedAttention, attend_padded
from backbones.attention_groups import QueryRows, group_by_length, plan_queries

HEADS, SIZE, DROPOUT = 2, 16, 0.3
LENGTHS = np.array([5, 9, 3, 7, 7, 1, 12, 4, 6, 2])
Attending = Callable[[Tensor, Tensor, Tensor], Tensor]


@pytest.fixture
def tokens() -> PackedTokens:
    ids = np.ones(LENGTHS.sum(), dtype=np.int64)
    return pack(ids, np.zeros_like(ids), LENGTHS)


def some_rows(tokens: PackedTokens) -> QueryRows:
    """Up to three tokens of each sequence, of some none."""
    counts = np.array([1, 3, 0, 2, 0, 1, 3, 1, 0, 2])
    starts = tokens.cu_seqlens.numpy()[:-1]
    rows = np.concatenate([start + np.arange(count) for start, count in zip(starts, counts, strict=True)])
    return plan_queries(rows, counts, group_by_length(LENGTHS, 4))


def by_autograd(tokens: PackedTokens, wanted: QueryRows | None) -> Attending:
    """Attend group by group in plain steps."""

    def split(states: Tensor) -> Tensor:
        return states.view(*states.shape[:2], HEADS, -1).transpose(1, 2)

    def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        asking = [group.queries for group in tokens.groups] if wanted is None else wanted.groups
        parts = [
            attend_padded(
                *(split(states[grid]) for states, grid in ((query, rows), (key, group.keys), (value, group.keys))),
                mask=group.mask,
                dropout=DROPOUT,
            )
            for group, rows in zip(tokens.groups, asking, strict=True)
        ]
        joined = torch.cat([part.transpose(1, 2).reshape(-1, SIZE) for part in parts])
        return joined[tokens.slots if wanted is None else wanted.slots]

    return attend


def run(attend: Attending, inputs: list[Tensor]) -> list[Tensor]:
    """Return the result and the gradients of the three inputs, under one seed."""
    leaves = [states.clone().requires_grad_() for states in inputs]
    torch.manual_seed(3)
    result = attend(*leaves)
    result.backward(torch.linspace(-1, 1, result.numel(), dtype=result.dtype).view_as(result))
    return [result.detach(), *(leaf.grad for leaf in leaves if leaf.grad is not None)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("asks", ["all", "firsts", "some"])
def test_results_and_gradients_are_those_of_autograd_to_the_bit(
    tokens: PackedTokens, dtype: torch.dtype, asks: str
) -> None:
    wanted = {"all": None, "firsts": tokens.firsts, "some": some_rows(tokens)}[asks]
    torch.manual_seed(0)
    rows = len(tokens.input_ids) if wanted is None else len(wanted.rows)
    inputs = [torch.randn(count, SIZE).to(dtype) for count in (rows, *[len(tokens.input_ids)] * 2)]
    attention = GroupedAttention(tokens, wanted)

    found = run(lambda q, k, v: attention(q, k, v, num_heads=HEADS, dropout=DROPOUT), inputs)
    expected = run(by_autograd(tokens, wanted), inputs)

    assert len(found) == 4
    for own, theirs in zip(found, expected, strict=True):
        assert own.dtype == dtype
        assert own.abs().max() > 0
        assert torch.equal(own, theirs)


def test_only_keys_in_reach_answer_and_get_a_gradient(tokens: PackedTokens) -> None:
    """The first token of a sequence reaches the second, not the third."""
    torch.manual_seed(0)
    query, key, value = (torch.randn(len(tokens.input_ids), SIZE, requires_grad=True) for _ in range(3))
    result = GroupedAttention(tokens)(query, key, value, num_heads=HEADS, dropout=1e-4, reach=1)
    result[0].sum().backward()
    for states in (key, value):
        assert states.grad is not None
        assert states.grad[:2].abs().min() > 0
        assert not states.grad[2:].any()


def test_a_second_derivative_is_refused(tokens: PackedTokens) -> None:
    states = torch.randn(len(tokens.input_ids), SIZE, requires_grad=True)
    result = GroupedAttention(tokens)(states, states, states, num_heads=HEADS, dropout=DROPOUT)
    (gradient,) = torch.autograd.grad(result.square().sum(), states, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()
