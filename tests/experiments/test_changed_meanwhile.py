"""Runs that were made under other settings, files or splits than the command that shows or resumes them."""

import json
from pathlib import Path

import pytest
import yaml

from experiments.folding import collect_folds
from experiments.folds import main as folds_main
from experiments.job import Job
from experiments.row import Row
from experiments.systems import System
from experiments.tune import main as tune_main
from tasks import InputError
from tests.experiments.run_folders import almost_right, dev_labels, make_job, write_run

ROW = Row(name="plain", title="", configs=(), tasks=("sst", "quora", "sts"), against=None, origin="")
SEARCH = [
    {"name": "plain", "command": "-c one.yaml", "options": {"model.optimizer.lr": {"log_uniform": [1.0e-5, 1.0e-3]}}}
]
SIZES = ["--candidates", "2", "--factor", "2", "--rungs", "1", "--budget", "steps=10", "--seeds", "1"]


def test_the_order_of_configuration_files_is_a_setting(tmp_path):
    (tmp_path / "a.yaml").write_text("data: {batch_size: 1}")
    (tmp_path / "b.yaml").write_text("data: {batch_size: 2}")
    first, second = (Job("j", tmp_path / "j", tuple(tmp_path / name for name in names), ())
                     for names in (["a.yaml", "b.yaml"], ["b.yaml", "a.yaml"]))  # fmt: skip
    checkpoint = first.folder / "version_0/checkpoints/last.ckpt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    (first.folder / "settings.json").write_text(json.dumps(first.settings()))
    first.check_settings()
    with pytest.raises(InputError, match="was run with different settings: the -c files in another order"):
        second.check_settings()


def write_fold(folder: Path, root: Path, fold: int, rule: str, **changes: str) -> System:
    job = make_job(folder, f"plain/fold-{fold}")
    run = write_run(job, root, almost_right(root, wrong=1))
    report = json.loads((run / "report.json").read_text())
    for splits in report["data"].values():
        for split in splits.values():
            split |= {"split": rule, **changes}
    (run / "report.json").write_text(json.dumps(report))
    return System(f"plain/fold-{fold}", (job,))


def test_runs_of_another_number_of_folds_are_not_shown_as_these(tmp_path, cs224n_root):
    systems = {f"plain/fold-{fold}": write_fold(tmp_path, cs224n_root, fold, f"folds: 3, fold: {fold}, group: author")
               for fold in (0, 1, 2)}  # fmt: skip
    assert len(collect_folds(ROW, systems, 3).folds) == 3
    with pytest.raises(InputError, match=r"was trained with folds: 3, fold: 0 of sst \(expected folds: 2, fold: 0"):
        collect_folds(ROW, systems, 2)


def test_a_file_that_changes_between_two_folds_is_told(tmp_path, cs224n_root):
    systems = {
        f"plain/fold-{fold}": write_fold(tmp_path, cs224n_root, fold, f"folds: 2, fold: {fold}", **more)
        for fold, more in ((0, {}), (1, {"sha256": "other"}))
    }
    with pytest.raises(InputError, match=r"read another file of sst than .* \(expected the same in every fold\)"):
        collect_folds(ROW, systems, 2)


def test_a_task_that_is_not_split_has_no_interval_over_folds(tmp_path, cs224n_root, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tasks = {"sst": {"class_path": "Sst", "init_args": {"source": {"all": "x.csv", "dev_share": 0.1}}}, "sts": "Sts"}
    Path("mine.yaml").write_text(yaml.safe_dump({"tasks": tasks, "model": {"backbone": "bert-base-uncased"}}))
    for fold in (0, 1):
        job = Job("plain", Path(f"runs/folds/plain/fold-{fold}/seed-1"), (), ())
        predictions = {
            name: each for name, each in almost_right(cs224n_root, wrong=1 + fold).items() if name != "quora"
        }
        run = write_run(job, cs224n_root, predictions)
        report = json.loads((run / "report.json").read_text())
        for split in report["data"]["sst"].values():
            split["split"] = f"folds: 2, fold: {fold}"
        (run / "report.json").write_text(json.dumps(report))
    assert folds_main(["-c", "mine.yaml", "--row", "plain=", "--folds", "2", "--table_only"]) == 0
    found = json.loads(Path("runs/folds/results.json").read_text())["rows"][0]["over_folds"]
    assert found["sst"]["low"] is not None
    assert [found[name]["low"] for name in ("sts", "mean")] == [None, None]


def test_rows_with_their_tasks_in_another_order_have_a_difference_of_the_mean(tmp_path, cs224n_root):
    rows = []
    for name in ("a", "b"):
        job = make_job(tmp_path, f"{name}/fold-0")
        found = almost_right(cs224n_root, wrong=1)
        run = write_run(job, cs224n_root, found)
        settings = yaml.safe_load((run / "config.yaml").read_text())
        tasks = settings["tasks"].items()
        settings["tasks"] = dict(tasks if name == "a" else reversed(tasks))
        (run / "config.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
        rows.append(collect_folds(ROW, {"plain/fold-0": System(name, (job,))}, 2))
    assert "mean" in rows[0].minus(rows[1])


def test_values_of_another_search_are_not_shown_beside_its_runs(tmp_path, cs224n_root, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("one.yaml").write_text("tasks: {sst: Sst}\nmodel: {backbone: bert-base-uncased}\n")
    Path("search.yaml").write_text(yaml.safe_dump(SEARCH))
    for number in (0, 1):
        job = Job("c", Path(f"runs/tune/plain/candidate-{number}/10-steps/seed-1"), (), ())
        write_run(job, cs224n_root, {"sst": dev_labels(cs224n_root, "sst")})
        flags = ["--model.optimizer.lr=0.5"] if number else []
        (job.folder / "settings.json").write_text(json.dumps({"configs": [], "flags": flags, "weights": []}))
    assert tune_main(["search.yaml", *SIZES, "--table_only"]) == 2
    said = capsys.readouterr().err
    assert "candidate-1" in said
    assert "was run without --model.optimizer.lr=" in said
    assert not Path("runs/tune/plain.yaml").exists()


def test_the_curve_of_a_training_that_began_anew_is_its_own(tmp_path, cs224n_root):
    """An attempt that left nothing to resume may have had other settings."""
    job = make_job(tmp_path, "a")
    scores = almost_right(cs224n_root, wrong=1)
    means = [{"sst": value, "quora": value, "sts": value, "mean": value} for value in (0.9, 0.1)]
    for curve in (means[:1], [means[1]] * 2):
        write_run(job, cs224n_root, scores, curve=curve, resumed_from=None)
    (job.folder / "version_0/report.json").unlink()
    assert [each.name for each in job.trainings()] == ["version_1"]
    assert System("a", (job,)).best["mean"] == pytest.approx([0.1])


def test_the_curve_of_a_training_that_was_resumed_is_that_of_both_attempts(tmp_path, cs224n_root):
    job = make_job(tmp_path, "a")
    scores = almost_right(cs224n_root, wrong=1)
    for start in (None, "a/seed-1/version_0/checkpoints/last.ckpt"):
        write_run(job, cs224n_root, scores, resumed_from=start)
    (job.folder / "version_0/report.json").unlink()
    assert [each.name for each in job.trainings()] == ["version_0", "version_1"]
