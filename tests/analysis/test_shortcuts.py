import json
from pathlib import Path

import numpy as np
import pytest

from analysis.page import write_report
from analysis.run import Run
from analysis.run_shortcuts import measure_shortcuts
from analysis.shortcut_model import Shortcut
from analysis.shortcuts import main
from tests.analysis.written import TASKS, Row, write_data, write_run

RNG = np.random.default_rng(0)
YES, NO = "yes, same", "no"


def sentence() -> list[str]:
    return [f"word{number}" for number in RNG.permutation(400)[:8]]


def pair(shared: int) -> tuple[str, str]:
    """Two texts of eight words that share some of them."""
    first = sentence()
    return " ".join(first), " ".join([*first[:shared], *(f"other{number}" for number in range(8 - shared))])


# Of 120 pairs a sixth speaks against overlap: no with all words shared, yes with two.
COUNTS = [(8, YES, 50), (8, NO, 10), (2, YES, 10), (2, NO, 50)]
PAIRS: list[Row] = [(f"q{m}{label[0]}{n}", pair(m), label) for m, label, count in COUNTS for n in range(count)]
SCORES: list[Row] = [(f"t{n}", pair(n % 9), f"{min(5, n % 9 * 0.6):.1f}") for n in range(90)]
SENTIMENT: list[Row] = [
    (f"s{n}", (" ".join([*sentence(), "good" if n % 2 else "bad"]),), "4" if n % 2 else "0") for n in range(100)
]


def sure(label: str, names: list[str]) -> list[float]:
    return [0.9 if name == label else 0.1 / (len(names) - 1) for name in names]


def make_run(tmp_path: Path, rows: dict[str, list[Row]], answers: dict[str, list[str]]) -> Path:
    write_data(tmp_path / "data", rows)
    names = {"same": [NO, YES], "sst": [*"01234"], "near": []}
    predictions = {
        task: {
            row[0]: (answer, sure(answer, names[task]) if names[task] else None)
            for row, answer in zip(rows[task], answers[task], strict=True)
        }
        for task in rows
    }
    return write_run(tmp_path / "run", tmp_path / "data", predictions, tasks=[name for name in TASKS if name in rows])


def measure(tmp_path: Path, task: str, rows: list[Row], answers: list[str]) -> Shortcut:
    found = measure_shortcuts(Run(make_run(tmp_path, {task: rows}, {task: answers})), "dev")[task]
    assert found is not None
    return found


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Shortcut:
    """What is measured of a run that counts shared words."""
    answers = [YES if name.startswith("q8") else NO for name, *_ in PAIRS]
    return measure(tmp_path_factory.mktemp("counting"), "same", PAIRS, answers)


def test_a_run_that_counts_words_is_told_by_them(counting):
    found = counting
    assert (found.features, found.metric, found.train_rows, found.constant) == ("word overlap", "accuracy", 120, 0.5)
    assert found.score.value == found.run.value == found.train_score == pytest.approx(100 / 120)
    assert found.above.value == 0.0
    assert found.above.interval == (0.0, 0.0)
    assert found.agreement.value == found.explained.value == 1.0
    assert found.chance == found.most_frequent == 0.5
    assert found.where_wrong is not None
    assert (found.where_wrong.value, found.where_wrong.count) == (0.0, 20)


def test_bands_show_negatives_with_much_overlap_and_positives_with_little(counting):
    every, little, whole = counting.bands
    assert [band.overlap for band in counting.bands] == ["any part", "under 25 %", "all words"]
    assert {label: (one.value, one.count) for label, one in whole.labels.items()} == {NO: (0.0, 10), YES: (1.0, 50)}
    assert {label: (one.value, one.count) for label, one in little.labels.items()} == {NO: (1.0, 50), YES: (0.0, 10)}
    assert every.auc is not None
    assert whole.auc is not None
    assert every.auc.value == pytest.approx(5 / 6)
    assert whole.auc.value == 0.5  # inside a band overlap ranks nothing
    assert counting.auc is not None
    assert 0.8 < counting.auc.value < 0.9


