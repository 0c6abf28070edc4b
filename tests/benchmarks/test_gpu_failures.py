"""What a session on a GPU does where something fails: it cannot be repeated often, so that nothing may be lost."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.gpu import carrying, everything
from benchmarks.gpu.__main__ import main
from benchmarks.gpu.equality import Equality
from benchmarks.gpu.measuring import StepTimes
from benchmarks.gpu.session import choose_programs, measure_programs, programs_of, with_share
from benchmarks.gpu.workload import TINY, draw_work, write_synthetic

TIMES = StepTimes(ms_per_step=2.0, launches_per_step=None, kernels_per_step=None, busy_share=None, peak_mib=None)


def refused(capsys: pytest.CaptureFixture[str], status: int) -> str:
    assert status == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


def test_a_program_that_fails_ends_no_other_and_leaves_its_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> StepTimes:
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nmore")

    work = draw_work(write_synthetic(tmp_path / "pairs.arrow", 200, TINY.max_length), 4, TINY)
    programs = {"broken": fail, "whole": lambda *_: TIMES}
    broken, whole = measure_programs(programs, work, TINY, torch.device("cpu"), tmp_path, ends_at=math.inf)
    assert broken == {
        "name": "broken",
        "batch_size": 4,
        "reason": "RuntimeError: CUDA error: an illegal memory access was encountered",
    }
    assert whole["examples_per_s"] == 2000.0
    assert with_share(whole, 2 * whole["tflops"])["share_of_ceiling"] == 0.5
    assert with_share(broken, 1.0) == broken
    assert "in fail" in capsys.readouterr().err


def test_what_was_measured_is_written_before_the_next_program_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a run that is killed at its machine's time limit."""
    path = tmp_path / "gpu.json"
    seen = []

    def look(*_: Any) -> StepTimes:
        seen.append([entry["name"] for entry in json.loads(path.read_text())["steps"]])
        return TIMES

    monkeypatch.setattr("benchmarks.gpu.session.run_ours", look)
    only = ["eager, grouped", "eager, weights cast together, data"]
    assert main(["--device", "cpu", "--tiny", "--batch_sizes", "4", "--json", str(path), "--only", *only]) == 0
    assert seen == [[], ["ours eager, grouped attention"]]


def test_a_way_that_raises_after_its_probe_is_different() -> None:
    assert not Equality(name="varlen bf16", limit=0.1, error="RuntimeError: no kernel").holds


def test_what_is_compiled_is_measured_with_the_first_batch_size_only() -> None:
    chosen = choose_programs(["CUDA graphs"])
    assert [*programs_of(chosen, is_first=True)] == ["ours CUDA graphs, data on device", "ours CUDA graphs"]
    assert [*programs_of(chosen, is_first=False)] == ["ours CUDA graphs, data on device"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--only", "eagr"], "error: --only eagr: no program has that in its name (expected part of one of HF Trainer"),
        (["--data", "nowhere.csv"], "error: --data nowhere.csv: no such file (expected a file of question pairs)"),
        (["--json", "."], "error: --json .: is a folder (expected a file)"),
        (["--batch_sizes", "4", "0"], "error: --batch_sizes 0: expected 1 or more"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_measured(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["--device", "cpu", "--tiny", *arguments])
    except SystemExit as stop:
        status = int(stop.code or 0)
    assert refused(capsys, status).startswith(expected)


def test_a_folder_that_carries_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = everything.main(["--carried", str(tmp_path), "--out", str(tmp_path / "out")])
    assert refused(capsys, status) == (
        f"error: --carried {tmp_path}: has no backbone (expected what benchmarks.gpu.carrying wrote)\n"
    )
    assert not (tmp_path / "out").exists()


def test_results_of_another_session_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its steps would plan this session's training."""
    carried, out = tmp_path / "carried", tmp_path / "out"
    for name in (everything.BACKBONE, everything.DATA):
        (carried / name).mkdir(parents=True)
    out.mkdir()
    (out / "minilm.json").write_text("{}", encoding="utf-8")
    status = everything.main(["--carried", str(carried), "--out", str(out)])
    assert refused(capsys, status) == (
        f"error: {out / 'minilm.json'}: is there already (expected folders without results)\n"
    )


def test_folders_mean_the_same_from_wherever_the_session_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = everything.parse_arguments(["--carried", "carried", "--out", "out"])
    assert (options.carried, options.out, options.work) == (
        tmp_path / "carried",
        tmp_path / "out",
        tmp_path / "out" / "work",
    )
    assert everything.parse_arguments(["--carried", "c", "--work", "w"]).work == tmp_path / "w"


def test_without_measured_steps_one_epoch_is_planned(tmp_path: Path) -> None:
    assert everything.read_steps(tmp_path / "minilm.json") == []
    assert everything.plan_epochs([], 300.0) == 1
    assert everything.plan_epochs([{"name": everything.PROGRAM, "batch_size": 32, "reason": "broken"}], 300.0) == 1


def test_a_part_that_hangs_is_ended(capfd: pytest.CaptureFixture[str]) -> None:
    assert everything.run("-c", "import time; time.sleep(600)", environment={}, seconds=1.0) == 1
    assert capfd.readouterr().out == "$ python -c 'import time; time.sleep(600)'\nended after 1 s\n"


def test_data_that_is_not_whole_is_not_packed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = carrying.main(["--data", str(tmp_path), "--to", str(tmp_path / "carried")])
    assert "has no ids-sst-train.csv, ids-sst-dev.csv, quora-train.csv" in refused(capsys, status)
    assert not (tmp_path / "carried").exists()


def test_only_installed_packages_are_carried(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--wheels: no-such-package is not installed here"):
        carrying.download(["no-such-package"], "3.12", tmp_path)


def test_a_filled_folder_is_not_packed_into(
    cs224n_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").touch()
    status = carrying.main(["--data", str(cs224n_root), "--to", str(tmp_path)])
    assert refused(capsys, status) == f"error: --to {tmp_path}: is not empty (expected a new folder)\n"
