"""Models whose states depend on the padding behind a text: a text's vector would depend on the texts beside it."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from backbones import Backbone, build_encoder, load_encoder, pack
from backbones.parity_probe import check_parity
from tests.backbones.families import every_family, tiny_model

SHAPE = {"vocab_size": 99, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "pad_token_id": 0}
SHAPE |= {"intermediate_size": 24, "max_position_embeddings": 40}


def build(family: str, **own: Any) -> PreTrainedModel:
    """Return a model of a family that is not in the table, its weights far from those of a new one."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        model = build_encoder({"model_type": family, **SHAPE, **own})
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("family", ["convbert", "fnet", "nystromformer", "yoso"])
def test_a_model_that_reads_padding_is_refused(family: str) -> None:
    with pytest.raises(
        ValueError, match=rf"^{family} without padding \(length-groups\) differs from each text alone by"
    ):
        check_parity(build(family))


@pytest.mark.parametrize("family", ["big_bird", "megatron-bert", "rembert", "splinter"])
def test_a_model_that_masks_padding_is_not(family: str) -> None:
    check_parity(build(family))


@pytest.mark.parametrize("family", every_family("mobilebert", "modernbert"))
def test_a_vector_does_not_depend_on_the_texts_beside_it(family: str) -> None:
    """Also where the padding token has an embedding, as in files that were converted from other libraries."""
    model = tiny_model(family)
    with torch.no_grad():
        model.get_input_embeddings().weight[model.config.pad_token_id or 0] = 1.0
    backbone, lengths = Backbone(model, pooling="mean").eval(), [4, 9, 1, 16]
    ids = np.random.default_rng(0).integers(5, 99, sum(lengths))
    parts = np.split(ids, np.cumsum(lengths)[:-1])
    with torch.no_grad():
        together = backbone(pack(ids, np.zeros_like(ids), np.array(lengths)))
        alone = [backbone(pack(part, np.zeros_like(part), np.array([len(part)]))) for part in parts]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-5)
    check_parity(model)


@pytest.mark.parametrize("family", ["xlm", "flaubert"])
def test_a_perturbation_counts_where_the_embeddings_are_a_table_alone(family: str) -> None:
    backbone = Backbone(build(family), pooling="cls").eval()
    ids = np.arange(5, 15)
    tokens, nudge = pack(ids, np.zeros_like(ids), np.array([4, 6])), torch.zeros(10, backbone.embedding_size)
    nudge[6, ::2] = 0.5
    with torch.no_grad():
        plain, moved = backbone(tokens), backbone(tokens, None, nudge)
    torch.testing.assert_close(moved[0], plain[0], rtol=0, atol=1e-6)
    assert (moved[1] - plain[1]).abs().max() > 1e-3


def test_an_activation_by_another_name_is_part_of_the_meaning() -> None:
    found = [Backbone(build("xlm", gelu_activation=on), pooling="cls").meaning()["hidden_act"] for on in (True, False)]
    assert found == ["True", "False"]


def test_weights_that_are_no_numbers_are_refused_as_such(tmp_path) -> None:
    model = tiny_model("bert")
    with torch.no_grad():
        model.get_input_embeddings().weight[7:] = torch.nan
    model.save_pretrained(tmp_path)
    with pytest.raises(
        ValueError, match=rf"^backbone {re.escape(str(tmp_path))}: its states are not finite \(expected weights without"
    ):
        load_encoder(str(tmp_path))


def test_a_model_that_does_not_run_on_token_ids_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"^canine models do not run on token ids alone \(RuntimeError: max_pool1d"):
        check_parity(build("canine"))
    with pytest.raises(ValueError, match=r"^bros models do not run on token ids alone \(You have to specify"):
        check_parity(build("bros"))
