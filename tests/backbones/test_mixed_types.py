"""Half precision where a model's queries come out in another type than its values: rotations are in float32."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from backbones import Backbone, WeightCasts, pack
from backbones.attention_interface import packed_or_padded
from runtime.errors import InputError
from tests.backbones.families import FAMILIES, tiny_model

RATES = ("attention_dropout", "attention_probs_dropout_prob")
INTERFACE = [family for family, (way, *_) in FAMILIES.items() if way == "interface"]


def dropping(family: str) -> Backbone:
    """Return a backbone with dropout of the attention weights alone."""
    config = tiny_model(family).config
    rates = {name: 0.1 for name in RATES if hasattr(config, name)}
    assert rates
    return Backbone(tiny_model(family, **rates), pooling="mean")


@pytest.mark.parametrize("casts", ["each", "together"])
@pytest.mark.parametrize("family", INTERFACE)
def test_attention_dropout_trains_under_autocast(family: str, casts: WeightCasts) -> None:
    backbone = dropping(family)
    backbone.weight_casts = casts
    ids = np.arange(5, 30)
    tokens = pack(ids, np.zeros_like(ids), np.array([4, 9, 1, 11]))

    with torch.autocast("cpu", dtype=torch.bfloat16):
        first, second = backbone(tokens).float(), backbone(tokens).float()
    first.square().sum().backward()

    assert not torch.equal(first, second)
    table = backbone.bert.get_input_embeddings().weight
    assert table.grad is not None
    assert table.grad.isfinite().all()
    assert table.grad.any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_refused_where_transformers_cannot_compute_it(dtype: torch.dtype) -> None:
    """Its masks are the smallest float32 in scores of half precision."""
    for family in ("deberta", "deberta-v2", "roformer"):
        backbone = Backbone(tiny_model(family), pooling="cls")
        backbone.choose_attention("auto", torch.device("cpu"), dtype=torch.float32)
        if family != "deberta":
            backbone.choose_attention("auto", torch.device("cpu"), dtype=dtype)
            continue
        with pytest.raises(
            InputError, match=r"^deberta models overflow in half precision \(expected precision 32-true"
        ):
            backbone.choose_attention("auto", torch.device("cpu"), dtype=dtype)


def test_an_attention_gets_queries_and_keys_in_the_type_of_the_values() -> None:
    seen: list[torch.dtype] = []

    def attend(*states: Tensor, **options: Any) -> Tensor:
        seen.extend(each.dtype for each in states)
        return states[2]

    rotated, values = torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 4, dtype=torch.bfloat16)
    packed_or_padded(torch.nn.Identity(), rotated, rotated, values, None, packed_attention=attend)

    assert seen == [torch.bfloat16] * 3
