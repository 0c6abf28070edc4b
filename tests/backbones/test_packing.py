import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from backbones import PackedTokens, pack
from backbones.attention_groups import group_by_length, plan_queries

lengths_of_batch = st.lists(st.integers(1, 12), min_size=1, max_size=12).map(np.array)


def pack_lengths(lengths: NDArray[np.int64], num_groups: int = 4) -> PackedTokens:
    total = int(lengths.sum())
    return pack(np.arange(total), np.zeros(total, dtype=np.int64), lengths, num_groups=num_groups)


def test_worked_example_of_three_sequences_in_two_groups() -> None:
    tokens = pack(np.array([7, 8, 9, 5, 3, 4]), np.array([0, 0, 1, 0, 0, 0]), np.array([3, 1, 2]), num_groups=2)

    assert tokens.input_ids.tolist() == [7, 8, 9, 5, 3, 4]
    assert tokens.token_type_ids.tolist() == [0, 0, 1, 0, 0, 0]
    assert tokens.position_ids.tolist() == [0, 1, 2, 0, 0, 1]
    assert tokens.cu_seqlens.tolist() == [0, 3, 4, 6]
    assert tokens.sequence_ids.tolist() == [0, 0, 0, 1, 2, 2]
    short, long = tokens.groups  # the sequences of 1 and 2 tokens, then the one of 3
    assert short.keys.tolist() == [[3, 3], [4, 5]]
    assert short.mask is not None
    assert short.mask.tolist() == [[[[True, False]]], [[[True, True]]]]
    assert long.keys.tolist() == [[0, 1, 2]]
    assert long.mask is None
    assert tokens.slots.tolist() == [4, 5, 6, 0, 2, 3]  # the second of the seven results is padding
    assert tokens.firsts.rows.tolist() == [0, 3, 4]
    assert [queries.tolist() for queries in tokens.firsts.groups] == [[[1], [2]], [[0]]]
    assert tokens.firsts.slots.tolist() == [2, 0, 1]


def test_worked_example_of_wanted_rows_with_none_in_the_last_sequence() -> None:
    groups = [np.array([1, 2]), np.array([0])]
    wanted = plan_queries(np.array([0, 2, 3]), np.array([2, 1, 0]), groups)

    assert wanted.rows.tolist() == [0, 2, 3]
    assert [queries.tolist() for queries in wanted.groups] == [[[2], [2]], [[0, 1]]]
    assert wanted.slots.tolist() == [2, 3, 0]


def test_sequences_of_similar_length_share_a_group() -> None:
    groups = group_by_length(np.array([9, 2, 8, 3, 2]), 2)

    assert [group.tolist() for group in groups] == [[1, 4, 3], [2, 0]]


def test_there_are_no_more_groups_than_sequences() -> None:
    assert [len(group.keys) for group in pack_lengths(np.array([4, 2]), num_groups=8).groups] == [1, 1]


@pytest.mark.parametrize("num_groups", [1, 2, 4, 8])
@given(lengths=lengths_of_batch)
def test_every_token_attends_to_exactly_its_own_sequence(num_groups: int, lengths: NDArray[np.int64]) -> None:
    tokens = pack_lengths(lengths, num_groups)
    expected = {number: np.flatnonzero(tokens.sequence_ids == number).tolist() for number in range(len(lengths))}

    found = {}
    for keys, mask, queries in tokens.groups:
        assert torch.equal(keys, queries)
        real = torch.ones_like(keys, dtype=torch.bool) if mask is None else mask[:, 0, 0]
        for row, is_real in zip(keys, real, strict=True):
            number = int(tokens.sequence_ids[row[0]])
            assert number not in found
            assert (tokens.sequence_ids[row] == number).all()  # also the repeated ones
            found[number] = row[is_real].tolist()
    assert found == expected


@given(lengths=lengths_of_batch, num_groups=st.integers(1, 9))
def test_slots_bring_each_result_back_to_its_token(lengths: NDArray[np.int64], num_groups: int) -> None:
    tokens = pack_lengths(lengths, num_groups)
    results = torch.cat([group.queries.flatten() for group in tokens.groups])

    assert results[tokens.slots].tolist() == list(range(int(lengths.sum())))
    firsts = torch.cat([queries.flatten() for queries in tokens.firsts.groups])
    assert firsts[tokens.firsts.slots].tolist() == list(range(len(lengths)))
    assert tokens.firsts.rows.tolist() == tokens.cu_seqlens[:-1].tolist()


@given(data=st.data(), lengths=lengths_of_batch, num_groups=st.integers(1, 5))
def test_wanted_rows_ask_within_their_own_sequence(
    data: st.DataObject, lengths: NDArray[np.int64], num_groups: int
) -> None:
    total = int(lengths.sum())
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, total - 1)))), dtype=np.int64)
    sequence_ids = np.repeat(np.arange(len(lengths)), lengths)
    counts = np.bincount(sequence_ids[rows], minlength=len(lengths))
    groups = group_by_length(lengths, num_groups)

    wanted = plan_queries(rows, counts, groups)

    results = torch.cat([queries.flatten() for queries in wanted.groups])
    assert results[wanted.slots].tolist() == list(range(len(rows)))
    for group, queries in zip(groups, wanted.groups, strict=True):
        assert queries.numel() == 0 or int(queries.max()) < len(rows)
        for number, asking in zip(group, queries, strict=True):
            if counts[number]:
                assert set(sequence_ids[rows[asking.numpy()]]) == {number}


def test_the_tensors_are_int64_and_masks_bool() -> None:
    tokens = pack(
        np.array([5, 6, 7], dtype=np.int32), np.zeros(3, dtype=np.int32), np.array([1, 2], dtype=np.int32), num_groups=1
    )

    for name in ("input_ids", "token_type_ids", "position_ids", "cu_seqlens", "sequence_ids", "slots"):
        assert getattr(tokens, name).dtype == torch.int64, name
    assert tokens.groups[0].keys.dtype == torch.int64
    assert tokens.groups[0].mask is not None
    assert tokens.groups[0].mask.dtype == torch.bool


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([2, 2], r"lengths sum to 4 \(expected 3 tokens, each length at least 1\)"),
        ([3, 0], r"lengths sum to 3 \(expected 3 tokens, each length at least 1\)"),
        ([], r"lengths sum to 0 \(expected 3 tokens"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(lengths: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack(np.array([1, 2, 3]), np.array([0, 0, 0]), np.array(lengths, dtype=np.int64))


def test_segment_ids_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"2 segment ids \(expected one for each of 3 tokens\)"):
        pack(np.array([1, 2, 3]), np.array([0, 0]), np.array([3]))


def test_wanted_rows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"counts sum to 1 \(expected 2 wanted rows\)"):
        plan_queries(np.array([1, 2]), np.array([1, 0]), [np.array([0, 1])])
