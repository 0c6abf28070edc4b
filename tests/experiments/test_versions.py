"""The notes above a table."""

from experiments.overview import describe
from experiments.systems import System
from tests.experiments.run_folders import almost_right, make_job, write_run


def test_runs_of_other_versions_are_told(tmp_path, cs224n_root):
    jobs = [make_job(tmp_path, "a", seed) for seed in (1, 2)]
    for job, version in zip(jobs, ("2.12", "2.13"), strict=True):
        write_run(job, cs224n_root, almost_right(cs224n_root, wrong=1), versions={"torch": version, "numpy": "2"})
    (line,) = [line for line in describe([System("a", tuple(jobs))]) if line.startswith("Versions")]
    assert "torch 2.12 or 2.13, numpy 2." in line
