"""A prepared benchmark of a tiny model without dropout on twenty-four rows."""

from pathlib import Path

import pytest

from benchmarks.job import Job, Workload
from benchmarks.ours.train_lines import write_train_lines
from benchmarks.prepare import prepare

TINY = Workload(
    num_layers=2, hidden_size=16, num_heads=2, intermediate_size=32, dropout=0.0, num_rows=24, batch_size=4, lr=1e-2
)


@pytest.fixture(scope="session")
def job(tmp_path_factory: pytest.TempPathFactory, cs224n_root: Path) -> Job:
    """A job in its prepared folder; the twelve rows of the file are repeated."""
    job = Job(program="", folder=tmp_path_factory.mktemp("benchmark"), workload=TINY, rounds=2)
    prepare(job, cs224n_root / "quora-train.csv", with_sentences=False)
    write_train_lines(job)
    return job
