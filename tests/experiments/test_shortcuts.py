"""Rows of trainings beside a model of shared words."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from analysis.table import Table
from experiments.shortcut_differences import compare_shortcuts, read_systems
from experiments.shortcuts import main
from tasks import InputError
from tests.analysis.written import Row, write_data, write_run

YES, NO = "yes, same", "no"


def pair(number: int, shared: int) -> tuple[str, str]:
    """Two texts of eight words that share some of them."""
    first = [f"word{number}x{place}" for place in range(8)]
    return " ".join(first), " ".join([*first[:shared], *(f"other{number}x{place}" for place in range(8 - shared))])


# Of 120 pairs a sixth speaks against overlap: no with all words shared, yes with two.
COUNTS = [(8, YES, 50), (8, NO, 10), (2, YES, 10), (2, NO, 50)]
LABELS = [(shared, label) for shared, label, count in COUNTS for _ in range(count)]
PAIRS: list[Row] = [(f"q{n}", pair(n, shared), label) for n, (shared, label) in enumerate(LABELS)]
SCORES: list[Row] = [(f"t{n}", pair(n, n % 9), f"{min(5, n % 9 * 0.6):.1f}") for n in range(90)]


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Path:
    """Two rows: runs that count words but for two of the hard pairs a seed, and one run that is always right."""
    folder = tmp_path_factory.mktemp("rows")
    write_data(folder / "data", {"same": PAIRS, "near": SCORES})
    for name, seeds in (("counts", (1, 2)), ("knows", (1,))):
        for seed in seeds:
            predictions = {
                "same": {
                    row[0]: answer(row, knows=name == "knows" or n in (50 + 2 * seed, 51 + 2 * seed))
                    for n, row in enumerate(PAIRS)
                },
                "near": {row[0]: (f"{float(row[2]) + 0.1 * (n % 3 - seed):.3f}", None) for n, row in enumerate(SCORES)},
            }
            place = folder / name / f"seed-{seed}" / "version_0"
            write_run(place, folder / "data", predictions, tasks=["same", "near"])
    return folder


def answer(row: Row, *, knows: bool) -> tuple[str, list[float]]:
    said = row[2] if knows else (YES if row[1][0] == row[1][1] else NO)
    return said, [0.1, 0.9] if said == YES else [0.9, 0.1]


def tables(rows: Path, task: str | None = None) -> dict[str, Table]:
    systems = read_systems([rows / "counts", rows / "knows"])
    return {one.table.title: one.table for one in compare_shortcuts(systems, task, "dev")}


def test_runs_are_scored_where_shared_words_mislead(rows):
    found = tables(rows, "same")
    scores, misled, ranked = (
        found[f"same: {name}"].rows
        for name in ("accuracy", "accuracy where word overlap alone is wrong, 20 rows", "AUC")
    )
    assert [row[:3] for row in scores] == [
        ["word overlap alone", "", ".8333"],
        ["counts", "2", ".8500 ± .0000"],
        ["knows", "1", "1.0000"],
    ]
    assert [row[:3] for row in misled] == [["counts", "2", ".1000 ± .0000"], ["knows", "1", "1.0000"]]
    assert [row[:3] for row in ranked] == [["counts", "2", ".8500 ± .0000"], ["knows", "1", "1.0000"]]
    assert [each[-1][3].split()[0] for each in (scores, misled, ranked)] == ["+.150", "+.900", "+.150"]


def test_bands_tell_both_labels_and_the_ranking_apart(rows):
    found = tables(rows, "same")
    others, alike, ranked = (
        found[f"same: {what} by shared words"] for what in (f"accuracy of {NO}", f"accuracy of {YES}", "AUC")
    )
    assert others.columns == ["", "any part", "under 25 %", "all words"]
    assert [*others.rows] == [
        ["pairs", "60", "50", "10"],
        ["counts", ".867", "1.000", ".200"],
        ["knows", "1.000", "1.000", "1.000"],
    ]
    assert [*alike.rows[:2]] == [["pairs", "60", "10", "50"], ["counts", ".833", ".000", "1.000"]]
    assert [*ranked.rows[:2]] == [["pairs", "120", "60", "60"], ["counts", ".850", ".500", ".600"]]


def test_scores_show_correlation_and_the_mean_error(rows):
    found = tables(rows, "near")
    assert [*found][:2] == ["near: pearson", "near: AUC"]
    low = found["near: mean of prediction minus label of to 2.5 by shared words"].rows[1]
    errors = [0.1 * (n % 3 - seed) for n, row in enumerate(SCORES) for seed in (1, 2) if float(row[2]) <= 2.5]
    assert float(low[1]) == pytest.approx(np.mean(errors), abs=6e-4)


def test_long_names_of_rows_fit_a_terminal(rows):
    for table in tables(rows).values():
        wide = Table(table.title, table.columns, [["confidence-regularization", *row[1:]] for row in table.rows])
        console = Console(width=80, file=StringIO())
        console.print(wide.to_rich())
        assert "…" not in console.file.getvalue()


def test_the_command_prints_the_tables(rows, capsys):
    assert main([str(rows / "counts"), str(rows / "knows" / "seed-1"), "--task", "same"]) == 0
    printed = capsys.readouterr().out
    assert "same: AUC by shared words" in printed
    assert "seed-1" in printed


def test_numbers_are_written_too_where_a_folder_is_given(rows, tmp_path, capsys):
    folders = [str(rows / name) for name in ("counts", "knows")]
    assert main([*folders, "--task", "same", "--output", str(tmp_path / "out")]) == 0
    assert "same: AUC by shared words" in capsys.readouterr().out
    assert "same: AUC by shared words" in (tmp_path / "out" / "results.md").read_text()
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [Path(run).parent.name for run in found["runs"]["counts"]] == ["seed-1", "seed-2"]
    accuracy, misled, *_ = found["measures"]
    assert accuracy["scores"]["counts"] == pytest.approx([0.85, 0.85])
    assert accuracy["scores"]["word overlap alone"] == pytest.approx([5 / 6])
    assert misled["differences"]["knows"]["estimate"] == pytest.approx(0.9)
    assert misled["differences"]["knows"]["low"] <= 0.9 <= misled["differences"]["knows"]["high"]
    bands = {one["measure"]: one for one in found["measures"] if "pairs" in one}[f"accuracy of {YES} by shared words"]
    assert bands["pairs"] == {"any part": 60, "under 25 %": 10, "all words": 50}
    assert bands["means"]["counts"]["under 25 %"] == 0


def test_folders_that_cannot_be_compared_are_refused(rows, tmp_path, capsys):
    assert main([str(rows / "counts")]) == 2
    assert "two or more" in capsys.readouterr().err
    with pytest.raises(InputError, match="holds no finished run"):
        read_systems([rows / "counts", tmp_path])
    with pytest.raises(InputError, match="two folders named seed-1"):
        read_systems([rows / "counts" / "seed-1", rows / "knows" / "seed-1"])
    with pytest.raises(InputError, match=r"--task sst: expected one .*: same, near"):
        [*compare_shortcuts(read_systems([rows / "counts", rows / "knows"]), "sst", "dev")]
    write_data(tmp_path / "data", {"same": PAIRS[1:]})
    others = {"same": {row[0]: answer(row, knows=True) for row in PAIRS[1:]}}
    write_run(tmp_path / "others", tmp_path / "data", others, tasks=["same"])
    with pytest.raises(InputError, match="others and counts were scored on different dev rows of same"):
        [*compare_shortcuts(read_systems([rows / "counts", tmp_path / "others"]), None, "dev")]
