import numpy as np
import pytest

from checks.shortcuts import find_shortcuts, measure_shortcuts

RNG = np.random.default_rng(0)


def sentence(count: int = 8) -> str:
    return " ".join(f"word{word}" for word in RNG.integers(0, 300, count))


def test_a_word_that_gives_the_label_away_is_told(make_splits):
    table = [(f"r{n}", f"{sentence()} {'yes' if n % 2 else 'no'}", n % 2) for n in range(200)]
    rows = make_splits({"train": table})["train"]
    shortcuts = measure_shortcuts(rows)
    assert shortcuts is not None
    assert shortcuts.constant == pytest.approx(0.5)
    assert shortcuts.scores["bag of words"] > 0.9
    assert shortcuts.scores["length"] < 0.65
    (found,) = find_shortcuts(rows, shortcuts)
    assert (found.check, found.level) == ("shortcut", "warning")
    assert "bag of words alone gives accuracy" in found.what


def test_a_text_is_not_told_by_its_copies(make_splits):
    """The same text has the same label, so that a copy in another fold gives it away."""
    texts = [" ".join(f"word{word}" for word in RNG.integers(0, 3000, 8)) for _ in range(150)]
    labels = RNG.permutation([0, 1] * 75)
    table = [(f"r{copy}-{n}", text, labels[n]) for copy in range(3) for n, text in enumerate(texts)]
    shortcuts = measure_shortcuts(make_splits({"train": table})["train"])
    assert shortcuts is not None
    assert shortcuts.scores["bag of words"] < 0.65


def test_a_side_of_a_pair_that_gives_the_label_away_is_told(make_splits):
    table = [(f"r{n}", sentence(), f"{sentence()} {'nobody' if n % 2 else 'somebody'}", n % 2) for n in range(200)]
    shortcuts = measure_shortcuts(make_splits({"train": table})["train"])
    assert shortcuts is not None
    assert shortcuts.scores["bag of words, second text"] > 0.9
    assert shortcuts.scores["bag of words, first text"] < 0.65


def test_texts_that_come_often_give_a_label_away(make_splits):
    popular = [sentence() for _ in range(10)]
    table = [(f"r{n}", popular[n % 10] if n % 2 else sentence(), sentence(), n % 2) for n in range(200)]
    shortcuts = measure_shortcuts(make_splits({"train": table})["train"])
    assert shortcuts is not None
    assert shortcuts.scores["how often the texts come"] > 0.9


def test_overlap_tells_a_score(make_splits):
    table = []
    for number in range(200):
        text = sentence(10).split()
        shared = number % 6
        table.append(
            (f"r{number}", " ".join(text), " ".join([*text[: 2 * shared], *sentence(10).split()[2 * shared :]]), shared)
        )
    rows = make_splits({"train": table}, classes=0)["train"]
    shortcuts = measure_shortcuts(rows)
    assert shortcuts is not None
    assert (shortcuts.metric, shortcuts.constant) == ("pearson", 0.0)
    assert shortcuts.scores["word overlap"] > 0.9
    assert abs(shortcuts.scores["length"]) < 0.5


def test_labels_that_nothing_tells_are_no_shortcut(make_splits):
    labels = RNG.integers(0, 2, 300).tolist()
    rows = make_splits({"train": [(f"r{n}", sentence(), sentence(), label) for n, label in enumerate(labels)]})["train"]
    shortcuts = measure_shortcuts(rows)
    assert shortcuts is not None
    assert max(shortcuts.scores.values()) < 0.65
    assert list(find_shortcuts(rows, shortcuts)) == []


@pytest.mark.parametrize("labels", [[0, 1] * 10, [1] * 80, [1] * 79 + [0]])
def test_too_few_rows_or_one_label_alone_tell_nothing(labels, make_splits):
    assert (
        measure_shortcuts(make_splits({"train": [(f"r{n}", sentence(), y) for n, y in enumerate(labels)]})["train"])
        is None
    )
