import json
import math
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import stats

from analysis.run import Run
from experiments.fold_interval import fold_interval
from experiments.fold_tables import Fold, FoldedRow, show
from experiments.folds import main
from experiments.row import Row
from experiments.systems import System
from tasks import InputError
from tests.experiments.run_folders import almost_right, make_job, write_run
from tests.tasks.test_splitting import films, write


def row_of(folder: Path, root: Path, name: str, wrong: list[int], *, against: str | None = None) -> FoldedRow:
    """Return a row with one run per fold, each with other mistakes."""
    folds = []
    for fold, mistakes in enumerate(wrong):
        job = make_job(folder, f"{name}/fold-{fold}")
        run = write_run(job, root, almost_right(root, wrong=mistakes))
        report = json.loads((run / "report.json").read_text())
        for splits in report["data"].values():
            for source in splits.values():
                source["split"] = f"folds: {len(wrong)}, fold: {fold}"
        (run / "report.json").write_text(json.dumps(report))
        folds.append(Fold(fold, System(f"{name}/fold-{fold}", (job,))))
    row = Row(name=name, title="", configs=(), tasks=("sst", "quora", "sts"), against=against, origin="")
    return FoldedRow(row, folds, len(wrong))


def test_the_interval_over_folds_is_wider_than_that_over_independent_runs():
    scores = [0.5, 0.52, 0.55, 0.51, 0.49]
    found = fold_interval(scores, 5)
    plain = stats.t.interval(0.95, 4, np.mean(scores), stats.sem(scores))
    assert found.estimate == pytest.approx(0.514)
    assert (found.high - found.low) / (plain[1] - plain[0]) == pytest.approx(math.sqrt(1 + 5 / 4))
    assert found.high - found.estimate == pytest.approx(1.862 * np.std(scores, ddof=1), rel=1e-3)
    assert math.isnan(fold_interval([0.5], 5).low)


def test_the_interval_covers_the_truth_where_folds_correlate_as_it_takes_them_to():
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=(2000, 1)), rng.normal(size=(2000, 5))
    scores = math.sqrt(0.2) * common + math.sqrt(0.8) * own  # correlation 1 / 5
    intervals = [fold_interval(each, 5) for each in scores]
    assert np.mean([found.low <= 0 <= found.high for found in intervals]) == pytest.approx(0.95, abs=0.015)


def test_the_table_has_mean_and_interval_and_differences_fold_by_fold(tmp_path, cs224n_root, capsys):
    plain = row_of(tmp_path, cs224n_root, "plain", [1, 2, 3])
    other = row_of(tmp_path, cs224n_root, "other", [2, 3, 4], against="plain")
    show({"plain": plain, "other": other}, tmp_path)
    scores = [11 / 12, 10 / 12, 9 / 12]
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["rows"][0]["over_folds"]["sst"] == pytest.approx(vars(fold_interval(scores, 3)))
    assert found["rows"][0]["folds"]["2"]["sst"] == pytest.approx(0.75)
    (difference,) = found["differences"]
    assert difference["intervals"]["sst"] == pytest.approx({"estimate": -1 / 12, "low": -1 / 12, "high": -1 / 12})
    assert difference["intervals"].keys() == {"sst", "quora", "sts", "mean"}
    text = (tmp_path / "results.md").read_text()
    assert "| plain | 3 of 3 | 1.0000 [1.0000, 1.0000] | .8333 [.5060, 1.1606] |" in text  # quora, sst
    assert "corrected for the rows that the trainings share" in text


def test_rows_that_were_split_otherwise_are_not_compared(tmp_path, cs224n_root):
    rows = {name: row_of(tmp_path, cs224n_root, name, [1, 2], against="a" if name == "b" else None) for name in "ab"}
    path = rows["b"].folds[1].system.runs[0].folder / "report.json"
    report = json.loads(path.read_text())
    report["data"]["sst"]["dev"]["split"] = "folds: 3, fold: 1"
    path.write_text(json.dumps(report))
    fresh = FoldedRow(rows["b"].row, [Fold(f.number, System("b", f.system.jobs)) for f in rows["b"].folds], 2)
    with pytest.raises(InputError, match="read other dev rows of sst"):
        show({"a": rows["a"], "b": fresh}, tmp_path)


@pytest.mark.slow
def test_real_folds_are_trained_and_shown(tmp_path, word_backbone, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "films.csv", films(24))
    options = {"source": {"all": "films.csv", "dev_share": 0.25}, "texts": ["text"], "label": "label"}
    settings = {
        "tasks": {
            "films": {"class_path": "Classification", "init_args": {**options, "classes": ["good", "bad", "none"]}}
        },
        "model": {"backbone": str(word_backbone)},
        "data": {"cache_dir": str(tmp_path / "cache")},
        "trainer": {"accelerator": "cpu"},
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(settings))
    arguments = ["-c", "mine.yaml", "--row", "plain=", "--folds", "2", "--budget", "steps=2"]
    assert main(arguments) == 0
    (row,) = json.loads((tmp_path / "runs/folds/results.json").read_text())["rows"]
    dev = [[example.id for example in Run(Path(folder)).read_examples("films")] for folder in row["runs"]]
    assert sorted(map(int, [*dev[0], *dev[1]])) == list(range(24))
    assert "| plain | 2 of 2 |" in (tmp_path / "runs/folds/results.md").read_text()
    capfd.readouterr()
    assert main([*arguments, "--table_only"]) == 0


def test_the_help_says_that_a_fold_has_one_seed(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "--seeds SEEDS runs of each system (default: 1)" in " ".join(capsys.readouterr().out.split())
