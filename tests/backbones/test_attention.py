"""Masked attention against the padded model; the CUDA kernels by their signatures only, since no GPU is here."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from backbones import Attention, Backbone, Pals, build_encoder, choose_attention, pack
from backbones.attention import MaskedAttention, VarlenAttention, build_attention
from backbones.attention_groups import group_by_length, plan_queries
from backbones.attention_probe import probe
from tests.backbones.tiny import (
    BATCHES,
    POOLINGS,
    Pooling,
    assert_same,
    draw,
    loss_and_gradients,
    padded_pooled,
    tiny_bert,
)

CPU = torch.device("cpu")
SHAPE: dict[str, Any] = {"num_heads": 2, "head_size": 8, "dtype": torch.float32}


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("lengths", BATCHES.values(), ids=BATCHES.keys())
def test_masked_attention_equals_the_padded_model_forward_and_backward(lengths: list[int], pooling: Pooling) -> None:
    bert, sequences = tiny_bert(), draw(lengths)
    backbone = Backbone(bert, pooling=pooling)
    backbone.attention = "masked"

    expected_loss, expected = loss_and_gradients(bert, padded_pooled(bert, sequences, pooling))
    loss, gradients = loss_and_gradients(bert, backbone(sequences.pack().without_groups()))

    assert_same(loss, expected_loss)
    assert_same(gradients, expected)


@pytest.mark.parametrize("kind", ["masked", "varlen"])
def test_a_batch_without_wanted_rows_gives_a_gradient_for_every_parameter(kind: Attention) -> None:
    bert, lengths = tiny_bert(num_layers=1), [6, 4, 9]
    wanted = plan_queries(
        np.zeros(0, dtype=np.int64), np.zeros(3, dtype=np.int64), group_by_length(np.array(lengths), 2)
    )
    backbone = Backbone(bert)
    backbone.attention = kind

    backbone.encode(draw(lengths).pack(), wanted).sum().backward()

    used = [weight for name, weight in bert.named_parameters() if not name.startswith("pooler.")]
    assert len(used) == 21
    assert all(weight.grad is not None and not weight.grad.any() for weight in used)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_varlen_attention_fits_the_operators_signatures_forward_and_backward(dtype: torch.dtype) -> None:
    """On meta tensors: schemas, shapes and the derivative are PyTorch's own, the kernels do not run."""
    tokens = pack(np.ones(12, dtype=np.int64), np.zeros(12, dtype=np.int64), np.array([3, 4, 5])).to(
        torch.device("meta")
    )
    for wanted, rows in ((None, 12), (tokens.firsts, 3)):
        query, key, value = (
            torch.empty(size, 16, device="meta", dtype=dtype, requires_grad=True) for size in (rows, 12, 12)
        )
        context = build_attention("varlen", tokens, wanted)(query, key, value, num_heads=2, dropout=0.1)
        assert context.shape == (rows, 16)
        assert context.dtype == dtype
        context.sum().backward()
        assert [tensor.grad.shape for tensor in (query, key, value)] == [(rows, 16), (12, 16), (12, 16)]


def test_varlen_attention_hands_dropout_starts_and_longest_lengths_to_the_kernel(monkeypatch: Any) -> None:
    calls = []

    def record(*arguments: Any) -> tuple[Tensor]:
        calls.append(arguments)
        return (arguments[0],)

    monkeypatch.setattr(torch.ops.aten, "_flash_attention_forward", record)
    tokens = draw([3, 1, 5]).pack()
    states = torch.zeros(9, 16, dtype=torch.bfloat16)
    VarlenAttention(tokens, tokens.firsts)(states[:3], states, states, num_heads=2, dropout=0.25)

    query, key, _, query_starts, key_starts, most_queries, longest, dropout, causal, debug = calls[0]
    assert query.shape == (3, 2, 8)
    assert key.shape == (9, 2, 8)
    assert (query_starts.tolist(), key_starts.tolist()) == ([0, 1, 2, 3], [0, 3, 4, 9])
    assert query_starts.dtype == key_starts.dtype == torch.int32
    assert (most_queries, longest, dropout, causal, debug) == (1, 5, 0.25, False, False)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", ["grouped", "masked"])
