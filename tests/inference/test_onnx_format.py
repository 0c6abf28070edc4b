import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from backbones import Lora, Pals
from heads import MlpHead, TrunkSettings
from inference.export import main
from inference.onnx_format import (
    FILE,
    INT8_FILE,
    OPSET,
    PaddedHeads,
    check_packages,
    group_heads,
    why_not,
    write_int8,
)
from inference.onnx_recipes import RECIPES
from inference.parity import Parity, answer_dev, read_dev
from tasks import InputError, Quora, Sst, Sts
from tests.inference.exports import PAIR_TASKS, dev_answers, run_elsewhere
from tests.inference.test_transformers_format import build_predictor

pytest.importorskip("onnxruntime")
ANSWER = """
import contextlib, json, re, sys
from pathlib import Path
card = (Path(sys.argv[1]) / "README.md").read_text()
code = re.search("```python\\n(.*?)```", card, re.S)[1]
with contextlib.redirect_stdout(sys.stderr):
    exec(code)
found = predict(sys.argv[1], json.loads(sys.argv[2]), file=sys.argv[3])
assert "torch" not in sys.modules and "transformers" not in sys.modules
print(json.dumps({name: values.tolist() for name, values in found.items()}))
"""


@pytest.fixture(scope="module")
def run(whole_run):
    return whole_run(**PAIR_TASKS).version(0)


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx") / "out"
    main([str(run), str(folder), "--format", "onnx", "--int8", "--max_loss", "1"])
    return folder


@pytest.mark.slow
def test_the_code_of_the_card_gives_the_checkpoints_numbers_without_torch(run, exported, cs224n_root, tmp_path):
    texts, answers = dev_answers(run, cs224n_root)
    checked = set()
    for encoding, task in (("single", "sst"), ("cross", "same"), ("bi", "sts")):
        found = run_elsewhere(ANSWER, tmp_path, str(exported / encoding), json.dumps(texts[task]), FILE)
        for name, values in found.items():
            if texts[name] == texts[task]:
                np.testing.assert_allclose(values, answers[name], atol=1e-4, err_msg=name)
                checked.add(name)
    assert checked == {"sst", "quora", "same", "near", "sts"}
    assert {path.name for path in exported.iterdir()} == {"single", "cross", "bi"}
    labels = json.loads((exported / "cross" / "labels.json").read_text())
    assert labels["answers"]["near"] == {"low": 0.0, "high": 5.0}
    assert labels["answers"]["same"] == {"classes": ["0", "1"]}
    assert list(json.loads((exported / "bi" / "labels.json").read_text())["answers"]) == ["quora", "sts"]


