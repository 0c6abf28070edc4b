"""A shortcut model is not asked about a text whose words it has learnt from another row."""

import numpy as np
import pytest

from analysis.run import Predictions
from analysis.shortcut_model import measure_shortcut
from shortcuts.answers import answer_unseen_folds, number_bags
from shortcuts.features import bag_of_words
from shortcuts.models import cross_validate, draw_labelled
from tasks import Classification, Example, Source

RNG = np.random.default_rng(0)
VOCABULARY = [f"word{number}" for number in range(3000)]


@pytest.mark.parametrize("copies", [1, 2, 5])
def test_labels_that_nothing_tells_are_not_told_by_the_other_copies_of_a_text(copies):
    texts = [" ".join(RNG.choice(VOCABULARY, 12)) for _ in range(300)]
    labels = np.tile(RNG.permutation([0.0, 1.0] * 150), copies)
    rows = [(text.upper() + "!" * copy,) for copy in range(copies) for text in texts]
    found = answer_unseen_folds(rows, labels, is_score=False)
    sure = found[np.arange(len(labels)), labels.astype(int)]
    assert sure.mean() == pytest.approx(0.5, abs=0.03)
    assert (sure > 0.5).mean() == pytest.approx(0.5, abs=0.1)


def test_the_copies_of_a_text_get_one_answer():
    texts = [" ".join(RNG.choice(VOCABULARY[:40], 6)) for _ in range(100)]
    scores = RNG.uniform(0, 5, 300)
    found = answer_unseen_folds([(text,) for text in [*texts, *texts, *texts]], scores, is_score=True)
    assert found[:100] == pytest.approx(found[100:200])
    assert found[:100] == pytest.approx(found[200:])
    assert np.ptp(found) > 0


def test_rows_that_stand_alone_fall_into_the_folds_that_they_did():
    texts = [" ".join(RNG.choice(VOCABULARY[:40], 6)) for _ in range(100)]
    labels, features = np.arange(100) % 3 * 1.0, bag_of_words(texts)
    groups = number_bags(texts)
    assert groups.tolist() == list(range(100))
    one, other = (cross_validate(features, labels, is_score=False, groups=each) for each in (None, groups))
    np.testing.assert_array_equal(one, other)


def test_a_class_or_a_split_of_too_few_different_texts_tells_nothing():
    labels = np.array([0.0] * 40 + [1.0] * 40 + [2.0] * 40)
    groups = np.concatenate([np.arange(40), np.arange(40, 80), np.arange(80, 84).repeat(10)])
    assert draw_labelled(labels, is_score=False, groups=groups).tolist() == list(range(80))
    assert draw_labelled(labels, is_score=False).size == 120
    assert draw_labelled(RNG.random(120), is_score=True, groups=np.arange(120) % 4).size == 0
    assert draw_labelled(RNG.random(120), is_score=True, groups=np.arange(120) % 5).size == 120


def test_predictions_that_nothing_tells_are_not_explained_by_the_copies_of_a_text():
    """The same text gets the same prediction, so that a copy in another fold tells it."""
    texts = [" ".join(RNG.choice(VOCABULARY, 12)) for _ in range(150)]
    said = RNG.permutation([0.0, 1.0] * 75)
    examples = [
        Example(f"{copy}-{row}", (text,), int(RNG.integers(2))) for copy in range(3) for row, text in enumerate(texts)
    ]
    labels = np.array([example.label for example in examples], dtype=np.float64)
    task = Classification(source=Source(train="a.csv", dev="b.csv"), texts=("text",), label="label", num_classes=2)
    run = Predictions(task, examples, labels, np.tile(said, 3), None)
    found = measure_shortcut(run, examples)
    assert found is not None
    assert found.explained.value == pytest.approx(0.5, abs=0.1)
    assert found.train_score == pytest.approx(0.5, abs=0.1)
