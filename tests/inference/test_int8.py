import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from backbones import Lora, Pals
from inference import Predictor
from inference.checkpoint import find_checkpoint
from inference.int8 import main
from inference.int8_choice import choice_file, plain_encoder, quantize, read_choice
from inference.int8_linear import Int8Linear, check_int8, largest_weight, linear_layers, quantize_rows, use_int8
from tasks import InputError
from tests.inference.exports import PAIR_TASKS
from tests.inference.test_transformers_format import build_predictor

PAIRS = [("the cat is good", "a dog plays chess"), ("how can i learn", "to play chess at home"), ("bad", "slow")]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def run(whole_run):
    return whole_run(**PAIR_TASKS).version(0)


@pytest.fixture(scope="module")
def checkpoint(run, tmp_path_factory):
    """A copy of the run's checkpoint, beside which files may be written."""
    copy = tmp_path_factory.mktemp("copy") / "last.ckpt"
    copy.write_bytes(find_checkpoint(run).read_bytes())
    return copy


@pytest.fixture(scope="module")
def layer_and_rows():
    torch.manual_seed(0)
    linear, rows = nn.Linear(96, 40), torch.randn(50, 96)
    rows[:, 7] *= 30  # an outlier column
    with torch.no_grad():
        linear.weight[3] *= 50
    return linear, rows


def test_a_layer_multiplies_the_rounded_numbers_exactly(layer_and_rows):
    linear, rows = layer_and_rows
    codes, step, lowest = quantize_rows(rows)
    scales = linear.weight.detach().double().abs().amax(dim=1) / largest_weight()
    weight = (linear.weight.detach().double() / scales[:, None]).round() * scales[:, None]
    expected = (codes.double() * step.double() + lowest.double()) @ weight.t() + linear.bias.detach().double()
    found = Int8Linear(linear)(rows)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-4)
    plain = linear(rows).detach()
    assert 0 < float((found - plain).norm() / plain.norm()) < 0.02


def test_a_token_is_rounded_alike_in_every_batch(layer_and_rows):
    linear, rows = layer_and_rows
    layer = Int8Linear(linear)
    together = layer(rows)
    for number in (0, 17, 49):
        assert torch.equal(layer(rows[number : number + 1])[0], together[number])
    assert torch.equal(layer(rows.view(5, 10, 96)), together.view(5, 10, 40))


@pytest.mark.parametrize(("low", "high"), [(0, 0), (5, 5), (-3, -3), (1e6, 1e6 + 1), (-1e-35, 1e-35), (0, 1e30)])
def test_rows_of_any_range_keep_their_values(low, high):
    rows = torch.linspace(low, high, 32)[None]
    codes, step, lowest = quantize_rows(rows)
    found = codes.float() * step + lowest
    assert float((found - rows).abs().max()) <= max((high - low) / 255, abs(low) * 1e-6) + 1e-27


def test_a_layer_without_bias_has_none():
    linear = nn.Linear(16, 8, bias=False)
    assert torch.equal(Int8Linear(linear)(torch.zeros(2, 16)), torch.zeros(2, 8))


