import json
from pathlib import Path

import pytest
import yaml

from experiments.cells import format_interval
from experiments.statistics import Interval
from experiments.systems import Difference, System, check_same_data, compare_systems
from tasks import InputError
from tests.experiments.run_folders import almost_right, dev_labels, make_job, write_run


def make_system(folder: Path, root: Path, name: str, *, wrong: int) -> System:
    """Two seeds that are wrong about some rows."""
    jobs = tuple(make_job(folder, name, seed) for seed in (1, 2))
    for seed, job in enumerate(jobs, start=1):
        write_run(job, root, almost_right(root, wrong=wrong), seed=seed)
    return System(name, jobs)


@pytest.fixture
def good(tmp_path: Path, cs224n_root: Path) -> System:
    return make_system(tmp_path, cs224n_root, "good", wrong=0)


@pytest.fixture
def poor(tmp_path: Path, cs224n_root: Path) -> System:
    return make_system(tmp_path, cs224n_root, "poor", wrong=8)


def test_a_system_reads_the_scores_of_its_runs(poor):
    assert poor.seeds == [1, 2]
    assert poor.metrics == {"sst": "accuracy", "quora": "accuracy", "sts": "pearson"}
    assert poor.last["sst"] == pytest.approx([4 / 12, 4 / 12])
    assert poor.last["quora"] == [1.0, 1.0]
    labels, predictions, *_ = poor.answers["sst"]
    assert predictions.shape == (2, 12)
    assert ((predictions == labels).mean(axis=1) == 4 / 12).all()


def test_the_better_system_helped_and_the_worse_one_hurt(good, poor):
    difference = compare_systems(good, poor)
    assert difference.intervals["sst"].estimate == pytest.approx(8 / 12)
    assert difference.intervals["quora"] == Interval(0.0, 0.0, 0.0)
    assert difference.verdict == "helped"
    assert difference.sentence().startswith("good is better than poor (mean +0.")
    assert compare_systems(poor, good).verdict == "hurt"
    assert difference.p_values == {}
    assert "one run" not in difference.sentence()


def test_equal_systems_cannot_be_told_apart(good):
    difference = compare_systems(good, good)
    assert difference.verdict == "cannot be told apart"
    assert difference.sentence().startswith("good and good cannot be told apart (mean +0.0000, 95 % interval")


def test_one_run_each_gets_exact_tests_and_a_warning(good, poor):
    difference = compare_systems(System("good", good.jobs[:1]), System("poor", poor.jobs[:1]))
    assert difference.p_values["sst"] == pytest.approx(2 / 2**8)  # eight rows that only the first gets right
    assert difference.p_values["quora"] == 1.0
    assert difference.sentence().endswith("; one run each: the noise between runs is not included).")


def test_a_single_run_is_named_where_the_other_system_has_several(good, poor):
    difference = compare_systems(System("good", good.jobs[:1]), poor)
    assert difference.sentence().endswith("; one run of good: the noise between its runs is not included).")
    assert "; one run of poor:" in compare_systems(good, System("poor", poor.jobs[:1])).sentence()


def test_systems_are_compared_on_the_tasks_that_both_have(good, tmp_path, cs224n_root):
    job = make_job(tmp_path, "single")
    write_run(job, cs224n_root, {"sst": almost_right(cs224n_root, wrong=2)["sst"]})
    difference = compare_systems(good, System("single", (job,)))
    assert list(difference.intervals) == ["sst"]
    assert difference.measure == "sst"
    other = make_job(tmp_path, "other")
    write_run(other, cs224n_root, {"quora": dev_labels(cs224n_root, "quora")})
    with pytest.raises(InputError, match="other and single have no task in common"):
        compare_systems(System("other", (other,)), System("single", (job,)))


def test_a_task_outside_the_mean_is_left_out_of_the_scores(tmp_path, cs224n_root):
    job = make_job(tmp_path, "helped")
    folder = write_run(job, cs224n_root, almost_right(cs224n_root, wrong=2))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["tasks"]["quora"] = {"class_path": "Quora", "init_args": {"in_mean": False}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    system = System("helped", (job,))
    assert system.columns == ("sst", "sts", "mean")
    assert list(system.answers) == ["sst", "sts"]


def test_an_undefined_correlation_gets_no_verdict():
    nan = Interval(float("nan"), float("nan"), float("nan"))
    difference = Difference("a", "b", {"sts": nan}, {}, (3, 3))
    assert difference.verdict == "cannot be told apart"
    assert difference.sentence() == (
        "a against b: undefined, as all predictions of a run or all labels of a task are the same."
    )


def test_an_undefined_interval_gets_no_verdict_and_says_so():
    difference = Difference("a", "b", {"sts": Interval(0.2, float("nan"), float("nan"))}, {}, (3, 3))
    assert difference.verdict == "cannot be told apart"
    assert difference.sentence() == (
        "a and b cannot be told apart (sts +0.2000, interval undefined: many resamples have no score)."
    )
    assert format_interval(difference.intervals["sts"]) == "+.200 [undefined]"


def test_runs_on_other_data_are_not_compared(good, tmp_path, cs224n_root):
    job = make_job(tmp_path, "short")
    labels = {"sst": dev_labels(cs224n_root, "sst")}
    write_run(job, cs224n_root, labels, data={"sst": {"train": {"path": "x", "rows": 5, "sha256": "y"}}})
    with pytest.raises(InputError, match=r"seed-1/version_0 and .* read different train data of sst"):
        check_same_data([good, System("short", (job,))])
    check_same_data([good, good])


def test_the_best_validation_is_that_of_all_attempts(tmp_path, cs224n_root):
    job = make_job(tmp_path, "stopped")
    curve = [{"sst": 0.4, "mean": 0.5}, {"sst": 0.6, "mean": 0.7}]
    first = write_run(job, cs224n_root, {"sst": dev_labels(cs224n_root, "sst")}, curve=curve)
    (first / "report.json").unlink()  # stopped before its end
    write_run(job, cs224n_root, {"sst": dev_labels(cs224n_root, "sst")}, curve=[*curve, {"sst": 0.55, "mean": 0.6}])
    system = System("stopped", (job,))
    assert system.best == {"sst": pytest.approx([0.6]), "mean": pytest.approx([0.7])}
    assert system.last["sst"] == [1.0]


def test_a_later_validation_of_a_run_is_no_point_of_its_curve(tmp_path, cs224n_root):
    job = make_job(tmp_path, "scored")
    labels = {"sst": dev_labels(cs224n_root, "sst")}
    write_run(job, cs224n_root, labels, curve=[{"sst": 0.4, "mean": 0.4}])
    later = write_run(job, cs224n_root, labels, curve=[{"sst": 0.9, "mean": 0.9}])
    report = json.loads((later / "report.json").read_text())
    del report["weights_sha256"]
    (later / "report.json").write_text(json.dumps(report))
    system = System("scored", (job,))
    assert [run.folder.name for run in system.runs] == ["version_0"]
    assert system.best["mean"] == pytest.approx([0.4])
