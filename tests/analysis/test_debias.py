import json
from pathlib import Path

import numpy as np
import pytest

from analysis import report as report_command
from analysis import shortcuts
from analysis.corrected_run import ask_shortcut
from analysis.debias import main
from analysis.run import Predictions, Run
from analysis.selection import split_halves
from analysis.subtraction import choose_factor, correct, measure_standing, subtract
from tasks import Example, PairClassification, PairRegression, Source, Task
from tests.analysis.written import Row, write_data, write_run

RNG = np.random.default_rng(0)
SOURCE = Source(train="train.csv", dev="dev.csv")
PAIRS = PairClassification(source=SOURCE, texts=("a", "b"), label="y", num_classes=2)
THREE = PairClassification(source=SOURCE, texts=("a", "b"), label="y", num_classes=3)
ALIKE = PairRegression(source=SOURCE, texts=("a", "b"), label="y", low=0, high=5)


def predicted(task: Task, labels: np.ndarray, probabilities: np.ndarray | None, scores: np.ndarray | None = None):
    examples = [Example(str(row), ("a", "b"), float(label)) for row, label in enumerate(labels)]
    if probabilities is not None:
        return Predictions(task, examples, labels, probabilities.argmax(axis=1).astype(np.float64), probabilities)
    assert scores is not None
    return Predictions(task, examples, labels, scores, None)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    yes = 1 / (1 + np.exp(-logits))
    return np.stack([1 - yes, yes], axis=1)


@pytest.fixture(scope="module")
def leaning() -> tuple[Predictions, np.ndarray]:
    """A run that leans on a shortcut too much, and the shortcut's answers."""
    rng = np.random.default_rng(1)
    overlap, meaning = rng.normal(size=3000), rng.normal(size=3000)
    labels = (rng.random(3000) < sigmoid(overlap + 2 * meaning)[:, 1]).astype(np.float64)
    return predicted(PAIRS, labels, sigmoid(1.5 * overlap + 2 * meaning)), sigmoid(0.7 * overlap)


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0])
def test_a_part_of_the_shortcuts_probabilities_is_taken_off(factor):
    shares, answers = RNG.dirichlet([1, 1, 1], size=50), RNG.dirichlet([1, 1, 1], size=50)
    found = subtract(predicted(THREE, np.zeros(50), shares), answers, factor)
    expected = shares - factor * answers
    assert found.predictions.tolist() == expected.argmax(axis=1).tolist()
    assert found.probabilities is not None
    assert found.probabilities.min() >= 0
    assert found.probabilities.sum(axis=1) == pytest.approx(np.ones(50))
    assert found.probabilities.argsort(axis=1).tolist() == expected.argsort(axis=1).tolist()
    for column in range(3):  # rows rank as before: one order for all of them, and so one AUC
        assert found.probabilities[:, column].argsort().tolist() == expected[:, column].argsort().tolist()


def test_yes_is_asked_for_more_where_the_shortcut_says_yes():
    shares = np.array([[0.4, 0.6], [0.4, 0.6]])
    answers = np.array([[0.1, 0.9], [0.9, 0.1]])
    found = subtract(predicted(PAIRS, np.zeros(2), shares), answers, 0.5)  # yes above 0.25 + 0.5 b: 0.7 and 0.3
    assert found.predictions.tolist() == [0.0, 1.0]


def test_scores_lose_what_the_shortcut_says_beyond_its_mean():
    found = subtract(predicted(ALIKE, np.zeros(2), None, np.array([3.0, 2.0])), np.array([4.0, 1.0]), 0.5)
    assert found.predictions.tolist() == [2.25, 2.75]
    assert found.probabilities is None


def test_rows_that_the_shortcut_has_right_and_wrong_are_scored_apart():
    labels = np.array([1.0, 1.0, 0.0, 0.0])
    answers = np.array([[0.2, 0.8], [0.8, 0.2], [0.7, 0.3], [0.1, 0.9]])  # right, wrong, right, wrong
    shares = np.array([[0.1, 0.9], [0.3, 0.7], [0.4, 0.6], [0.2, 0.8]])  # right, right, wrong, wrong
    found = measure_standing(predicted(PAIRS, labels, shares), answers)
    assert (found.every, found.told, found.untold) == (0.5, 0.5, 0.5)
    all_told = measure_standing(predicted(PAIRS, labels[:1], shares[:1]), answers[:1])
    assert all_told.untold == -np.inf


def test_more_may_be_taken_off_the_more_may_be_lost(leaning):
    predictions, answers = leaning
    factors = [choose_factor(predictions, answers, max_loss=loss) for loss in (0.0, 0.03, 1.0)]
    assert 0 < factors[0] < factors[1] <= factors[2]
    before = measure_standing(predictions, answers)
    for factor, loss in zip(factors, (0.0, 0.03, 1.0), strict=True):
        after = measure_standing(subtract(predictions, answers, factor), answers)
        assert after.every >= before.every - loss
        assert after.told < before.told
        assert after.untold > before.untold


def test_no_part_is_taken_off_a_run_that_leans_on_nothing():
    labels = RNG.integers(0, 2, 400).astype(np.float64)
    shares = sigmoid(np.where(labels == 1, 3.0, -3.0))
    assert choose_factor(predicted(PAIRS, labels, shares), sigmoid(RNG.normal(size=400)), max_loss=0.01) == 0.0


