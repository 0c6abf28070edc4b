import importlib.util
import json
import multiprocessing
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import experiments.launcher
from experiments.job import Job
from experiments.launcher import Launcher
from tasks import InputError
from tests.runs import wait_for

PROGRAM = Path(__file__).with_name("pretend_training.py")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def launch(said):
    def run(*jobs: Job, at_once: int = 1, **options) -> list[int]:
        return [outcome.status for outcome in Launcher(jobs=at_once, report=said.append, **options).run(jobs)]

    return run


def make_job(folder: Path, name: str = "b1", *flags: str, **options) -> Job:
    return Job(name=name, folder=folder / name / "seed-1", configs=(), flags=flags, script=PROGRAM, **options)


def test_jobs_are_printed_run_and_leave_a_log_and_their_settings(tmp_path, launch, said):
    first, second = make_job(tmp_path, "b1"), make_job(tmp_path, "b2")
    assert launch(first, second, at_once=2) == [0, 0]
    assert f"b1: {first.shown_command}" in said
    assert any(line.startswith("b2: done in") for line in said)
    assert {path.name for path in first.folder.iterdir()} == {"lock", "log.txt", "settings.json", "version_0"}
    assert first.finished().folder == first.folder / "version_0"


@pytest.mark.parametrize(("given", "expected"), [(None, str(max(1, os.cpu_count() // 2))), ("3", "3")])
def test_jobs_share_the_cores_or_take_the_threads_that_are_given(tmp_path, launch, monkeypatch, given, expected):
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)  # PyTorch takes MKL's number where the two differ
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if given is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    first, second = make_job(tmp_path, "b1"), make_job(tmp_path, "b2")
    launch(first, second, at_once=2)
    for job in (first, second):
        assert f"started with {expected} thread(s)" in (job.folder / "log.txt").read_text()


def test_a_finished_job_is_not_run_again(tmp_path, launch, said):
    job = make_job(tmp_path)
    assert launch(job) == launch(job) == [0]
    assert said[-1] == "b1: already finished"
    assert [path.name for path in job.attempts()] == ["version_0"]


def test_a_finished_job_keeps_its_last_checkpoint_only_if_asked(tmp_path, launch):
    dropped, kept = make_job(tmp_path, "b1"), make_job(tmp_path, "b2")
    launch(dropped)
    launch(kept, keep_last=True)
    assert not (dropped.folder / "version_0/checkpoints/last.ckpt").exists()
    assert (kept.folder / "version_0/checkpoints/last.ckpt").exists()
    launch(kept)
    assert not (kept.folder / "version_0/checkpoints/last.ckpt").exists()


def test_a_failing_job_is_reported_and_the_others_go_on(tmp_path, launch, said):
    failing, other = make_job(tmp_path, "b1", "--fail"), make_job(tmp_path, "b2")
    assert launch(failing, other) == [3, 0]
    (report,) = [line for line in said if "status 3" in line]
    assert "something is wrong" in report
    assert str(failing.folder / "log.txt") in report


def test_a_failed_job_is_tried_again(tmp_path, launch):
    hold = tmp_path / "hold"
    job = make_job(tmp_path, "b1", "--hold", str(hold), "--fail")
    assert launch(job) == [3]
    (tmp_path / "repaired").touch()
    assert launch(job) == [0]
    assert [path.name for path in job.attempts()] == ["version_0", "version_1"]
    assert job.finished().folder.name == "version_1"


def test_other_settings_are_refused_before_anything_runs(tmp_path, launch, said):
    launch(make_job(tmp_path, "b1", "--trainer.max_steps", "12", "--seed_everything", "1"))
    changed = make_job(tmp_path, "b1", "--trainer.max_steps", "24", "--seed_everything", "1")
    said.clear()
    with pytest.raises(
        InputError, match=r"different settings: --trainer.max_steps 12 before, --trainer.max_steps 24 now"
    ):
        launch(make_job(tmp_path, "b2"), changed)
    assert said == []
    assert not (tmp_path / "b2").exists()


def test_another_file_or_other_weights_are_other_settings(tmp_path, launch):
    config, weights = tmp_path / "a.yaml", tmp_path / "bert" / "model.safetensors"
    config.write_text("x: 1")
    weights.parent.mkdir()
    weights.write_text("1")
    flags = ("--model.backbone", str(weights.parent))
    job = Job("b1", tmp_path / "b1" / "seed-1", (config,), flags, PROGRAM)
    assert launch(job) == [0]
    config.write_text("x: 2")
    with pytest.raises(InputError, match=r"a\.yaml [0-9a-f]{64} before, a\.yaml"):
        launch(job)
    config.write_text("x: 1")
    weights.write_text("2")
    with pytest.raises(InputError, match=r"model\.safetensors"):
        launch(job)


def test_settings_of_an_attempt_that_left_nothing_may_be_corrected(tmp_path, launch):
    job = make_job(tmp_path, "b1", "--fail", "--typo")
    launch(job)
    (job.folder / "version_0/checkpoints/last.ckpt").unlink()
    assert launch(make_job(tmp_path, "b1", "--correct")) == [0]


def test_the_order_of_flags_is_no_setting(tmp_path, launch):
    launch(make_job(tmp_path, "b1", "--trainer.max_steps", "12", "--data.batch_size", "4", "--x", "1", "--x", "2"))
    again = make_job(tmp_path, "b1", "--data.batch_size=4", "--x", "1", "--x", "2", "--trainer.max_steps", "12")
    assert launch(again) == [0]
    with pytest.raises(InputError, match="other settings"):
        launch(make_job(tmp_path, "b1", "--trainer.max_steps", "12", "--data.batch_size", "4", "--x", "2", "--x", "1"))


def test_what_scored_a_finished_job_later_is_none_of_its_trainings(tmp_path, launch, said):
    job = make_job(tmp_path)
    launch(job)
    for name, text in {"version_1": json.dumps({"metrics": {}}), "version_1_old": "", "version_2": None}.items():
        (job.folder / name).mkdir()
        if text is not None:
            (job.folder / name / "report.json").write_text(text)
    assert job.finished().folder.name == "version_0"
    assert [folder.name for folder in job.attempts()] == ["version_0", "version_1", "version_2"]
    assert [folder.name for folder in job.trainings()] == ["version_0"]
    assert launch(job) == [0]
    assert said[-1] == "b1: already finished"


def test_a_report_that_was_cut_off_is_none_and_the_state_stays(tmp_path, launch):
    job = make_job(tmp_path)
    launch(job, keep_last=True)
    attempt = job.folder / "version_0"
    (attempt / "report.json").write_text('{"weights_sha256": "0", "metr')
    assert job.finished() is None
    assert launch(job) == [0]
    assert job.finished().folder.name == "version_1"


@pytest.mark.parametrize("text", [None, "{", '{"flags": []}', "[1]"])
def test_runs_without_settings_are_refused(text, tmp_path, launch):
    job = make_job(tmp_path)
    launch(job)
    (job.folder / "settings.json").unlink()
    if text is not None:
        (job.folder / "settings.json").write_text(text)
    with pytest.raises(InputError, match=r"settings\.json: cannot be read, but there are runs next to it"):
        launch(job)


def test_a_job_that_cannot_be_started_is_a_failed_one_and_the_others_go_on(tmp_path, launch, said):
    config = tmp_path / "a.yaml"
    missing = Job("b1", tmp_path / "b1" / "seed-1", (config,), (), script=PROGRAM)  # no such file
    assert launch(missing, make_job(tmp_path, "b2")) == [1, 0]
    assert any(line.startswith("b1: FileNotFoundError: ") for line in said)


def start_launcher(job: Job) -> Any:
    """Run the job by a launcher in a process of its own."""
    process = multiprocessing.get_context("fork").Process(target=run_launcher, args=(job,))
    process.start()
    return process


def run_launcher(job: Job) -> None:
    try:
        Launcher(jobs=1, report=print).run([job])
    except KeyboardInterrupt:
        sys.exit(130)


def test_a_job_that_outlives_its_launcher_is_waited_for(tmp_path, said):
    hold = tmp_path / "hold"
    hold.touch()
    job = make_job(tmp_path, "b1", "--hold", str(hold))
    launcher = start_launcher(job)
    wait_for(lambda: job.attempts())
    launcher.kill()
    launcher.join()

    def release(line: str) -> None:
        said.append(line)
        hold.unlink(missing_ok=True)

    (outcome,) = Launcher(jobs=1, report=release).run([job])
    assert outcome.status == 0
    assert said == ["b1: is still running from an earlier start; waiting for it", "b1: already finished"]
    assert [path.name for path in job.attempts()] == ["version_0"]


def test_what_another_launcher_ran_meanwhile_with_other_settings_is_not_taken(tmp_path, said):
    hold = tmp_path / "hold"
    hold.touch()
    held, other = (make_job(tmp_path, "b1", "--hold", str(hold), "--trainer.max_steps", n) for n in ("12", "24"))
    launcher = start_launcher(held)
    wait_for(lambda: held.attempts())
    (held.folder / "version_0/checkpoints/last.ckpt").unlink(missing_ok=True)  # nothing is there to refuse yet

    def release(line: str) -> None:
        said.append(line)
        hold.unlink(missing_ok=True)

    (outcome,) = Launcher(jobs=1, report=release).run([other])
    launcher.join()
    assert outcome.status == 2
    assert "different settings: --trainer.max_steps 12 before, --trainer.max_steps 24 now" in said[-1]


def test_sigterm_ends_the_launcher_and_its_job(tmp_path):
    hold = tmp_path / "hold"
    hold.touch()
    job = make_job(tmp_path, "b1", "--hold", str(hold))
    launcher = start_launcher(job)
    log = job.folder / "log.txt"
    wait_for(lambda: log.exists() and "process" in log.read_text())
    process = int(log.read_text().split()[-1])
    launcher.terminate()
    launcher.join(30)
    assert launcher.exitcode == 130
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert job.finished() is None


def test_without_file_locks_the_module_loads_and_running_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)  # as on Windows: importing it fails
    spec = importlib.util.spec_from_file_location("launcher_without_locks", experiments.launcher.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    with pytest.raises(InputError, match=r"needs file locks, which this system lacks \(expected Linux or macOS"):
        module.Launcher(jobs=1, report=print).run([])