def test_the_probe_passes_what_is_right_and_leaves_the_random_state(kind: Attention, dtype: torch.dtype) -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()

    assert probe(kind, CPU, num_heads=2, head_size=8, dtype=dtype) is None
    assert torch.equal(torch.get_rng_state(), state)


def without_dropout(attend: Any, *states: Tensor, num_heads: int, dropout: float) -> Tensor:
    return attend(*states, num_heads=num_heads, dropout=0.0)


def with_other_numbers(attend: Any, *states: Tensor, num_heads: int, dropout: float) -> Tensor:
    return attend(*states, num_heads=num_heads, dropout=dropout) * 1.01


def with_same_masks(attend: Any, *states: Tensor, num_heads: int, dropout: float) -> Tensor:
    torch.manual_seed(1)
    return attend(*states, num_heads=num_heads, dropout=dropout)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (without_dropout, "attention dropout gives other values than 0 and 1 / (1 - p)"),
        (with_other_numbers, "results of all tokens differ by 1.0e-02 (expected 1e-04 at most)"),
        (with_same_masks, "attention dropout repeats its masks"),
    ],
)
def test_the_probe_names_what_is_wrong(fault: Any, message: str, monkeypatch: Any) -> None:
    class Faulty(VarlenAttention):
        def __init__(self, *batch: Any) -> None:
            self.attend = build_attention("masked", *batch)

        def __call__(self, *states: Tensor, num_heads: int, dropout: float, reach: int | None = None) -> Tensor:
            assert reach is None
            return fault(self.attend, *states, num_heads=num_heads, dropout=dropout)

    monkeypatch.setattr("backbones.attention.VarlenAttention", Faulty)
    assert probe("varlen", CPU, **SHAPE) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "NotImplementedError: Could not run 'aten::_efficient_attention_forward'"),
        ({"head_size": 12}, "heads of size 12 (expected a multiple of 8, 256 at most)"),
        ({"dtype": torch.float64}, "no kernel for torch.float64"),
    ],
)
def test_the_probe_says_why_varlen_cannot_run(changes: dict[str, Any], message: str) -> None:
    reason = probe("varlen", CPU, **{**SHAPE, **changes})
    assert reason is not None
    assert reason.startswith(message)


@pytest.mark.parametrize(
    ("choice", "static", "expected", "logged"),
    [
        ("auto", False, "grouped", ""),
        ("grouped", False, "grouped", ""),
        ("masked", False, "masked", ""),
        ("auto", True, "masked", ""),
        ("grouped", True, "masked", "attention: masked, since the shapes of grouped attention change with every batch"),
        ("varlen", False, "grouped", "attention: grouped instead of varlen: NotImplementedError"),
        ("varlen", True, "masked", "attention: masked instead of varlen: NotImplementedError"),
    ],
)
def test_the_choice_on_a_cpu(choice: Any, static: bool, expected: str, logged: str, caplog: Any) -> None:
    assert choose_attention(choice, CPU, heads=[(2, 8)], dtype=torch.float32, needs_static_shapes=static) == expected
    assert len(caplog.records) == bool(logged)
    assert caplog.text == "" or logged in caplog.text


@pytest.mark.parametrize(("size", "expected"), [(204, "grouped"), (192, "varlen")])
def test_varlen_must_pass_for_the_heads_of_pals_too(size: int, expected: str, monkeypatch: Any, caplog: Any) -> None:
    monkeypatch.setattr("backbones.attention.VarlenAttention", MaskedAttention)  # a kernel that runs here
    bert = build_encoder({"hidden_size": 768, "num_hidden_layers": 1, "vocab_size": 9, "intermediate_size": 9})
    heads = Backbone(bert, adapter=Pals(size=size), tasks=["sst"]).attention_heads

    assert heads == ((12, 64), (12, size // 12))
    assert choose_attention("varlen", CPU, heads=heads, dtype=torch.float32) == expected
    assert ("grouped instead of varlen: heads of size 17" in caplog.text) == (expected == "grouped")
