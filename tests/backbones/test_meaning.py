"""What changes the numbers of an encoder and no shape of its weights is part of its meaning."""

from typing import Any

import numpy as np
import pytest
import torch

from backbones import Backbone, pack
from tests.backbones.families import tiny_model


@pytest.mark.parametrize(
    ("family", "own"),
    [
        ("albert", {"num_hidden_layers": 2}),  # which share their weights
        ("deberta-v2", {"pos_att_type": ["c2p"]}),
        ("deberta-v2", {"position_buckets": 8, "max_relative_positions": 300}),
        ("roberta", {"pad_token_id": 0}),  # from which positions count
        ("mpnet", {"pad_token_id": 0}),
        ("roformer", {"rotary_value": True}),
        ("mobilebert", {"normalization_type": "layer_norm"}),
        ("modernbert", {"local_attention": 4}),
        ("eurobert", {"rms_norm_eps": 0.1}),
        ("distilbert", {"activation": "relu"}),
    ],
    ids=str,
)
def test_other_numbers_from_the_same_weights_have_another_meaning(family: str, own: dict[str, Any]) -> None:
    one, other = tiny_model(family), tiny_model(family, **own)
    other.load_state_dict(one.state_dict())
    ids = np.arange(5, 45)
    tokens = pack(ids, np.zeros_like(ids), np.array([4, 36]))
    backbones = [Backbone(model, pooling="cls").eval() for model in (one, other)]
    with torch.no_grad():
        vectors = [backbone(tokens) for backbone in backbones]

    assert (vectors[0] - vectors[1]).abs().max() > 1e-4
    assert backbones[0].meaning() != backbones[1].meaning()
    assert backbones[0].meaning() == Backbone(tiny_model(family), pooling="cls").meaning()
