from collections import Counter

import numpy as np
import pytest

from analysis.order_ratings import build_table, rate, write_pairs
from analysis.word_order import main
from augmentation.held_out import build_order_pairs
from inference import Prediction
from shortcuts.words import WORD
from tasks import Classification, InputError, PairRegression, Source

PAIRS = [*build_order_pairs()]
FILES = {"source": Source(dev="dev.csv"), "label": "y", "id": "id"}


def test_both_meanings_come_equally_often_in_each_phenomenon():
    counts = Counter((pair.phenomenon, pair.is_same) for pair in PAIRS)
    assert len(PAIRS) == 288
    assert len(counts) == 12
    assert set(counts.values()) == {24}
    assert len({pair.texts for pair in PAIRS}) == 288


def test_both_texts_have_the_same_words_in_another_order():
    for pair in PAIRS:
        first, second = (WORD.findall(text.lower()) for text in pair.texts)
        assert sorted(first) == sorted(second), pair
        assert first != second, pair
        assert "{" not in "".join(pair.texts), pair


def test_no_filler_tells_the_label():
    for phenomenon in {pair.phenomenon for pair in PAIRS}:
        words = [
            Counter(w for p in PAIRS if (p.phenomenon, p.is_same) == (phenomenon, same) for w in p.texts[0].split())
            for same in (False, True)
        ]
        assert len(words[0].keys() & words[1].keys()) > 20, phenomenon


def test_a_model_that_counts_words_ranks_by_chance():
    counting = build_table(PAIRS, np.ones(288), is_score=False)
    assert counting.rows[0] == ["all", "288", "1.000", "1.000", "0.500", "0.500 to 0.500"]
    knowing = build_table(PAIRS, np.array([float(pair.is_same) for pair in PAIRS]), is_score=True)
    assert [row[2:5] for row in knowing.rows] == [["0.000", "1.000", "1.000"]] * 7


def test_the_class_that_means_the_same_is_the_last_of_two_or_named():
    task = Classification(texts=("a",), classes=("no", "yes"), **FILES)
    predictions = [Prediction("yes", {"no": 0.2, "yes": 0.8})]
    assert rate(task, predictions, None).tolist() == [0.8]
    assert rate(task, predictions, "no").tolist() == [0.2]
    with pytest.raises(InputError, match=r"--same is 'maybe' \(expected the class that means the same: no, yes\)"):
        rate(task, predictions, "maybe")


def test_of_three_classes_one_must_be_named():
    task = Classification(texts=("a",), classes=("same", "other", "neither"), **FILES)
    with pytest.raises(InputError, match="--same is None"):
        rate(task, [Prediction("same", {"same": 0.5, "other": 0.3, "neither": 0.2})], None)


def test_scores_need_no_class():
    task = PairRegression(texts=("a", "b"), low=0.0, high=5.0, **FILES)
    assert rate(task, [Prediction("3.50", {}, 3.5)], None).tolist() == [3.5]
    with pytest.raises(InputError, match="expected none: the task predicts scores"):
        rate(task, [Prediction("3.50", {}, 3.5)], "yes")


def test_pairs_are_written_for_reading(tmp_path):
    write_pairs(tmp_path / "pairs.csv", PAIRS[:1], np.array([0.25]))
    lines = (tmp_path / "pairs.csv").read_text().splitlines()
    assert lines[0] == "phenomenon,first,second,same,rating"
    first, second = "How do I get from Paris to Lyon by train?", "How do I get from Lyon to Paris by train?"
    assert lines[1] == f"direction,{first},{second},0,0.2500"


def test_a_folder_without_a_checkpoint_is_an_error(tmp_path, capsys):
    assert main([str(tmp_path), "--task", "quora"]) == 2
    assert capsys.readouterr().err.startswith("error: ")
