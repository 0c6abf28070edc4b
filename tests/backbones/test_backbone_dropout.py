"""One probability for all dropout of an encoder, in every family."""

import pytest
import torch
from transformers import ResNetConfig

from backbones import build_encoder, load_encoder
from backbones.configuration import set_dropout
from tests.backbones.families import VOCABULARY, every_family, tiny_config


@pytest.mark.parametrize("family", every_family("bert", "modernbert", "deberta-v2", "distilbert"))
def test_every_family_has_it(family):
    ids = torch.randint(4, VOCABULARY, (3, 12), generator=torch.Generator().manual_seed(0))

    def differs(dropout: float) -> bool:
        model = build_encoder(tiny_config(family), dropout=dropout)
        one, other = (model(input_ids=ids).last_hidden_state for _ in range(2))
        return not torch.equal(one, other)

    assert differs(0.5)
    assert not differs(0.0)


def test_weights_that_are_loaded_have_it_too(tmp_path):
    build_encoder(tiny_config("bert")).save_pretrained(tmp_path)
    assert load_encoder(str(tmp_path)).config.hidden_dropout_prob == 0.0
    config = load_encoder(str(tmp_path), dropout=0.25).config
    assert (config.hidden_dropout_prob, config.attention_probs_dropout_prob) == (0.25, 0.25)


def test_a_family_without_dropout_is_refused():
    with pytest.raises(ValueError, match="is a 'resnet' model, which has no dropout"):
        set_dropout(ResNetConfig(), 0.1)
