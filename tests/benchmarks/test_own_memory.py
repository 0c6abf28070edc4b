"""Memory is that of the measured process, however much the one that starts it had."""

import subprocess
import sys

import pytest

from benchmarks.job import Job
from benchmarks.measuring import choose_jobs
from benchmarks.table import measure_start
from tasks import InputError

PRINT = "from benchmarks.meter import peak_mib; print(peak_mib())"


@pytest.fixture(autouse=True)
def _large_parent() -> None:
    """Let this process have been large."""
    large = bytearray(400 * 2**20)
    large[::4096] = b"1" * len(large[::4096])
    del large


def test_the_peak_of_a_program_is_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", PRINT], capture_output=True, text=True, check=True)
    assert 5 < float(done.stdout) < 200


def test_the_peak_of_a_start_is_its_own() -> None:
    assert 5 < measure_start(["-c", "pass"])["peak_mib"] < 200
    assert 250 < measure_start(["-c", "large = b'1' * 250 * 2**20"])["peak_mib"] < 400


def test_a_start_that_fails_is_told_with_its_output() -> None:
    with pytest.raises(RuntimeError, match="no such luck"):
        measure_start(["-c", "raise SystemExit('no such luck')"])


def test_words_that_no_program_has_are_refused() -> None:
    with pytest.raises(InputError, match=r"--only nothing: no program of training has that in its name \(expected"):
        choose_jobs("training", Job(program=""), ["nothing"])
