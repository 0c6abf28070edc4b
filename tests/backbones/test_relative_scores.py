"""Encoders whose attention scores depend on distances; their numbers are compared in test_families.py."""

from typing import Any

import lightning.pytorch as L
import numpy as np
import pytest
import torch

from backbones import Backbone, Pals, pack
from backbones.attention_groups import group_by_length, plan_queries
from backbones.relative_scores import measure_distances
from lightning_modules.acceleration import accelerate
from tasks import InputError
from tests.backbones.families import tiny_model


def test_distances_are_those_of_a_groups_positions() -> None:
    ids = np.arange(5)
    tokens = pack(ids, np.zeros_like(ids), np.array([2, 3]), num_groups=1)
    wanted = plan_queries(np.array([1, 3, 4]), np.array([1, 2]), group_by_length(np.array([2, 3]), 1))

    (every,), (some,) = measure_distances(tokens, None), measure_distances(tokens, wanted)

    assert every.tolist() == [[[0, -1, -2], [1, 0, -1], [2, 1, 0]]]
    assert some[0, 0].tolist() == [1, 0, -1]  # the second of two tokens; the mask hides the third key
    assert some[1].tolist() == [[1, 0, -1], [2, 1, 0]]


@pytest.mark.parametrize("family", ["mpnet", "deberta-v2", "roformer"])
def test_attention_with_scores_of_its_own_is_grouped_whatever_is_asked_for(family: str) -> None:
    backbone = Backbone(tiny_model(family), pooling="cls")
    backbone.choose_attention("masked", torch.device("cpu"), dtype=torch.float32)
    assert backbone.has_own_attention
    assert backbone.attention == "grouped"
    assert not Backbone(tiny_model("roberta"), pooling="cls").has_own_attention


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attention": "masked"}, r"^model\.attention is masked, but mpnet models have their own \(expected auto\)"),
        ({"compiling": "default"}, r"^model\.compile is default, but mpnet models are not compiled \(expected none\)"),
    ],
)
def test_other_attention_and_compiling_are_refused(options: dict[str, Any], message: str) -> None:
    trainer = L.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.training = True
    with pytest.raises(InputError, match=message):
        accelerate(Backbone(tiny_model("mpnet"), pooling="cls"), trainer, **{"attention": "auto", **options})


def test_pals_are_for_layers_of_berts_form() -> None:
    with pytest.raises(ValueError, match=r"^adapter Pals: .* which mpnet models do not have \(expected Lora"):
        Backbone(tiny_model("mpnet"), pooling="cls", adapter=Pals(num_heads=2), tasks=["sst"])
