"""Every private name of transformers that is relied on, against the installed version."""

import inspect
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
import transformers
from peft import LoraConfig, get_peft_model

import transformers_internals
from tests.backbones.families import FAMILIES, tiny_model
from transformers_internals import (
    BertPredictionHeadTransform,
    ModernBertPredictionHead,
    distance_bias,
    distance_buckets,
    distance_projections,
    distance_span,
    distance_table,
    embeddings_of,
    encoder_of,
    find_adapter_config_file,
    last_layer,
    layers_of,
    no_init_weights,
    projected_embeddings,
    sdpa_attention_forward,
    sdpa_mask,
    takes_attention_function,
)

FOLDER = Path(inspect.getfile(transformers)).parent
OWN = [family for family, (way, *_) in FAMILIES.items() if way == "own"]


def source_line(place: str) -> str:
    """Return a line of transformers, as `file.py:number` names it."""
    file, _, number = place.partition(":")
    (path,) = [FOLDER / file] if (FOLDER / file).is_file() else FOLDER.rglob(file)
    return path.read_text(encoding="utf-8").splitlines()[int(number) - 1]


def test_the_lines_are_those_of_the_version_that_was_read():
    assert version("transformers") == "5.23.0"
    assert f"transformers {version('transformers')}" in str(transformers_internals.__doc__)
    for place, words in {
        "modeling_utils.py:1143": "_supports_attention_backend: bool = False",
        "modeling_bert.py:53": "class BertEmbeddings",
        "modeling_bert.py:139": "class BertSelfAttention",
        "modeling_bert.py:354": "class BertLayer",
        "modeling_electra.py:605": 'hasattr(self, "embeddings_project")',
        "modeling_modernbert.py:406": "self.layers = nn.ModuleList",
        "modeling_modernbert.py:185": "def apply_rotary_pos_emb",
        "modeling_distilbert.py:265": "self.layer = nn.ModuleList",
        "modeling_deberta_v2.py:589": "def get_rel_embedding",
        "modeling_deberta_v2.py:410": "class DebertaV2Layer",
        "modeling_deberta_v2.py:290": "if self.share_att_key",
        "modeling_deberta_v2.py:56": "def make_log_bucket_position",
        "modeling_deberta_v2.py:67": "torch.where(abs_pos <= mid, relative_pos",
        "modeling_mpnet.py:234": "class MPNetLayer",
        "modeling_mpnet.py:198": "self.LayerNorm(self.dropout(self_outputs[0]) + hidden_states)",
        "modeling_mpnet.py:312": "def compute_position_bias",
    }.items():
        assert words in source_line(place), place
        assert place in inspect.getsource(transformers_internals), place


@pytest.mark.parametrize("family", FAMILIES)
def test_the_flag_says_whether_a_model_calls_the_attention_function(family):
    by_flag = takes_attention_function(tiny_model(family))
    written_out = ("deberta", "deberta-v2", "mpnet", "roformer")
    assert by_flag == (family not in written_out)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_first_layer_reads_what_the_embeddings_give(family):
    model, seen = tiny_model(family).eval(), []
    embeddings_of(model).register_forward_hook(lambda module, inputs, output: seen.append(output))
    with torch.no_grad():
        model(input_ids=torch.tensor([[5, 6, 7]]))
    assert [states.shape[:2] for states in seen] == [(1, 3)]


@pytest.mark.parametrize("family", OWN)
def test_the_parts_of_a_layer_give_the_layer(family):
    model = tiny_model(family).eval()
    layer, parts = model.encoder.layer[0], layers_of(model)[0]
    seen: dict[str, torch.Tensor] = {}
    dense = layer.attention.attn.o if family == "mpnet" else layer.attention.output.dense
    dense.register_forward_pre_hook(lambda module, inputs: seen.update(context=inputs[0]))
    layer.register_forward_hook(
        lambda module, inputs, output: seen.update(
            read=inputs[0], made=output[0] if isinstance(output, tuple) else output
        )
    )

    with torch.no_grad():
        model(input_ids=torch.tensor([[5, 6, 7, 8]]))
        attended = parts.attended(seen["context"], seen["read"])
        torch.testing.assert_close(parts.output(parts.intermediate(attended), attended), seen["made"])

    assert parts.num_heads == 2
    assert isinstance(parts.dropout, torch.nn.Dropout)
    inner = layer.attention.attn if family == "mpnet" else layer.attention.self
    names = [{module: name for name, module in inner.named_children()}[part] for part in parts[:3]]
    assert [name[0] for name in names] == ["q", "k", "v"]


