"""Every private name of transformers that is relied on, against the installed version."""

import inspect
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
import transformers

import transformers_internals
from tests.backbones.families import FAMILIES, tiny_model
from transformers_internals import (
    BertPredictionHeadTransform,
    ModernBertPredictionHead,
    bert_layers,
    embeddings_of,
    encoder_of,
    last_layer,
    no_init_weights,
    projected_embeddings,
    relative_position_parts,
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
        "modeling_deberta_v2.py:170": "self.pos_dropout = nn.Dropout",
        "modeling_deberta.py:527": "def get_rel_embedding",
    }.items():
        assert words in source_line(place), place
        assert place in inspect.getsource(transformers_internals), place


@pytest.mark.parametrize("family", FAMILIES)
def test_the_flag_says_whether_a_model_calls_the_attention_function(family):
    by_flag = takes_attention_function(tiny_model(family))
    assert by_flag == (FAMILIES[family][0] != "length-groups" or family == "mobilebert")


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
    states = torch.randn(1, 4, 16, generator=torch.Generator().manual_seed(0))
    for layer, parts in zip(model.encoder.layer, bert_layers(model), strict=True):
        with torch.no_grad():
            context = parts.attention(states)[0]
            attended = parts.attended(context, states)
            torch.testing.assert_close(parts.output(parts.intermediate(attended), attended), layer(states))


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


@pytest.mark.parametrize("family", ["deberta", "deberta-v2"])
def test_what_depends_on_relative_positions_alone_is_found(family):
    parts = relative_position_parts(tiny_model(family))
    assert parts is not None
    assert parts.table().dim() == 2
    assert len(parts.modules) == {"deberta": 6, "deberta-v2": 6}[family]  # three in each of two layers
    assert relative_position_parts(tiny_model("mpnet")) is None
