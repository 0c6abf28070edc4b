"""The reference is a plain padded implementation, written out here from the paper's formula."""

import math

import pytest
import torch
from torch import Tensor

from backbones import Backbone, Pals, Pooling
from backbones.pals import PalLayers, scaled_size
from tests.backbones.tiny import BATCHES, Sequences, assert_same, draw, loss_and_gradients, tiny_bert

TASKS = ("sst", "sts")


def padded_reference(backbone: Backbone, sequences: Sequences, task: str, pooling: Pooling) -> Tensor:
    """Compute every layer as LN(FFN(a) + a + V_D SA(V_E h)) on padded sequences, with a softmax by hand."""
    bert, pals, batch = backbone.bert, backbone.task_layers, sequences.pad()
    assert isinstance(pals, PalLayers)
    mask = batch["attention_mask"][:, None, None, :].bool()
    hidden = bert.embeddings(input_ids=batch["input_ids"], token_type_ids=batch["token_type_ids"])
    for number, layer in enumerate(bert.encoder.layer):
        inner, small = layer.attention.self, pals.layer[number][task]
        context = attention(inner.query(hidden), inner.key(hidden), inner.value(hidden), mask, heads=2)
        attended = layer.attention.output.LayerNorm(layer.attention.output.dense(context) + hidden)
        encoded = pals.encoders[task](hidden)
        context = attention(small.query(encoded), small.key(encoded), small.value(encoded), mask, pals.num_heads)
        feed_forward = layer.output.dense(torch.nn.functional.gelu(layer.intermediate.dense(attended)))
        hidden = layer.output.LayerNorm(feed_forward + attended + pals.decoders[task](context))
    if pooling == "mean":
        real = batch["attention_mask"][:, :, None]
        mean: Tensor = (hidden * real).sum(1) / real.sum(1)
        return mean
    first = hidden[:, 0]
    return torch.tanh(bert.pooler.dense(first)) if pooling == "pooler" else first


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, heads: int) -> Tensor:
    split = [part.unflatten(2, (heads, -1)).transpose(1, 2) for part in (query, key, value)]  # (N, heads, L, size)
    scores = split[0] @ split[1].transpose(2, 3) / math.sqrt(split[0].shape[-1])
    result = scores.masked_fill(~mask, -torch.inf).softmax(dim=-1) @ split[2]
    return result.transpose(1, 2).flatten(2)


def stirred(pooling: Pooling = "pooler", **options: object) -> Backbone:
    """Return a backbone whose decoders, which start at 0, have random values."""
    backbone = Backbone(tiny_bert(), pooling=pooling, adapter=Pals(num_heads=2, **options), tasks=TASKS)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(4)
        for parameter in backbone.task_layers.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return backbone


@pytest.mark.parametrize("pooling", ["pooler", "cls", "mean"])
@pytest.mark.parametrize("lengths", BATCHES.values(), ids=BATCHES.keys())
def test_outputs_and_gradients_are_those_of_the_padded_formula(lengths: list[int], pooling: Pooling) -> None:
    backbone, sequences = stirred(pooling), draw(lengths)
    for task in TASKS:
        pooled, expected = backbone(sequences.pack(), task), padded_reference(backbone, sequences, task, pooling)
        assert_same(pooled, expected)
        gradients = loss_and_gradients(backbone, pooled)[1]
        expected_gradients = loss_and_gradients(backbone, expected)[1]
        for name, gradient in expected_gradients.items():
            if gradient is None:
                assert gradients[name] is None, name
            else:
                assert_same(gradients[name], gradient, tolerance=3e-5)


def test_each_task_has_its_own_and_only_that_gets_gradients() -> None:
    backbone, sequences = stirred(), draw([7, 4]).pack()
    assert not torch.allclose(backbone(sequences, "sst"), backbone(sequences, "sts"), atol=1e-3)
    backbone(sequences, "sts").sum().backward()
    found = {name: weight.grad is not None for name, weight in backbone.task_layers.named_parameters()}
    assert found == {name: ".sts." in name for name in found}
    assert len(found) == 2 * 2 * (2 + 2 * 3)


def test_training_starts_from_the_backbones_own_function() -> None:
    sequences = draw([5, 9]).pack()
    backbone = Backbone(tiny_bert(), adapter=Pals(num_heads=2), tasks=TASKS)
    assert torch.equal(backbone(sequences, "sst"), Backbone(tiny_bert())(sequences))


@pytest.mark.parametrize(
    ("hidden_size", "num_heads", "expected"), [(768, 12, 204), (384, 12, 96), (1024, 12, 276), (16, 12, 12), (16, 2, 4)]
)
def test_the_size_is_the_papers_share_of_the_backbones(hidden_size, num_heads, expected) -> None:
    assert scaled_size(hidden_size, num_heads) == expected


@pytest.mark.parametrize(
    ("options", "own"),
    [  # H=16, 2 layers, intermediate 24, size 4
        ({"frozen": True}, 0),
        ({"frozen": True, "also_train": ("layer_norms", "pooler")}, 5 * 2 * 16 + 16 * 16 + 16),
    ],
)
def test_with_a_frozen_backbone_only_the_adapter_and_the_named_parts_train(options, own) -> None:
    backbone = Backbone(tiny_bert(), adapter=Pals(num_heads=2, **options), tasks=TASKS)
    a_task = (16 * 4 + 4) + (4 * 16 + 16) + 2 * 3 * (4 * 4 + 4)
    assert sum(weight.numel() for weight in backbone.parameters() if weight.requires_grad) == 2 * a_task + own
    assert backbone.bert.training


def test_without_freezing_everything_trains() -> None:
    assert all(weight.requires_grad for weight in stirred().parameters())


def test_a_batch_without_its_tasks_name_is_refused() -> None:
    with pytest.raises(ValueError, match="expected the name of the batch's task"):
        stirred()(draw([3]).pack())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 10, "num_heads": 4}, "size is 10, num_heads 4"),
        ({"num_heads": 0}, "num_heads 0"),
        ({"also_train": ("pooler",)}, "expected frozen: true"),
    ],
)
def test_options_out_of_range_are_refused(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        Pals(**options)