@pytest.mark.parametrize("family", ["bert", "modernbert", "distilbert", "mpnet"])
def test_the_layers_are_found(family):
    model = tiny_model(family)
    inside = {id(module) for module in encoder_of(model).modules()}
    linears = [(name, module) for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]
    outside = [name for name, module in linears if id(module) not in inside]
    assert len(outside) < len(linears)
    assert all("pooler" in name or "head" in name for name in outside)


def test_only_electras_embeddings_are_projected():
    embedded = torch.ones(1, 2, 12)
    model = tiny_model("electra")
    assert torch.equal(projected_embeddings(model, embedded), model.embeddings_project(embedded))
    assert projected_embeddings(tiny_model("bert"), embedded) is embedded


def test_the_functions_that_padded_input_gets_are_those_of_sdpa():
    assert transformers.AttentionInterface()["sdpa"] is sdpa_attention_forward
    assert transformers.AttentionMaskInterface()["sdpa"] is sdpa_mask


def test_heads_are_those_of_the_masked_lm_models():
    config = tiny_model("modernbert").config
    with no_init_weights():
        model = transformers.ModernBertForMaskedLM(config)
    assert type(model.head) is ModernBertPredictionHead
    bert = transformers.BertForMaskedLM(tiny_model("bert").config)
    assert type(bert.cls.predictions.transform) is BertPredictionHeadTransform


def test_what_makes_transformers_build_an_adapter_into_a_model_is_found(tmp_path):
    model = tiny_model("bert")
    model.save_pretrained(tmp_path)
    assert find_adapter_config_file(str(tmp_path)) is None
    get_peft_model(model, LoraConfig(r=2, target_modules=["query"])).save_pretrained(tmp_path)
    tiny_model("bert").save_pretrained(tmp_path)
    assert find_adapter_config_file(str(tmp_path)) == str(tmp_path / "adapter_config.json")
    built = transformers.BertModel.from_pretrained(tmp_path)
    assert any("lora_" in name for name in built.state_dict())


@pytest.mark.parametrize("family", ["modernbert", "distilbert"])
def test_the_last_layer_is_the_one_that_runs_last(family):
    model, ran = tiny_model(family), []
    kind = type(last_layer(model))
    for module in model.modules():
        if isinstance(module, kind):
            module.register_forward_hook(lambda layer, inputs, output: ran.append(layer))
    model(input_ids=torch.tensor([[5, 6, 7]]))
    assert ran[-1] is last_layer(model)
    assert len(ran) == model.config.num_hidden_layers


def test_mpnets_bias_is_that_of_its_encoder():
    encoder = tiny_model("mpnet").encoder
    distance = torch.arange(30)[None, :, None] - torch.arange(30)
    expected = encoder.compute_position_bias(torch.empty(1, 30, 16))
    assert torch.equal(distance_bias(tiny_model("mpnet"), distance), expected)


def test_distances_up_to_half_of_the_buckets_are_their_own_buckets():
    model = tiny_model("deberta-v2", position_buckets=12)
    assert distance_table(model).shape == (24, 16)
    assert [distance_span(model, length) for length in (None, 1, 6, 7, 40)] == [12, 1, 6, 12, 12]
    near = torch.arange(-6, 7)
    assert torch.equal(distance_buckets(model, near), near)
    assert distance_buckets(model, torch.tensor([-39, 39])).abs().max() <= 12
    exact = tiny_model("deberta-v2", position_buckets=-1)
    assert distance_span(exact) == exact.config.max_position_embeddings
    assert torch.equal(distance_buckets(exact, near * 5), near * 5)


@pytest.mark.parametrize(
    ("own", "names"),
    [
        ({}, ("key_proj", "query_proj")),
        ({"share_att_key": False}, ("pos_key_proj", "pos_query_proj")),
        ({"pos_att_type": ["c2p"]}, ("key_proj", None)),
        ({"pos_att_type": ["p2c"], "share_att_key": False}, (None, "pos_query_proj")),
    ],
)
def test_the_projections_of_distances_are_found(own, names):
    model = tiny_model("deberta-v2", **own)
    inner = model.encoder.layer[1].attention.self
    parts = distance_projections(model, 1)
    assert parts.dropout is inner.pos_dropout
    assert (parts.key, parts.query) == tuple(None if name is None else getattr(inner, name) for name in names)
