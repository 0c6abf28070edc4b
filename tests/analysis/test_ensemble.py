import json
from pathlib import Path

import pytest
import yaml

from analysis.ensemble import main
from analysis.ensembling import ensemble
from analysis.page import write_report
from analysis.run import Run
from tasks import InputError
from tests.analysis.written import predict_all, write_data, write_run


@pytest.fixture
def members(tmp_path: Path, root: Path, folder: Path) -> list[Path]:
    """Three runs, of which two are right about every example."""
    others = [write_run(tmp_path / name, root, predict_all(s5="0")) for name in ("a", "b")]
    return [folder, *others]


@pytest.mark.parametrize("method", ["vote", "probability"])
def test_the_result_reads_like_a_run(members: list[Path], tmp_path: Path, method):
    ensemble(members, tmp_path / "out", method=method)
    run = Run(tmp_path / "out")
    assert run.read_predictions("sst").predictions.tolist() == [3, 1, 0, 4, 0, 4]
    assert run.read_predictions("same").is_right.all()
    assert run.read_predictions("near").predictions[3] == pytest.approx((4.5 + 1 + 1) / 3)
    assert run.report["metrics"]["sst"]["accuracy"] == pytest.approx(5 / 6)
    assert run.report["metrics"]["same"]["accuracy"] == 1
    assert run.report["members"] == [str(folder) for folder in members]
    assert run.report["method"] == method


def test_a_report_shows_it(members: list[Path], tmp_path: Path):
    ensemble(members, tmp_path / "out", method="score")
    write_report([tmp_path / "out"], tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text()
    assert "trained nothing" in page
    assert str(members[1]) in page


def test_scores_alone_leave_the_other_tasks_out(members: list[Path], tmp_path: Path):
    ensemble(members, tmp_path / "out", method="score")
    assert [path.name for path in (tmp_path / "out" / "predictions").iterdir()] == ["near-dev.csv"]


def test_selection_reports_both_halves(members: list[Path], tmp_path: Path, capsys):
    assert main([*map(str, members), "--output", str(tmp_path / "out"), "--select", "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    assert "held-out" in printed
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["selection_seed"] == 3
    assert report["selection"].keys() == {"sst", "same", "near"}
    for chosen in report["selection"].values():
        assert chosen["members"]
        assert chosen["ensemble"].keys() == {"selected", "held_out"}


def test_members_are_not_chosen_on_test(members: list[Path], tmp_path: Path, capsys):
    arguments = [*map(str, members), "--output", str(tmp_path / "out"), "--select", "--split", "test"]
    assert main(arguments) == 2
    assert "members are chosen on dev" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(members: list[Path], tmp_path: Path, capsys):
    (tmp_path / "out" / "kept").mkdir(parents=True)
    assert main([*map(str, members), "--output", str(tmp_path / "out")]) == 2
    assert "out: holds something already (expected a new or empty folder)" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["kept"]


def test_an_empty_folder_is_taken(members: list[Path], tmp_path: Path):
    (tmp_path / "out").mkdir()
    assert main([*map(str, members), "--output", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "report.json").is_file()


def test_runs_that_do_not_fit_are_refused(members: list[Path], tmp_path: Path):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="an ensemble of 1 run"):
        ensemble(members[:1], out, method="vote")
    with pytest.raises(InputError, match="a run appears twice"):
        ensemble([members[0], members[0]], out, method="vote")
    write_data(tmp_path / "more")
    (tmp_path / "more" / "sst.csv").write_text("id,text1,y\ns1,other,3\n")
    other = write_run(tmp_path / "c", tmp_path / "more", {})
    with pytest.raises(InputError, match=r"has a different dev split of sst than .* \(different SHA-256\)"):
        ensemble([members[0], other], out, method="vote")
    fewer = write_run(tmp_path / "d", tmp_path / "data", {}, tasks=["sst", "same"])
    with pytest.raises(InputError, match="has the tasks sst, same"):
        ensemble([members[0], fewer], out, method="vote")
    classes = [write_run(tmp_path / name, tmp_path / "data", predict_all(), tasks=["sst"]) for name in ("e", "f")]
    with pytest.raises(InputError, match="no task has scores"):
        ensemble(classes, out, method="score")
    assert not out.exists()


@pytest.mark.parametrize(
    ("task", "changes", "message"),
    [
        ("same", {"classes": ["yes, same", "no"]}, "has yes, same, no as labels of same (expected no, yes, same, as "),
        ("near", {"high": 10}, "has Scores(low=0.0, high=10.0) as labels of near (expected Scores(low=0.0, high=5.0)"),
    ],
)
def test_members_whose_labels_mean_something_else_are_refused(task, changes, message, members, tmp_path, capsys):
    path = members[2] / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["tasks"][task]["init_args"].update(changes)
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    assert main([*map(str, members), "--output", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
