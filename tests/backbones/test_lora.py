import copy
import subprocess
import sys
from typing import get_args

import pytest
import torch
from peft import LoraConfig, get_peft_model

from backbones import Backbone, Lora, Pooling
from backbones.lora import Target, merge_lora
from tests.backbones.tiny import BATCHES, assert_same, draw, loss_and_gradients, padded_pooled, tiny_bert

TARGETS: tuple[Target, ...] = get_args(Target)


def stir(module: torch.nn.Module) -> None:
    """Return the updates, which start at 0, random values."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(3)
        for name, parameter in module.named_parameters():
            if "lora_" in name:
                parameter.add_(0.2 * torch.randn_like(parameter))


@pytest.mark.parametrize("dora", [False, True])
@pytest.mark.parametrize("pooling", ["pooler", "mean"])
@pytest.mark.parametrize("targets", [("query", "value"), TARGETS], ids=["usual", "all"])
def test_outputs_and_gradients_are_those_of_pefts_padded_model(
    targets: tuple[Target, ...], pooling: Pooling, dora: bool
) -> None:
    bert, sequences = tiny_bert(), draw(BATCHES["mixed, some at the longest length"])
    names = {
        "attention_output": "attention.output.dense",
        "intermediate": "intermediate.dense",
        "output": "output.dense",
    }
    modules = sorted({names.get(target, target) for target in targets})
    reference = get_peft_model(
        copy.deepcopy(bert),
        LoraConfig(r=3, lora_alpha=6, target_modules=modules, exclude_modules=["pooler.dense"], use_dora=dora),
    ).base_model.model
    backbone = Backbone(bert, pooling=pooling, adapter=Lora(r=3, alpha=6.0, targets=targets, dora=dora))
    stir(bert)
    reference.load_state_dict(bert.state_dict())

    pooled, expected = backbone(sequences.pack()), padded_pooled(reference, sequences, pooling)
    assert_same(pooled, expected)
    assert not torch.allclose(pooled, Backbone(tiny_bert(), pooling=pooling)(sequences.pack()), atol=1e-3)
    gradients, expected_gradients = loss_and_gradients(bert, pooled)[1], loss_and_gradients(reference, expected)[1]
    assert gradients.keys() == expected_gradients.keys()
    trained = 0
    for name, gradient in expected_gradients.items():
        assert (gradient is None) == (gradients[name] is None), name
        if gradient is not None:
            assert "lora_" in name
            assert_same(gradients[name], gradient)
            trained += 1
    assert trained == 2 * len(targets) * (3 if dora else 2)


def test_training_starts_from_the_backbones_own_function() -> None:
    sequences = draw([5, 9]).pack()
    assert_same(Backbone(tiny_bert(), adapter=Lora(targets=TARGETS))(sequences), Backbone(tiny_bert())(sequences))


@pytest.mark.parametrize(
    ("options", "expected"),
    [  # H=16, 2 layers, intermediate 24; by hand
        ({"r": 2}, 2 * 2 * 2 * (16 + 16)),
        ({"r": 2, "targets": ("intermediate", "output")}, 2 * 2 * 2 * (16 + 24)),
        ({"r": 2, "bias": "lora_only"}, 2 * 2 * 2 * (16 + 16) + 2 * 2 * 16),
        ({"r": 2, "also_train": ("pooler",)}, 2 * 2 * 2 * (16 + 16) + 16 * 16 + 16),
        ({"r": 2, "also_train": ("layer_norms",)}, 2 * 2 * 2 * (16 + 16) + 5 * 2 * 16),
    ],
)
def test_only_what_was_asked_for_trains(options, expected) -> None:
    backbone = Backbone(tiny_bert(), adapter=Lora(**options))
    assert sum(weight.numel() for weight in backbone.parameters() if weight.requires_grad) == expected


def test_all_biases_may_train() -> None:
    backbone = Backbone(tiny_bert(), adapter=Lora(bias="all"))
    for name, weight in backbone.named_parameters():
        assert weight.requires_grad == ("lora_" in name or name.endswith(".bias")), name


def test_dropout_is_on_the_update_only_and_only_in_training() -> None:
    backbone, sequences = Backbone(tiny_bert(), adapter=Lora(dropout=0.5)), draw([6, 4]).pack()
    stir(backbone)
    assert not torch.equal(backbone(sequences), backbone(sequences))
    backbone.eval()
    assert torch.equal(backbone(sequences), backbone(sequences))


@pytest.mark.parametrize("dora", [False, True])
def test_merging_leaves_a_plain_bert_with_the_same_outputs(dora: bool) -> None:
    bert, sequences = tiny_bert(), draw([5, 9, 2]).pack()
    names = set(bert.state_dict())
    backbone = Backbone(bert, adapter=Lora(targets=TARGETS, dora=dora))
    stir(backbone)
    expected = backbone(sequences)
    merge_lora(bert)
    assert set(bert.state_dict()) == names
    assert_same(backbone(sequences), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"r": 0}, "r is 0"),
        ({"alpha": 0.0}, r"alpha 0\.0"),
        ({"dropout": 1.0}, r"dropout 1\.0"),
        ({"targets": ()}, "targets is empty"),
    ],
)
def test_options_out_of_range_are_refused(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        Lora(**options)


def test_a_pooler_that_is_not_there_cannot_train() -> None:
    bert = tiny_bert()
    bert.pooler = None
    with pytest.raises(ValueError, match="also_train names the pooler, but there is none"):
        Backbone(bert, pooling="cls", adapter=Lora(also_train=("pooler",)))


@pytest.mark.slow
def test_peft_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, backbones, callbacks, cli, lightning_modules; sys.exit('peft' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
