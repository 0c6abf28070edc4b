"""A launcher that is stopped while a training starts."""

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

from experiments.job import Job
from experiments.launcher import Launcher

PROGRAM = Path(__file__).with_name("pretend_training.py")


def stop_while_starting(job: Job) -> None:
    """Run a launcher that gets SIGTERM between the line with the command and the start of the process."""

    def report(line: str) -> None:
        if "fit" in line:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)

    try:
        Launcher(jobs=1, report=report).run([job])
    except KeyboardInterrupt:
        sys.exit(130)


def test_a_training_that_is_just_starting_is_stopped_too(tmp_path):
    hold = tmp_path / "hold"
    hold.touch()
    job = Job("b1", tmp_path / "b1/seed-1", (), ("--hold", str(hold)), script=PROGRAM)
    launcher = multiprocessing.get_context("fork").Process(target=stop_while_starting, args=(job,))
    launcher.start()
    launcher.join(30)
    is_over = not launcher.is_alive()
    hold.unlink()
    launcher.join(30)
    assert is_over
    assert launcher.exitcode == 130
    assert job.finished() is None
