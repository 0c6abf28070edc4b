import logging
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backbones import Backbone, PackedTokens, StaticShape, pack
from backbones.compilation import compile_or_fall_back
from tests.backbones.tiny import MAX_LENGTH, Sequences, assert_same, draw, loss_and_gradients, tiny_bert

SHAPE = StaticShape(round_tokens=32, num_sequences=4, max_length=MAX_LENGTH)


def fill_up(sequences: Sequences, shape: StaticShape = SHAPE, **options: Any) -> PackedTokens:
    lengths = np.array([len(ids) for ids in sequences.ids])
    return pack(np.concatenate(sequences.ids), np.concatenate(sequences.types), lengths, shape=shape, **options)


def test_worked_example_of_a_filled_batch() -> None:
    tokens = pack(np.array([7, 8, 9]), np.array([0, 1, 0]), np.array([2, 1]), shape=StaticShape(8, 3, 5), num_groups=1)

    assert tokens.input_ids.tolist() == [7, 8, 9, 0, 0, 0, 0, 0]  # one missing sequence, two more since 8 / (5 - 1) = 2
    assert tokens.cu_seqlens.tolist() == [0, 2, 3, 5, 7, 8]
    assert tokens.position_ids.tolist() == [0, 1, 0, 0, 1, 0, 1, 0]
    assert tokens.token_type_ids.tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
    assert (tokens.num_sequences, tokens.max_length, tokens.is_static) == (2, 5, True)


@given(
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=6),
    round_tokens=st.integers(1, 70),
    extra=st.integers(0, 3),
)
def test_filled_batches_are_static_and_no_filling_sequence_is_empty_or_too_long(
    lengths: list[int], round_tokens: int, extra: int
) -> None:
    shape = StaticShape(round_tokens, len(lengths) + extra, max_length=20)
    filled = shape.fill(np.array(lengths))

    assert (sum(lengths) + filled.sum()) % round_tokens == 0
    assert len(lengths) + filled.size == shape.num_sequences + -(-round_tokens // 19)  # the same for every batch
    assert filled.min() >= 1
    assert filled.max() <= 20


@pytest.mark.parametrize(
    ("lengths", "message"),
    [([1] * 5, r"5 sequences of 1 tokens at most \(expected 4 of 40"), ([41], r"1 sequences of 41 tokens")],
)
def test_a_batch_that_does_not_fit_its_shape_is_refused(lengths: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SHAPE.fill(np.array(lengths))


@pytest.mark.parametrize("attention", ["grouped", "masked"])
@pytest.mark.parametrize("lengths", [[5, 30, 2, 8], [40], [1, 1]])
def test_filling_up_changes_neither_results_nor_gradients(attention: Any, lengths: list[int]) -> None:
    bert, sequences = tiny_bert(), draw(lengths)
    backbone = Backbone(bert)
    backbone.attention = attention

    expected = backbone(sequences.pack())
    expected_loss, expected_gradients = loss_and_gradients(bert, expected)
    pooled = backbone(fill_up(sequences))
    loss, gradients = loss_and_gradients(bert, pooled)

    assert pooled.shape == expected.shape
    assert_same(pooled, expected)
    assert_same(loss, expected_loss)
    assert_same(gradients, expected_gradients)


def test_where_the_compiler_fails_the_encoder_runs_as_it_is_and_says_so_once(caplog: Any, monkeypatch: Any) -> None:
    def broken_compile(encoder: Any, **options: Any) -> Any:
        def fail(tokens: PackedTokens) -> torch.Tensor:
            raise torch._dynamo.exc.TorchDynamoException("no compiler here\nmore lines")

        return fail

    monkeypatch.setattr(torch, "compile", broken_compile)
    encoder = compile_or_fall_back(lambda tokens: tokens.input_ids, "default")
    tokens = fill_up(draw([3]))

    with caplog.at_level(logging.WARNING):
        assert encoder(tokens) is encoder(tokens) is tokens.input_ids
    assert [record.message for record in caplog.records] == ["the encoder is not compiled: TorchDynamoException: no compiler here"]


@pytest.mark.slow
def test_compiled_training_steps_equal_the_others_and_each_shape_is_compiled_once() -> None:
    torch._dynamo.reset()
    counters = torch._dynamo.utils.counters
    counters.clear()
    bert = tiny_bert()
    backbone = Backbone(bert)
    backbone.attention = "masked"
    names = list(backbone.state_dict())
    backbone.compile_training("default")

    for lengths in ([5, 30, 2, 8], [12, 9, 3, 20], [40, 1], [33]):  # T = 64, 64, 64, 64: N and T are the same
        sequences = draw(lengths)
        expected_loss, expected = loss_and_gradients(bert, Backbone(bert)(sequences.pack()))
        loss, gradients = loss_and_gradients(bert, backbone(fill_up(sequences)))
        assert_same(loss, expected_loss)
        assert_same(gradients, expected)

    assert counters["stats"]["unique_graphs"] == 1
    backbone(fill_up(draw([40, 40])))  # T = 96
    assert counters["stats"]["unique_graphs"] == 2
    backbone.eval()(fill_up(draw([3])))  # evaluation is not compiled, nor is a batch without a static shape
    backbone.train()(draw([3]).pack())
    assert counters["stats"]["unique_graphs"] == 2
    assert list(backbone.state_dict()) == names


@pytest.mark.slow
def test_reduce_overhead_gives_the_same_numbers() -> None:
    """On a CPU there are no graphs to capture; the calls around them are made."""
    torch._dynamo.reset()
    bert, sequences = tiny_bert(num_layers=1), draw([5, 30, 2, 8])
    backbone = Backbone(bert)
    backbone.attention = "masked"
    backbone.compile_training("reduce-overhead")

    _, expected = loss_and_gradients(bert, Backbone(bert)(sequences.pack()))
    _, gradients = loss_and_gradients(bert, backbone(fill_up(sequences)))

    assert_same(gradients, expected)
