import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shortcuts.answers import answer, answer_unseen_folds, build_features
from shortcuts.features import Rarity, bag_of_words, overlap_features
from shortcuts.models import cross_validate

RNG = np.random.default_rng(0)
WORDS = np.array(["cat", "dog", "film", "song", "home", "chess", "play", "learn", "good", "bad", "slow", "great"])


def draw_pairs(count: int) -> tuple[list[tuple[str, ...]], np.ndarray]:
    """Return pairs that share half of their words, and some others, with how many that are."""
    pairs, shared = [], []
    for _ in range(count):
        words = RNG.permutation(WORDS)
        common = int(RNG.integers(0, 5))
        pairs.append((" ".join(words[:4]), " ".join([*words[:common], *words[8 : 12 - common]])))
        shared.append(common)
    return pairs, np.array(shared, dtype=np.float64)


def test_probabilities_are_those_of_logistic_regression_on_the_other_folds():
    pairs, shared = draw_pairs(200)
    labels = (shared + RNG.normal(size=200) > 2).astype(np.float64)
    features = overlap_features(pairs, Rarity(text for pair in pairs for text in pair))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    expected = cross_val_predict(model, features, labels, cv=folds, method="predict_proba")
    found = answer_unseen_folds(pairs, labels, is_score=False)
    assert found.shape == (200, 2)
    assert found == pytest.approx(expected)
    assert (found.argmax(axis=1) == labels).mean() > 0.7


def test_frequencies_stay_natural():
    pairs, _ = draw_pairs(500)
    labels = (RNG.random(500) < 0.2).astype(np.float64)  # nothing tells them
    found = answer_unseen_folds(pairs, labels, is_score=False)
    assert found[:, 1].mean() == pytest.approx(labels.mean(), abs=0.02)


def test_rows_without_a_label_get_no_answer_and_teach_nothing():
    pairs, shared = draw_pairs(60)
    labels = np.append((shared > 2).astype(np.float64), math.nan)
    found = answer_unseen_folds([*pairs, ("cat", "dog")], labels, is_score=False)
    assert np.isnan(found[60]).all()
    assert found[:60] == pytest.approx(answer_unseen_folds(pairs, labels[:60], is_score=False))


def test_scores_are_told_by_overlap():
    pairs, shared = draw_pairs(200)
    found = answer_unseen_folds(pairs, shared, is_score=True)
    assert found.shape == (200,)
    assert np.corrcoef(found, shared)[0, 1] > 0.95


def test_words_that_mean_nothing_leave_a_bag_of_words_unsure():
    texts = [(" ".join(RNG.permutation(WORDS)[:6]),) for _ in range(300)]
    labels = RNG.integers(0, 2, 300).astype(np.float64)
    found = answer_unseen_folds(texts, labels, is_score=False)
    naive = bag_of_words([text for (text,) in texts])
    loss = -np.log(found[np.arange(300), labels.astype(int)]).mean()
    assert loss < math.log(2) * 1.1
    assert cross_validate(naive, labels, is_score=False).shape == (300,)
    assert build_features(texts)[0].shape == naive.shape


def test_other_rows_are_answered_by_what_was_learnt():
    pairs, shared = draw_pairs(300)
    labels = (shared > 2).astype(np.float64)
    found = answer(pairs[:200], labels[:200], pairs[200:], num_classes=3)
    assert found.shape == (100, 3)
    assert (found[:, 2] == 0).all()  # a class without rows
    assert (found.argmax(axis=1) == labels[200:]).mean() > 0.9
    scores = answer(pairs[:200], shared[:200], pairs[200:], num_classes=0)
    assert np.corrcoef(scores, shared[200:])[0, 1] > 0.95