def test_the_operators_of_torch_are_those_that_are_called():
    """They are registered for its compiler, without a promise to users: these were read in torch 2.13."""
    found = [str(getattr(torch.ops.onednn, name).default._schema) for name in ("qlinear_prepack", "qlinear_pointwise")]
    assert found == [
        "onednn::qlinear_prepack(Tensor weight, int[]? x_shape) -> Tensor",
        "onednn::qlinear_pointwise(Tensor qx, float x_scale, int x_zero_point, Tensor qw, Tensor w_scale, "
        "Tensor w_zero_point, Tensor? bias, float output_scale, int output_zero_point, ScalarType? output_dtype, "
        "str post_op_name, Scalar?[] post_op_args, str post_op_algorithm) -> Tensor",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("instructions", ["AVX2", "AVX512_CORE"])
def test_weights_have_seven_bits_on_processors_without_vnni(instructions):
    code = "import torch; from inference.int8_linear import *; check_int8(torch.device('cpu')); print(largest_weight())"
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": instructions}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert ended.stdout.strip() == "63", ended.stderr


def test_where_int8_cannot_be_had_one_sentence_says_so(monkeypatch, run):
    with pytest.raises(InputError, match=r"int8 is for a CPU \(the device is cuda\)"):
        check_int8(torch.device("cuda"))
    monkeypatch.setattr(torch.ops, "onednn", SimpleNamespace())
    largest_weight.cache_clear()
    with pytest.raises(InputError, match=r"has no int8 products for this CPU \(.*qlinear_prepack"):
        Predictor.load(run, int8=True)


def test_the_encoder_computes_in_int8_and_answers_almost_the_same(run):
    plain, int8 = Predictor.load(run), Predictor.load(run, int8=True)
    encoder = int8.model.backbone.bert.encoder
    assert not list(linear_layers(encoder))
    assert sum(isinstance(module, Int8Linear) for module in int8.model.modules()) == 12  # six in each of two layers
    for name in ("sst", "quora", "sts", "near"):
        rows = [(first,) for first, _ in PAIRS] if name == "sst" else PAIRS
        one, other = plain.compute([name], rows)[name], int8.compute([name], rows)[name]
        assert 0 < float((one - other).abs().max()) < 0.05, name


def test_a_row_answers_alike_alone_and_in_any_batch(run):
    predictor = Predictor.load(run, int8=True)
    texts = [(" ".join(["good film"] * (7 * number % 30 + 1)),) for number in range(40)]
    whole = predictor.compute(["sst"], texts)["sst"]
    predictor.tokens_per_batch = 40
    in_batches = predictor.compute(["sst"], texts)["sst"]
    alone = torch.cat([predictor.compute(["sst"], [text])["sst"] for text in texts[:5]])
    torch.testing.assert_close(in_batches, whole, rtol=0, atol=2e-3)
    torch.testing.assert_close(alone, whole[:5], rtol=0, atol=2e-3)
    assert float(whole.std()) > 0.01


@pytest.mark.parametrize("adapter", [Lora(), Pals(num_heads=2)], ids=["lora", "pals"])
def test_adapters_take_part(adapter, tiny_backbone, tokenizer, tmp_path):
    torch.manual_seed(0)
    predictor = build_predictor(tiny_backbone, tokenizer, adapter=adapter)
    with torch.no_grad():
        for parameter in predictor.model.backbone.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.02)  # LoRA's and PALs' updates start at 0
    rows = [(first,) for first, _ in PAIRS]
    before = predictor.compute(["sst"], rows)["sst"]
    quantize(predictor.model.backbone, tmp_path / "last.ckpt", CPU)
    after = predictor.compute(["sst"], rows)["sst"]
    assert not list(linear_layers(predictor.model.backbone.bert.encoder))
    assert 0 < float((before - after).abs().max()) < 0.05


def test_layers_that_are_named_stay_in_fp32(run):
    encoder = plain_encoder(Predictor.load(run).model.backbone)
    kept = ["layer.0.output.dense", "layer.1.attention.self.query"]
    assert use_int8(encoder, but=kept) == 10
    assert [name for name, *_ in linear_layers(encoder)] == ["layer.0.output.dense", "layer.1.attention.self.query"]


def test_a_choice_is_made_on_the_dev_split_and_followed(checkpoint, cs224n_root, capsys):
    main([str(checkpoint), "--root", str(cs224n_root), "--max_loss", "1"])
    shown = capsys.readouterr().out
    assert "fp32: no layer" in shown
    assert "(checkpoint)" in shown
    assert "(int8) on 12 dev rows" in shown
    path = choice_file(checkpoint)
    choice = read_choice(path)
    assert list(choice.fp32) == []
    assert set(choice.dev) == {"sst", "quora", "quora_bi", "sts", "same", "near"}
    kept = ["layer.1.output.dense"]
    path.write_text(json.dumps({**json.loads(path.read_text()), "fp32": kept}))
    predictor = Predictor.load(checkpoint, int8=True)
    assert [name for name, *_ in linear_layers(predictor.model.backbone.bert.encoder)] == kept


def test_a_choice_for_other_weights_or_without_sense_is_refused(checkpoint, tmp_path):
    copy = tmp_path / "last.ckpt"
    copy.write_bytes(checkpoint.read_bytes())
    choice_file(copy).write_text(json.dumps({"weights_sha256": "another", "fp32": [], "max_loss": 0.01}))
    with pytest.raises(InputError, match=r"last\.int8\.json: was chosen for other weights than those of last\.ckpt"):
        Predictor.load(copy, int8=True)
    choice_file(copy).write_text("[]")
    with pytest.raises(
        InputError, match=r"last\.int8\.json: cannot be read .* expected what python -m inference\.int8"
    ):
        Predictor.load(copy, int8=True)
    Predictor.load(copy)


def test_layers_are_given_back_until_the_loss_is_small_enough_or_it_is_refused(
    checkpoint, cs224n_root, tmp_path, capsys
):
    copy = tmp_path / "last.ckpt"
    copy.write_bytes(checkpoint.read_bytes())
    assert main([str(copy), "--root", str(cs224n_root), "--max_loss", "-2"]) == 2
    shown = capsys.readouterr()
    tries = [line for line in shown.out.splitlines() if line.startswith("fp32: ")]
    assert [line.count("error") for line in tries] == [0, 1, 2, 4]
    errors = [float(part.split(")")[0]) for part in tries[-1].split("(error ")[1:]]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] > 0
    assert "expected a loss of -2 at most, with half of the layers in fp32; see --max_loss" in shown.err
    assert not choice_file(copy).exists()
