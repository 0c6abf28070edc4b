"""Local attention: keys up to a distance, in the ways that a CPU can compute."""

import numpy as np
import pytest
import torch
from torch import Tensor

from backbones.attention import build_attention
from backbones.attention_groups import QueryRows, group_by_cost, group_by_length, plan_keys, plan_queries
from backbones.packing import PackedTokens, pack

LENGTHS = np.array([9, 1, 5, 12, 3, 9, 7])


def draw() -> tuple[PackedTokens, list[Tensor]]:
    size = int(LENGTHS.sum())
    generator = torch.Generator().manual_seed(0)
    states = [torch.randn(size, 8, generator=generator).requires_grad_() for _ in range(3)]
    return pack(np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64), LENGTHS), states


def by_hand(tokens: PackedTokens, wanted: QueryRows | None, states: list[Tensor], reach: int) -> Tensor:
    """Attend with one head over all tokens, where sequence and distance allow it."""
    query, key, value = states
    places = torch.stack([tokens.sequence_ids * 1000, tokens.position_ids]).sum(0)  # far apart in other sequences
    scores = (query @ key.T * 8**-0.5).masked_fill((places[:, None] - places[None, :]).abs() > reach, -torch.inf)
    context = scores.softmax(-1) @ value
    return context if wanted is None else context[wanted.rows]


@pytest.mark.parametrize("kind", ["grouped", "masked"])
@pytest.mark.parametrize("asking", ["all", "firsts"])
@pytest.mark.parametrize("reach", [0, 2, 11, 50])
def test_keys_out_of_reach_do_not_count(kind, asking, reach):
    tokens, states = draw()
    wanted = None if asking == "all" else tokens.firsts
    query = states[0] if wanted is None else states[0].index_select(0, wanted.rows)

    found = build_attention(kind, tokens, wanted)(query, *states[1:], num_heads=1, dropout=0.0, reach=reach)
    gradients = torch.autograd.grad(found.square().sum(), states)
    expected = by_hand(tokens, wanted, states, reach)
    expected_gradients = torch.autograd.grad(expected.square().sum(), states)

    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    for gradient, other in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dropout", [0.0, 1e-4])
def test_a_sequence_without_wanted_rows_gets_gradients_that_are_numbers(dropout):
    """It asks with a row of another sequence, none of whose keys is in reach there, and the result is left out."""
    lengths, generator = np.array([30, 8]), torch.Generator().manual_seed(0)
    ids = np.zeros(38, dtype=np.int64)
    tokens = pack(ids, ids, lengths, num_groups=1)
    wanted = plan_queries(np.array([28, 29]), np.array([2, 0]), group_by_length(lengths, 1))
    query, key, value = (torch.randn(size, 8, generator=generator).requires_grad_() for size in (2, 38, 38))

    found = build_attention("grouped", tokens, wanted)(query, key, value, num_heads=1, dropout=dropout, reach=4)
    gradients = torch.autograd.grad(found.square().sum(), (query, key, value))

    assert found.isfinite().all()
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert all(not gradient[30:].any() for gradient in gradients[1:])


def test_layers_with_another_reach_share_an_attention():
    tokens, states = draw()
    attend = build_attention("grouped", tokens)
    for reach in (None, 2, None, 3, 2):
        found = attend(*states, num_heads=1, dropout=0.0, reach=reach)
        torch.testing.assert_close(found, by_hand(tokens, None, states, 500 if reach is None else reach))


@pytest.mark.parametrize("cost", [0, 5, 10_000])
def test_groups_by_cost_hold_every_sequence_and_cost_no_more_than_others(cost):
    groups = group_by_cost(LENGTHS, cost_of_group=cost)

    def price(parts: list[np.ndarray]) -> int:
        return sum(len(part) * int(LENGTHS[part].max()) + cost for part in parts)

    assert sorted(np.concatenate(groups)) == list(range(len(LENGTHS)))
    order = np.argsort(LENGTHS)
    assert all(price(groups) <= price(np.array_split(order, count)) for count in range(1, len(LENGTHS) + 1))
    assert len(groups) == {0: 6, 5: len(groups), 10_000: 1}[cost]  # equal lengths stay together
    starts = np.concatenate([[0], np.cumsum(LENGTHS)])
    planned, slots = plan_keys(starts, groups)
    rows = torch.cat([group.keys.flatten() for group in planned])
    assert rows[slots].tolist() == list(range(int(LENGTHS.sum())))
