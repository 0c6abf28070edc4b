"""Runs that are ended by a signal: what they leave behind, say and return."""

import os
import shlex
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runs import Ended, Project, wait_for
from tests.same_end import assert_same_end

Projects = Callable[..., Project]

LAST = "runs/tiny/version_0/checkpoints/last.ckpt"


def resume_arguments(ended: Ended) -> list[str]:
    """Return the arguments behind `-c tiny.yaml` of the command that a stopped run printed."""
    lines = [line for line in ended.output.splitlines() if line.startswith("resume with: ")]
    assert len(lines) == 1, ended.output
    words = shlex.split(lines[0].removeprefix("resume with: "))
    assert words[0] == "python"
    assert words[2:5] == ["fit", "-c", "tiny.yaml"]
    return words[5:]


def put_scontrol(folder: Path, status: int = 0) -> dict[str, str]:
    """Put a command that keeps its arguments in the place of SLURM's, and give the environment of a job."""
    folder.mkdir()
    command = folder / "scontrol"
    command.write_text(f'#!/bin/sh\necho "$@" >> {folder / "arguments"}\nexit {status}\n')
    command.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "SLURM_JOB_ID": "17"}


def test_a_stopped_run_says_how_to_go_on_and_then_ends_as_the_whole_one(
    whole_run: Projects, tiny_project: Projects
) -> None:
    project = tiny_project()

    stopped = project.run(PROBE="train_batch_start:4", PROBE_SIGNAL=str(int(signal.SIGTERM)))

    assert stopped.code == 128 + signal.SIGTERM
    assert "stopped at step 5 by SIGTERM; everything is saved" in stopped.output
    assert "Traceback" not in stopped.output
    assert resume_arguments(stopped) == ["--ckpt_path", LAST]
    resumed = project.run(*resume_arguments(stopped))
    assert resumed.code == 0, resumed.output
    assert project.resumed_step(1) == 5
    assert_same_end(whole_run(), project, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "number", "step"),
    [
        ("train_batch_start:0", signal.SIGINT, 1),
        ("train_start:0", signal.SIGTERM, 1),
        ("train_batch_start:8", signal.SIGUSR1, 9),  # the step that a validation follows
        ("validation_batch_end:9", signal.SIGINT, 10),
        ("train_epoch_end:18", signal.SIGTERM, 19),
        ("os.fsync:2", signal.SIGTERM, 5),
    ],
)
def test_a_run_stopped_anywhere_ends_as_the_whole_one(
    whole_run: Projects, tiny_project: Projects, place: str, number: int, step: int
) -> None:
    project = tiny_project()

    stopped = project.run(PROBE=place, PROBE_SIGNAL=str(int(number)))

    assert stopped.code == 128 + number, stopped.output
    assert f"stopped at step {step} by {signal.Signals(number).name}" in stopped.output
    assert project.run("--ckpt_path", "last").code == 0
    assert_same_end(whole_run(), project, 1)


@pytest.mark.slow
def test_a_run_that_accumulates_gradients_stops_at_a_whole_step(whole_run: Projects, tiny_project: Projects) -> None:
    changes = {"trainer.accumulate_grad_batches": 4}
    project = tiny_project(**changes)

    stopped = project.run(PROBE="train_batch_start:1", PROBE_SIGNAL=str(int(signal.SIGTERM)))

    assert "stopped at step 2" in stopped.output
    assert project.run("--ckpt_path", "last").code == 0
    assert_same_end(whole_run(**changes), project, 1)


@pytest.mark.slow
def test_a_signal_after_the_last_step_lets_the_run_end(tiny_project: Projects) -> None:
    project = tiny_project(**{"trainer.max_epochs": 1})

    ended = project.run(PROBE="validation_batch_end:9", PROBE_SIGNAL=str(int(signal.SIGTERM)))

    assert ended.code == 0, ended.output
    assert project.report(0)["steps"] == 9


@pytest.mark.slow
def test_a_second_signal_ends_a_run_at_once(tiny_project: Projects) -> None:
    project = tiny_project()
    running = project.start(PROBE="validation_batch_end:9", PROBE_SIGNAL=str(int(signal.SIGTERM)), PROBE_PAUSE="60")
    wait_for(lambda: len(project.trace(0)) == 9)
    wait_for(lambda: (project.folder / "probe-reached").exists())

    running.send(signal.SIGINT)

    assert running.wait(20).code == -signal.SIGINT


