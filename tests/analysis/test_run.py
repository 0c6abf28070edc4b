from pathlib import Path

import numpy as np
import pytest
import yaml

from analysis.run import Run
from tasks import InputError
from tests.analysis.written import predict_all, write_data, write_run


def test_a_run_is_read_with_its_tasks_and_predictions(folder: Path):
    run = Run(folder)
    assert run.name == "mine/version_0"
    assert list(run.tasks) == ["sst", "same", "near"]
    predictions = run.read_predictions("sst")
    assert [example.id for example in predictions.examples] == ["s1", "s2", "s3", "s4", "s5", "<b>s6"]
    assert predictions.labels.tolist() == [3, 1, 0, 4, 1, 4]
    assert predictions.predictions.tolist() == [3, 3, 0, 4, 1, 4]
    assert predictions.is_right.tolist() == [True, False, True, True, True, True]
    assert predictions.confidence == pytest.approx(np.full(6, 0.8))
    assert not predictions.is_partial


def test_a_class_may_hold_a_comma(folder: Path):
    predictions = Run(folder).read_predictions("same")
    assert predictions.predictions.tolist() == [0, 1, 1, 1]


def test_a_score_is_right_within_a_tenth_of_the_range(tmp_path: Path, root: Path):
    run = Run(write_run(tmp_path / "run", root, predict_all(t0="0.5", t3="1.51", t6="1.4", t9="2.5")))
    right = run.read_predictions("near").is_right
    assert [n for n in range(12) if not right[n]] == [3, 6]
    assert run.read_predictions("near").confidence is None


def test_a_part_of_a_split_is_refused_unless_allowed(tmp_path: Path, root: Path):
    part = predict_all()
    part["sst"] = {name: part["sst"][name] for name in ("s2", "s5")}
    run = Run(write_run(tmp_path / "run", root, part))
    with pytest.raises(InputError, match=r"holds 2 of the 6 examples of the dev split of sst .*limit_val_batches"):
        run.read_predictions("sst")
    predictions = run.read_predictions("sst", allow_partial=True)
    assert [example.id for example in predictions.examples] == ["s2", "s5"]
    assert predictions.split_size == 6
    assert predictions.is_partial


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("sst-dev.csv", "id, Prediction\n", "holds no prediction"),
        ("sst-dev.csv", "id, Prediction\ns1, 3\nother, 3\n", r"line 3: 'other, 3' does not match the next example"),
        ("sst-dev.csv", "id, Prediction\ns1, 7\n", r"line 2: the prediction is '7' \(expected 0 to 4\)"),
        ("near-dev.csv", "id, Prediction\nt0, nan\n", r"line 2: the prediction is 'nan' \(expected a finite number\)"),
        ("near-dev.csv", "id, Prediction\nt0, much\n", r"'much' \(expected a finite number\)"),
        ("sst-dev-probabilities.csv", "id,0,1,2,3,4\nx,1,0,0,0,0\n", "its ids are not those of the prediction file"),
    ],
)
def test_a_wrong_prediction_file_is_named_by_line(folder: Path, name: str, text: str, message: str):
    (folder / "predictions" / name).write_text(text)
    with pytest.raises(InputError, match=message):
        Run(folder).read_predictions(name.split("-")[0], allow_partial=True)


def test_missing_predictions_are_an_error(folder: Path):
    with pytest.raises(InputError, match=r"sst-test.csv: no such file \(expected the test predictions of mine/"):
        Run(folder).read_predictions("sst", "test")
    (folder / "predictions" / "sst-test.csv").write_text("id, Prediction\ns1, 3\n")
    with pytest.raises(InputError, match="mine/version_0 read no test split of sst"):
        Run(folder).read_predictions("sst", "test")


def test_changed_or_missing_data_is_an_error(folder: Path, root: Path):
    write_data(root, {"sst": [("s1", ("another text",), "3")]})
    with pytest.raises(InputError, match="has changed since mine/version_0 read it"):
        Run(folder).read_predictions("sst")
    (root / "sst.csv").unlink()
    with pytest.raises(InputError, match=r"sst.csv: no such file \(the dev split of sst"):
        Run(folder).read_predictions("sst")


def test_a_folder_without_a_run_is_an_error(folder: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"has no config.yaml \(expected the folder of a finished run\)"):
        Run(tmp_path)
    (folder / "report.json").write_text("{")
    with pytest.raises(InputError, match=r"report.json: not JSON"):
        _ = Run(folder).report
    (folder / "config.yaml").write_text("trainer: {}")
    with pytest.raises(InputError, match=r"config.yaml: not the configuration of a multitask run"):
        _ = Run(folder).config


def test_an_encoding_that_is_two_tasks_now_is_refused_with_what_to_write(folder: Path):
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["tasks"]["near"]["init_args"]["encoding"] = "both"
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    with pytest.raises(
        InputError, match=r"config.yaml: task near has encoding: both \(expected two tasks over the same"
    ):
        _ = Run(folder).tasks


def test_a_task_with_a_head_of_its_own_is_read(folder: Path):
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["tasks"]["near"]["init_args"] |= {
        "encoding": "bi",
        "head": {"class_path": "heads.CosineHead", "init_args": {"dropout": 0.25}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    task = Run(folder).tasks["near"]
    assert task.encoding == "bi"
    assert type(task.build_head(8)).__name__ == "CosineHead"


def test_probabilities_of_classes_in_another_order_are_an_error(folder: Path):
    path = folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["tasks"]["same"]["init_args"]["classes"] = ["yes, same", "no"]
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    with pytest.raises(InputError, match=r"its columns are no, yes, same \(expected the classes yes, same, no\)"):
        Run(folder).read_predictions("same")
