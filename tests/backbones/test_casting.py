from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from backbones import Adapter, Backbone, Lora, Pals
from backbones.casting import cast_linear_weights
from tests.backbones.tiny import BATCHES, draw, tiny_bert

LENGTHS = BATCHES["mixed, some at the longest length"]


class Counting(TorchDispatchMode):
    """Counts the operators that run."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.counts[func._schema.name] += 1
        return func(*args, **(kwargs or {}))


def run(casts: Any, *, frozen: bool = False, adapter: Adapter | None = None) -> tuple[list[torch.Tensor], Counter[str]]:
    """Return the pooled vectors and every gradient of a step under autocast with dropout, and the operators."""
    bert = tiny_bert(hidden_dropout=0.1, attention_dropout=0.1)
    backbone = Backbone(bert, frozen=frozen, adapter=adapter, tasks=["sst"])
    backbone.weight_casts = casts
    torch.manual_seed(0)
    for name, weight in backbone.named_parameters():
        if "lora_" in name or "task_layers" in name:
            nn.init.normal_(weight, std=0.3)  # some start at 0
    with Counting() as counting:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            pooled = backbone(draw(LENGTHS).pack(), "sst")
        if not frozen:
            pooled.float().square().sum().backward()
    return [pooled.detach(), *(p.grad for p in backbone.parameters() if p.grad is not None)], counting.counts


def test_weights_cast_together_give_the_bits_of_autocast_with_fewer_casts() -> None:
    (each, each_counts), (together, counts) = run("each"), run("together")

    assert len(each) == len(together) == 40
    assert all(torch.equal(own, other) for own, other in zip(together, each, strict=True))
    assert all(gradient.dtype == torch.float32 for gradient in together[1:])
    linear_layers = 2 * 6 + 1
    assert (
        each_counts["aten::_to_copy"] - counts["aten::_to_copy"] == 2 * 2 * linear_layers
    )  # weight, bias; there, back
    assert (each_counts["aten::_foreach_copy_"], counts["aten::_foreach_copy_"]) == (0, 2)


@pytest.mark.parametrize(
    "adapter",
    [Lora(), Lora(dora=True, also_train=("pooler",)), Pals(num_heads=2), Pals(num_heads=2, frozen=True)],
    ids=["lora", "dora", "pals", "frozen-pals"],
)
def test_an_adapted_backbone_casts_together_with_the_same_bits_and_work(adapter: Adapter) -> None:
    (each, each_counts), (together, counts) = run("each", adapter=adapter), run("together", adapter=adapter)

    assert len(each) == len(together) > 4
    assert all(torch.equal(own, other) for own, other in zip(together, each, strict=True))
    assert [counts[name] for name in ("aten::mm", "aten::bmm")] == [
        each_counts[name] for name in ("aten::mm", "aten::bmm")
    ]
    assert counts["aten::_to_copy"] < each_counts["aten::_to_copy"]


def test_a_frozen_backbone_casts_together_too() -> None:
    assert torch.equal(run("each", frozen=True)[0][0], run("together", frozen=True)[0][0])


def test_nothing_is_cast_outside_autocast() -> None:
    backbone = Backbone(tiny_bert())
    tokens = draw(LENGTHS).pack()
    expected = backbone(tokens)
    backbone.weight_casts = "together"
    assert torch.equal(backbone(tokens), expected)


def test_gradients_of_unused_weights_stay_away() -> None:
    module = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2, bias=False)})
    copies = cast_linear_weights(module, torch.bfloat16)
    assert {name: copy.dtype for name, copy in copies.items()} == dict.fromkeys(
        ("a.weight", "a.bias", "b.weight"), torch.bfloat16
    )
    (copies["a.weight"] * 3).sum().backward()
    assert module["a"].weight.grad.tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert module["b"].weight.grad is None


@pytest.mark.parametrize("casts", ["each", "together"])
def test_names_of_the_weights_stay(casts: Any) -> None:
    backbone = Backbone(tiny_bert())
    backbone.weight_casts = casts
    assert list(backbone.state_dict()) == list(Backbone(tiny_bert()).state_dict())