def test_slurm_jobs_return_to_the_queue(tiny_project: Projects, tmp_path: Path) -> None:
    job = put_scontrol(tmp_path / "bin")
    array = {"SLURM_ARRAY_JOB_ID": "17", "SLURM_ARRAY_TASK_ID": "3"}
    project = tiny_project(**{"trainer.max_steps": 2})

    stopped = project.run(PROBE="train_batch_start:0", PROBE_SIGNAL=str(int(signal.SIGUSR1)), **job, **array)

    assert stopped.code == 128 + signal.SIGUSR1
    assert (tmp_path / "bin" / "arguments").read_text() == "requeue 17_3\n"
    assert (project.folder / LAST).is_file()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "requeued"), [(signal.SIGUSR1, "requeue 17\n"), (signal.SIGTERM, None)])
def test_only_the_warning_signal_of_slurm_requeues_under_srun(
    whole_run: Projects, tiny_project: Projects, tmp_path: Path, number: int, requeued: str | None
) -> None:
    job = put_scontrol(tmp_path / "bin")
    task = {"SLURM_NTASKS": "1", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_JOB_NAME": "t"}
    project = tiny_project()

    stopped = project.run(
        "--ckpt_path", "auto", PROBE="train_batch_start:3", PROBE_SIGNAL=str(int(number)), **job, **task
    )

    assert stopped.code == 128 + number, stopped.output
    found = tmp_path / "bin" / "arguments"
    assert (found.read_text() if found.exists() else None) == requeued
    resumed = project.run("--ckpt_path", "auto", **job, **task)
    assert resumed.code == 0, resumed.output
    assert_same_end(whole_run(), project, 1)


@pytest.mark.slow
def test_a_run_that_cannot_return_to_the_queue_says_so(tiny_project: Projects, tmp_path: Path) -> None:
    job = put_scontrol(tmp_path / "bin", status=1)
    project = tiny_project()

    stopped = project.run(PROBE="train_batch_start:3", PROBE_SIGNAL=str(int(signal.SIGUSR1)), **job)

    assert stopped.code == 128 + signal.SIGUSR1
    assert "error: scontrol requeue 17: " in stopped.output
    assert "Traceback" not in stopped.output


@pytest.mark.slow
@pytest.mark.parametrize("receivers", [(0,), (1,), (0, 1)])
def test_two_processes_stop_at_the_same_step(tiny_project: Projects, receivers: tuple[int, ...]) -> None:
    project = tiny_project()
    whole = tiny_project()
    assert {ended.code for ended in whole.run_ranks(2)} == {0}
    processes = project.start_ranks(2, PROBE="train_batch_start:5", PROBE_SIGNAL="0", PROBE_PAUSE="3")
    wait_for(lambda: (project.folder / "probe-reached").exists())

    for rank in receivers:
        processes[rank].send(signal.SIGUSR1)
    ended = [process.wait() for process in processes]

    assert [process.code for process in ended] == [128 + signal.SIGUSR1] * 2, ended
    assert "resume with" not in ended[1].output
    assert resume_arguments(ended[0])[-2:] == ["--ckpt_path", LAST]
    assert {process.code for process in project.run_ranks(2, "--ckpt_path", "last")} == {0}
    assert_same_end(whole, project, 1)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_processes_that_lightning_started_stop_with_the_main_one(tiny_project: Projects, number: int) -> None:
    project = tiny_project(**{"trainer.max_epochs": 1000, "trainer.devices": 2})
    main = project.start()
    wait_for(lambda: len(project.trace(0, rank=1)) > 3)

    main.send(number)
    ended = main.wait()

    assert ended.code == 128 + number, ended.output
    assert ended.output.count("everything is saved") == 1
    assert "Traceback" not in ended.output
    steps = [len(project.trace(0, rank)) for rank in (0, 1)]
    assert steps == [project.checkpoint(0)["global_step"]] * 2


def test_last_needs_a_run_and_auto_does_not(tiny_project: Projects) -> None:
    project = tiny_project(**{"trainer.max_steps": 1, "trainer.limit_val_batches": 0})

    refused = project.run("--ckpt_path", "last")

    assert refused.code == 2
    assert refused.output == "error: --ckpt_path last: no run in runs/tiny has such a checkpoint\n"
    assert project.run("--ckpt_path", "auto").code == 0
    assert project.report(0)["resumed_from"] is None
