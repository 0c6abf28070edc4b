"""What a user types or hands in wrongly is told in one sentence, before anything is measured."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.coordinator import run_interleaved
from benchmarks.job import Job, Workload
from benchmarks.measuring import with_programs, workload_of
from benchmarks.ratios import check_equal_work
from benchmarks.rows import read_pairs
from benchmarks.suites import MINILM
from tests.benchmarks.rounds import make_round

HEADER = "id\tsentence1\tsentence2\tis_duplicate\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a\tx\ty\tyes\n", r"pairs.csv, line 3: is_duplicate is yes \(expected 0 or 1\)"),
        (b"a\tx\ty\t0.5\n", r"pairs.csv, line 3: is_duplicate is 0.5 \(expected 0 or 1\)"),
        (b"a\tx\ty\tnan\n", r"pairs.csv, line 3: is_duplicate is nan \(expected 0 or 1\)"),
        (b"a\tcaf\xe9\ty\t1\n", r"pairs.csv: 'utf-8' codec can't decode .* \(expected tab-separated CS224N pairs in"),
        (b"a\t" + b"x" * 200_000 + b"\ty\t1\n", r"pairs.csv: field larger than field limit .* \(expected tab-sep"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(content: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_bytes(f"{HEADER}b\tx\ty\t1.0\n".encode() + content)
    before = csv.field_size_limit(131_072)  # as in a new process; reading a task's files has raised it in this one
    try:
        with pytest.raises(ValueError, match=expected):
            read_pairs(path)
    finally:
        csv.field_size_limit(before)


def test_scores_are_compared_where_the_first_program_has_none() -> None:
    """As int8 has none, whose answers differ."""
    rounds = {
        "int8": [make_round(1.0)],
        "a": [make_round(1.0, score=0.6)],
        "b": [make_round(1.0, score=0.7)],
    }
    with pytest.raises(ValueError, match=r"b scored 0\.7, a 0\.6"):
        check_equal_work(rounds)


def test_a_program_that_dies_between_rounds_is_named(job: Job) -> None:
    dying = replace(job, program="tests.benchmarks.dying_program")
    with pytest.raises(RuntimeError, match=r"(?s)dying ended with status 7:.*out of memory"):
        run_interleaved({"dying": dying}, report=lambda _: None)


def test_results_that_could_not_be_written_are_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--json", str(tmp_path)])
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: --json {tmp_path}: is a folder (expected a file)\n")
    (tmp_path / "file").touch()
    assert main(["--json", str(tmp_path / "file" / "results.json")]) == 2
    assert "a file is in the way" in capsys.readouterr().err


def test_only_leaves_out_suites_without_such_a_program() -> None:
    """`--suite all --only` ended at the first suite that has none, after hours."""
    assert with_programs(["training", "inference", "startup"], ["ONNX"]) == ["inference", "startup"]
    assert with_programs(["training", "inference"], None) == ["training", "inference"]
    assert with_programs(["training"], ["ONNX"]) == ["training"]


def test_the_work_that_results_are_told_with_is_that_of_the_suite() -> None:
    assert workload_of("training", 7) == Workload(num_rows=7)
    assert workload_of("minilm", 7) == workload_of("streams", 7) == replace(MINILM, num_rows=7)
    assert workload_of("mpnet-evaluation", 7) == Workload(family="mpnet", num_rows=7)
