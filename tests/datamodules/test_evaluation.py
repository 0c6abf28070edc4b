from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertTokenizer

from datamodules import TokenStore
from datamodules.encoding import open_split
from datamodules.evaluation import EvaluationSampler, cut_by_tokens
from tasks import Quora, Sst, Sts


@pytest.fixture(scope="module")
def stores(
    cs224n_root: Path, tmp_path_factory: pytest.TempPathFactory, tokenizer: BertTokenizer
) -> dict[str, TokenStore]:
    """The dev splits of three tasks, twelve rows each."""
    cache = tmp_path_factory.mktemp("cache")
    return {
        name: open_split(
            task,
            "dev",
            root=cs224n_root,
            tokenizer=tokenizer,
            max_length=64,
            cache_dir=cache,
            report=lambda message: None,
        )
        for name, task in {"sst": Sst(), "quora": Quora(), "sts": Sts(encoding="bi")}.items()
    }


def test_rows_are_cut_where_the_next_one_would_be_too_much() -> None:
    batches = cut_by_tokens(np.array([4, 1, 3, 2, 5]), 6)

    assert [rows.tolist() for rows in batches] == [[1, 3, 2], [0], [4]]


def test_a_row_longer_than_the_budget_stands_alone() -> None:
    assert [rows.tolist() for rows in cut_by_tokens(np.array([9, 1, 8]), 4)] == [[1], [2], [0]]


def test_no_rows_make_no_batches() -> None:
    assert cut_by_tokens(np.array([], dtype=np.int64), 10) == []


@given(
    lengths=st.lists(st.integers(1, 40), max_size=40).map(lambda rows: np.array(rows, dtype=np.int64)),
    budget=st.integers(1, 60),
)
def test_batches_hold_every_row_once_within_the_budget_and_sorted(lengths: np.ndarray, budget: int) -> None:
    batches = cut_by_tokens(lengths, budget)

    order = [int(row) for rows in batches for row in rows]
    assert sorted(order) == list(range(len(lengths)))
    assert (np.diff(lengths[order]) >= 0).all()
    assert all(len(rows) == 1 or lengths[rows].sum() <= budget for rows in batches)
    for rows, following in pairwise(batches):
        assert lengths[rows].sum() + lengths[following[0]] > budget  # no batch ends too early


@pytest.mark.parametrize("world_size", [1, 2, 3])
@pytest.mark.parametrize("tokens_per_batch", [1, 60, 10_000])
def test_the_ranks_together_see_every_row_exactly_once(
    stores: dict[str, TokenStore], world_size: int, tokens_per_batch: int
) -> None:
    samplers = [
        EvaluationSampler(stores, tokens_per_batch=tokens_per_batch, rank=rank, world_size=world_size)
        for rank in range(world_size)
    ]
    seen = Counter((batch.stream, int(row)) for sampler in samplers for batch in sampler for row in batch.rows)

    assert seen == Counter({(task, row): 1 for task in stores for row in range(12)})
    sizes = [len(sampler) for sampler in samplers]
    assert sizes == [len(list(sampler)) for sampler in samplers]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("world_size", [2, 5, 7])
@pytest.mark.parametrize("num_rows", [1, 2, 5, 9])
def test_every_rank_has_a_batch_though_there_are_fewer_batches_or_rows_than_ranks(
    num_rows: int, world_size: int
) -> None:
    class Rows:
        lengths = np.arange(1, num_rows + 1)

    ranks = [
        list(EvaluationSampler({"own": Rows()}, tokens_per_batch=10_000, rank=rank, world_size=world_size))
        for rank in range(world_size)
    ]

    assert {len(batches) for batches in ranks} == {1}
    counted = [row for (batch,) in ranks if batch.weight for row in batch.rows.tolist()]
    assert sorted(counted) == list(range(num_rows))
    idle = [batch for (batch,) in ranks if not batch.weight]
    assert len(idle) == max(0, world_size - num_rows)
    assert all(batch.rows.tolist() == [0] for batch in idle)


def test_the_largest_batches_are_split_for_more_ranks() -> None:
    class Rows:
        lengths = np.array([1, 1, 1, 1, 9])

    ranks = [
        [batch.rows.tolist() for batch in EvaluationSampler({"a": Rows()}, tokens_per_batch=9, rank=rank, world_size=4)]
        for rank in range(4)
    ]

    assert sorted(rows for batches in ranks for rows in batches) == [[0], [1], [2, 3], [4]]


def test_batches_keep_to_the_token_budget_and_count_fully(stores: dict[str, TokenStore]) -> None:
    batches = list(EvaluationSampler(stores, tokens_per_batch=60))

    assert len(batches) > 6
    for batch in batches:
        assert len(batch.rows) == 1 or stores[batch.stream].lengths[batch.rows].sum() <= 60
        assert batch.weight == 1.0


def test_the_order_repeats(stores: dict[str, TokenStore]) -> None:
    sampler = EvaluationSampler(stores, tokens_per_batch=60)
    again = EvaluationSampler(stores, tokens_per_batch=60)

    plain = [(batch.stream, batch.rows.tolist()) for batch in sampler]
    assert plain == [(batch.stream, batch.rows.tolist()) for batch in sampler]
    assert plain == [(batch.stream, batch.rows.tolist()) for batch in again]


def test_the_first_batches_are_one_of_each_task(stores: dict[str, TokenStore]) -> None:
    assert [batch.stream for batch in EvaluationSampler(stores, tokens_per_batch=60)][:3] == ["sst", "quora", "sts"]