def test_an_outlier_spoils_its_block_and_not_the_batch(tmp_path):
    """One matrix of 256 rows, and inputs that are ordinary but for one entry."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper, save

    generator = np.random.default_rng(0)
    weight = numpy_helper.from_array(generator.normal(size=(256, 32)).astype(np.float32), "weight")
    sizes = {"x": 256, "y": 32}
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", size]) for name, size in sizes.items()]
    node = helper.make_node("MatMul", ["x", "weight"], ["y"], "product")
    graph = helper.make_graph([node], "graph", ends[:1], ends[1:], [weight])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10), tmp_path / FILE)
    inputs = generator.normal(size=(8, 256)).astype(np.float32)
    inputs[0, 0] = 100

    def answer(file):
        session = onnxruntime.InferenceSession(tmp_path / file, providers=["CPUExecutionProvider"])
        return session.run(None, {"x": inputs})[0]

    errors = []
    for quantize in RECIPES.values():
        quantize(tmp_path / FILE, tmp_path / INT8_FILE)
        errors.append(np.abs(answer(INT8_FILE) - answer(FILE))[1:].mean())  # of the rows without the outlier
    assert 0 < errors[1] < errors[0] / 5


@pytest.mark.slow
def test_the_first_recipe_that_loses_little_enough_is_kept(exported, tmp_path, capsys):
    shutil.copy(exported / "single" / FILE, tmp_path / FILE)

    def compare_files(_):
        return [replace(parity, exported=left.pop(0))]

    parity = Parity("sst", "accuracy", 0.8, None, 0.1, 9, 100, 100, 1e-4)
    left = [0.78, 0.795]
    found, recipe = write_int8(tmp_path, compare_files, 0.01)
    assert (found[0].exported, recipe) == (0.795, "a scale for each 128 values of weights and activations")
    assert "int8 with a scale for each output channel of a matrix loses more than 0.01: sst" in capsys.readouterr().out
    left = [0.78, 0.795]
    assert write_int8(tmp_path, compare_files, 0.03)[0][0].exported == 0.78
    left = [0.7, float("nan")]
    with pytest.raises(InputError, match=r"nan \(exported\).*expected a loss of 0.01 at most, see --max_loss"):
        write_int8(tmp_path, compare_files, 0.01)
    parity, left = replace(parity, checkpoint=float("nan")), [float("nan")]
    assert write_int8(tmp_path, compare_files, 0.01)[0][0].loss == 0


@pytest.mark.slow
def test_int8_stands_beside_fp32_and_the_card_has_both(exported):
    for encoding in ("single", "cross", "bi"):
        assert {FILE, INT8_FILE, "labels.json", "tokenizer.json", "README.md"} == {
            path.name for path in (exported / encoding).iterdir()
        }
    card = (exported / "single" / "README.md").read_text()
    assert "\npip install numpy onnxruntime tokenizers\n" in card
    assert 'file="model-int8.onnx")` is faster' in card
    assert "| sst, model.onnx | accuracy |" in card
    assert "| sst, model-int8.onnx | accuracy |" in card


@pytest.mark.slow
def test_int8_that_loses_too_much_is_refused(run, tmp_path, capsys):
    assert (
        main([str(run), str(tmp_path / "out"), "--format", "onnx", "--tasks", "sst", "--int8", "--max_loss", "-1"]) == 2
    )
    assert "expected a loss of -1 at most, see --max_loss" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"pooling": "mean", "trunk": TrunkSettings(size=4)},
        {"pooling": "cls"},
        {"adapter": Lora()},
        {"tasks": {"sst": Sst(head=MlpHead), "quora": Quora(), "sts": Sts(encoding="bi")}},
    ],
    ids=["trunk", "cls", "lora", "encodings"],
)
def test_padded_heads_answer_as_the_checkpoint(settings, tiny_backbone, tokenizer, cs224n_root):
    """What is exported, before torch.onnx sees it."""
    from inference.onnx_format import merge_lora

    torch.manual_seed(0)
    predictor = build_predictor(tiny_backbone, tokenizer, **settings)
    splits = {name: read_dev(task, cs224n_root, most_rows=9) for name, task in predictor.tasks.items()}
    answers = answer_dev(predictor, splits)
    model = predictor.model
    merge_lora(model.backbone.bert)
    for encoding, heads in group_heads(predictor, list(predictor.tasks)).items():
        module = PaddedHeads(model.backbone.bert, model.backbone.pooling, model.trunk, heads).eval()
        texts = splits[next(iter(heads))].texts
        columns = [list(column) for column in zip(*texts, strict=True)]
        inputs = (columns[0] + columns[1],) if encoding == "bi" else columns
        tokens = tokenizer(*inputs, padding=True, return_tensors="pt")
        with torch.no_grad():
            found = module(tokens["input_ids"], tokens["attention_mask"], tokens["token_type_ids"])
        name = next(iter(heads))
        torch.testing.assert_close(found[0], answers[name], rtol=0, atol=1e-5)


def test_what_a_file_cannot_hold_is_refused(tiny_backbone, tokenizer):
    predictor = build_predictor(tiny_backbone, tokenizer, adapter=Pals(num_heads=2))
    assert "PALs" in str(why_not(predictor, "sst"))
    predictor = build_predictor(tiny_backbone, tokenizer, tasks={"sts": Sts(average_orders=True)})
    assert "both orders" in str(why_not(predictor, "sts"))


def test_the_packages_are_there():
    check_packages()