def test_each_half_is_corrected_with_the_part_of_the_other(leaning):
    predictions, answers = leaning
    found = correct(predictions, answers, max_loss=0.0, seed=7)
    halves = split_halves(3000, seed=7)
    for rows, others, factor in zip(halves, halves[::-1], found.factors, strict=True):
        kept = predicted(PAIRS, predictions.labels[others], predictions.probabilities[others])
        assert factor == choose_factor(kept, answers[others], max_loss=0.0)
        expected = subtract(predictions, answers, factor)
        assert found.predictions.predictions[rows].tolist() == expected.predictions[rows].tolist()
        assert found.predictions.probabilities[rows].tolist() == expected.probabilities[rows].tolist()
    assert found.before == measure_standing(predictions, answers)
    assert found.after == measure_standing(found.predictions, answers)
    given = correct(predictions, answers, max_loss=0.0, seed=7, factor=0.25)
    assert given.factors == (0.25,)
    assert given.predictions.predictions.tolist() == subtract(predictions, answers, 0.25).predictions.tolist()


def words(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in RNG.permutation(400)[:count]]


def pair(shared: int) -> tuple[str, str]:
    first = words("word", 8)
    return " ".join(first), " ".join([*first[:shared], *words("other", 8 - shared)])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Folder of a run that says yes where words are shared; a quarter of the labels speaks against it."""
    kinds = [(8, "yes, same", 60), (8, "no", 20), (2, "yes, same", 20), (2, "no", 60)]
    rows: list[Row] = [(f"q{m}{said[0]}{n}", pair(m), said) for m, said, count in kinds for n in range(count)]
    scores: list[Row] = [(f"t{n}", pair(n % 9), f"{min(5, n % 9 * 0.6):.1f}") for n in range(90)]
    shares = {name: 0.9 if texts[1].count("word") == 8 else 0.1 for name, texts, _ in rows}
    same = {name: ("yes, same" if yes > 0.5 else "no", [1 - yes, yes]) for name, yes in shares.items()}
    near = {name: (f"{min(5, int(name[1:]) % 9 * 0.6):.6f}", None) for name, *_ in scores}
    write_data(tmp_path / "data", {"same": rows, "near": scores})
    return write_run(tmp_path / "run", tmp_path / "data", {"same": same, "near": near}, tasks=["same", "near"])


def test_the_shortcut_is_asked_about_the_rows_of_the_run(run):
    predictions = Run(run).read_predictions("same")
    answers = ask_shortcut(predictions, Run(run).read_examples("same", "train"))
    assert answers is not None
    assert answers.shape == (160, 2)
    shared = np.array([example.id[1] == "8" for example in predictions.examples])
    assert answers[shared, 1].mean() == pytest.approx(0.75, abs=0.02)
    assert ask_shortcut(predictions, Run(run).read_examples("same", "train")[:10]) is None


def test_the_command_writes_a_folder_that_other_commands_read(run, tmp_path, capsys):
    output = tmp_path / "corrected"
    assert main([str(run), "--output", str(output), "--max_loss", "1"]) == 0
    printed = capsys.readouterr().out
    assert "corrected" in printed
    assert f"predictions: {output}" in printed
    report = json.loads((output / "report.json").read_text())
    assert set(report["metrics"]) == {"same", "near", "mean"}
    assert report["corrected"]["max_loss"] == 1.0
    assert len(report["corrected"]["tasks"]["same"]["factors"]) == 2
    assert report["corrected"]["tasks"]["same"]["before"]["untold"] == 0.0
    assert report_command.main([str(output), "--output", str(tmp_path / "page.html")]) == 0
    assert "No sampler plan" in (tmp_path / "page.html").read_text()
    assert shortcuts.main([str(output)]) == 0
    assert set(json.loads((output / "report.json").read_text())["shortcuts"]["tasks"]) == {"same", "near"}


def test_a_part_may_be_given(run, tmp_path):
    output = tmp_path / "given"
    assert main([str(run), "--output", str(output), "--factor", "0"]) == 0
    for task in ("same", "near"):
        found, expected = (Run(folder).read_predictions(task) for folder in (output, run))
        assert found.predictions == pytest.approx(expected.predictions)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--split", "test"], "--split test: a part is chosen on dev (expected --factor)"),
        (["--split", "test", "--factor", "0.2"], "no test predictions that a shortcut model could correct"),
        (["--factor", "-1"], "--factor is -1.0 (expected 0 or more)"),
        (["--max_loss", "nan"], "--max_loss is nan (expected 0 or more)"),
    ],
)
def test_what_cannot_be_corrected_is_refused(flags, message, run, tmp_path, capsys):
    assert main([str(run), "--output", str(tmp_path / "out"), *flags]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_predictions_without_probabilities_and_taken_folders_are_refused(run, tmp_path, capsys):
    assert main([str(run), "--output", str(tmp_path)]) == 2
    assert "holds something already (expected a new or empty folder)" in capsys.readouterr().err
    (run / "predictions" / "same-dev-probabilities.csv").unlink()
    assert main([str(run), "--output", str(tmp_path / "out")]) == 2
    assert "the dev predictions of same have no probabilities" in capsys.readouterr().err
