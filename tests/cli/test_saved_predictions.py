"""Learning from saved predictions."""

import yaml

from analysis.unlabelled_texts import main as make_texts
from tests.cli.command_line import TASKS, read_report


def test_a_run_learns_from_the_train_predictions_of_others(train, fitted, capsys):
    last = fitted / "checkpoints" / "last.ckpt"
    predicted = train("predict", "--ckpt_path", last, "--data.predict_splits", "[train]")
    names = {path.name for path in (predicted / "predictions").iterdir()}
    assert names == {
        *(f"{task}-train.csv" for task in TASKS),
        "sst-train-probabilities.csv",
        "quora-train-probabilities.csv",
    }
    teacher = [part for task in TASKS for part in (f"--tasks.{task}.teacher.files", f"[{predicted}]")]
    taught = train("fit", *teacher, "--tasks.sst.teacher.weight", 0.9, "--tasks.sst.teacher.temperature", 2)
    alone = train("fit")
    assert read_report(taught)["weights_sha256"] != read_report(alone)["weights_sha256"]
    saved = yaml.safe_load((taught / "config.yaml").read_text())
    assert saved["tasks"]["sst"]["init_args"]["teacher"]["weight"] == 0.9
    train.refuse("fit", "--tasks.sst.teacher.files", "[nowhere]", "--data.root", "/none")
    assert "error: task sst: teacher nowhere: no such file or run folder" in capsys.readouterr().err


def test_scores_on_another_scale_end_the_run_before_it_trains(train, capsys):
    file = train.folder / "similarities.csv"
    scores = [(number % 2 * 4 + number % 3 / 2) / 5 for number in range(12)]
    file.write_text("id,score\n" + "".join(f"sts-{row:02d},{score}\n" for row, score in enumerate(scores)))
    train.refuse("fit", "--tasks.sts.teacher.files", f"[{file}]")
    assert f"error: {file}: its scores are from 0 to 1, and fit the labels better" in capsys.readouterr().err


def test_a_run_learns_from_what_another_says_of_made_texts(train, fitted, caplog):
    made = train.folder / "made"
    assert make_texts([str(fitted), "--count", "quora=5", "sts=4", "--output", str(made)]) == 0
    config, last = made / "made_texts.yaml", fitted / "checkpoints" / "last.ckpt"
    predicted = train("predict", "--ckpt_path", last, "--data.predict_splits", "[train]", config=config)
    answers = (predicted / "predictions" / "sts-train.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in answers[-4:]] == [f"made:{number}" for number in range(4)]
    teacher = [part for task in ("quora", "sts") for part in (f"--tasks.{task}.teacher.files", f"[{predicted}]")]
    report = read_report(train("fit", *teacher, config=config))
    assert "task sts: rows without a label learn from the teacher alone" in caplog.messages
    assert [report["data"][task]["train"]["rows"] for task in TASKS] == [12, 17, 16]
    assert [report["data"][task]["dev"]["rows"] for task in TASKS] == [12, 12, 12]