def test_a_run_that_understands_is_right_where_the_shortcut_is_wrong(tmp_path):
    found = measure(tmp_path, "same", PAIRS, [label for *_, label in PAIRS])
    assert found.above.value == pytest.approx(20 / 120)
    assert found.above.interval is not None
    assert found.above.interval[0] > 0.08
    assert found.where_wrong is not None
    assert found.where_wrong.value == 1.0
    assert found.explained.value == pytest.approx(100 / 120)
    assert [band.auc.value for band in found.bands if band.auc] == [1.0, 1.0, 1.0]


def test_scores_are_correlated_and_their_errors_averaged(tmp_path):
    answers = [f"{float(label) + 0.5:.1f}" for *_, label in SCORES]
    found = measure(tmp_path, "near", SCORES, answers)
    assert (found.metric, found.constant, found.where_wrong) == ("pearson", 0.0, None)
    assert found.run.value == pytest.approx(1)
    assert found.score.value == pytest.approx(found.agreement.value)
    assert found.score.value > 0.9
    assert found.explained.value == pytest.approx(found.train_score**2)
    errors = [one.value for band in found.bands for one in band.labels.values()]
    assert errors == pytest.approx([0.5] * len(errors))
    assert {*found.bands[0].labels} == {"to 2.5", "above 2.5"}


def test_single_texts_are_told_by_their_words(tmp_path):
    found = measure(tmp_path, "sst", SENTIMENT, [label for *_, label in SENTIMENT])
    assert (found.features, found.bands, found.auc) == ("bag of words", [], None)
    assert found.score.value == 1.0
    assert found.explained.value > 0.9
    assert found.where_wrong is None


def test_the_command_adds_a_key_to_the_report(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    rows = {"same": PAIRS, "sst": SENTIMENT[:20]}
    run = make_run(tmp_path, rows, {task: [label for *_, label in table] for task, table in rows.items()})
    before = json.loads((run / "report.json").read_text())
    assert main([str(run)]) == 0
    shown = capsys.readouterr().out
    assert "same: What word overlap tells" in shown
    assert "same: Word overlap and label" in shown
    assert "sst: shortcuts are not measured: labels are sets, or the train split has too few rows or one label" in shown
    report = json.loads((run / "report.json").read_text())
    shortcuts = report.pop("shortcuts")
    assert report == before
    assert (shortcuts["split"], shortcuts["tasks"]["sst"]) == ("dev", None)
    assert shortcuts["tasks"]["same"]["above"]["value"] == pytest.approx(20 / 120)
    assert shortcuts["tasks"]["same"]["bands"][2]["labels"][NO]["count"] == 10


def test_a_run_without_predictions_is_refused(tmp_path, capsys):
    run = make_run(tmp_path, {"same": PAIRS}, {"same": [NO] * len(PAIRS)})
    assert main([str(run), "--split", "test"]) == 2
    said = f"error: {run}: no test predictions (expected those of at least one task)\n"
    assert capsys.readouterr().err == said
    assert "shortcuts" not in json.loads((run / "report.json").read_text())


def test_the_page_has_both_tables(tmp_path):
    run = make_run(tmp_path, {"same": PAIRS}, {"same": [NO] * len(PAIRS)})
    write_report([run], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "What word overlap tells" in page
    assert "Word overlap and label" in page
    assert "accuracy of the run where the shortcut is wrong" in page


def test_a_page_says_why_shortcuts_are_missing(tmp_path):
    run = make_run(tmp_path, {"same": PAIRS[:20]}, {"same": [NO] * 20})
    write_report([run], tmp_path / "page.html")
    assert (
        "Shortcuts are not measured: labels are sets, or the train split has too few rows"
        in (tmp_path / "page.html").read_text()
    )
