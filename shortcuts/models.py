"""Small models that tell a label by such features: what a trained model must beat."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SAMPLE = 10_000  # rows that a model learns from at most
LEAST = 50  # rows below which nothing is told
FOLDS = 5

Floats = NDArray[np.float64]
Features: TypeAlias = Floats | csr_array


def draw_labelled(
    labels: Floats, *, is_score: bool, most: int = SAMPLE, groups: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Draw rows with a label evenly, in order.

    Args:
        labels: Class or score of each row, NaN where there is none, (n,).
        is_score: Whether they are scores.
        most: How many to draw at most.
        groups: Number of each row's group (see `cross_validate`), (n,); None for rows that stand alone.

    Returns:
        Rows, (at most `most`,), without those of classes with fewer rows, or groups, than folds; none where less than
        LEAST rows, fewer groups than folds or one label alone is left, which tell nothing.
    """
    groups = np.arange(len(labels)) if groups is None else groups
    sample = np.flatnonzero(~np.isnan(labels))
    if sample.size > most:
        sample = np.sort(np.random.default_rng(0).choice(sample, most, replace=False))
    if not is_score:
        firsts = sample[np.unique(groups[sample], return_index=True)[1]]
        values, counts = np.unique(labels[firsts], return_counts=True)
        sample = sample[np.isin(labels[sample], values[counts >= FOLDS])]
    is_enough = sample.size >= LEAST and np.unique(groups[sample]).size >= FOLDS
    return sample if is_enough and np.ptp(labels[sample]) > 0 else sample[:0]


def build_model(features: Features, *, is_score: bool, is_calibrated: bool = False) -> Any:
    """Return an untrained model: naive Bayes for classes by bags of words, logistic regression by other features.

    Scores get a ridge regression. Classes keep the frequencies that they have in the data; none is weighted up.

    Args:
        features: Features of each row, (n, features).
        is_score: Whether labels are scores.
        is_calibrated: Whether it must mean its probabilities: then logistic regression by bags of words too, since
            naive Bayes counts words as if none followed from another and is far too sure.
    """
    is_bag = isinstance(features, csr_array)
    if is_score:
        model: Any = Ridge(alpha=10.0, solver="sparse_cg", tol=1e-3)
    elif is_bag:
        model = LogisticRegression(C=0.1, tol=1e-3, max_iter=200) if is_calibrated else MultinomialNB(alpha=0.3)
    else:
        model = LogisticRegression()
    return model if is_bag else make_pipeline(StandardScaler(), model)


def cross_validate(
    features: Features,
    labels: Floats,
    *,
    is_score: bool,
    as_probabilities: bool = False,
    groups: NDArray[np.int64] | None = None,
) -> Floats:
    """Return what a model that has not seen the row predicts for it, (n,).

    Args:
        features: Features of each row, (n, features).
        labels: Label of each row, (n,); of a class at least FOLDS.
        is_score: Whether they are scores.
        as_probabilities: Whether to return the probability of each class in order, (n, classes).
        groups: Number of each row's group, (n,), of which a model has seen none or all; FOLDS or more of each class.
            None for rows that stand alone.
    """
    groups = np.arange(len(labels)) if groups is None else groups
    _, firsts, places = np.unique(groups, return_index=True, return_inverse=True)
    folds = (KFold if is_score else StratifiedKFold)(FOLDS, shuffle=True, random_state=0)
    parts = [np.isin(places, held) for _, held in folds.split(firsts, labels[firsts])]
    model = build_model(features, is_score=is_score, is_calibrated=as_probabilities)
    method = "predict_proba" if as_probabilities else "predict"
    rows = [(np.flatnonzero(~is_held), np.flatnonzero(is_held)) for is_held in parts]
    predicted: Floats = cross_val_predict(model, features, labels, cv=rows, method=method)
    return predicted


def fit_and_predict(
    features: Features, labels: Floats, others: Features, *, is_score: bool, is_calibrated: bool = False
) -> tuple[Floats, Floats | None]:
    """Train a model on rows and return what it predicts for other rows.

    Args:
        features: Features of the rows, (n, features).
        labels: Their labels, (n,).
        others: Features of the other rows, (m, features).
        is_score: Whether labels are scores.
        is_calibrated: See `build_model`.

    Returns:
        Labels, (m,); the probability of each class that the rows have, in order, (m, classes), None for scores.
    """
    model = build_model(features, is_score=is_score, is_calibrated=is_calibrated).fit(features, labels)
    return model.predict(others), None if is_score else model.predict_proba(others)


def correlate(predicted: Floats, labels: Floats) -> float:
    """Return Pearson's correlation; 0 where either never changes."""
    return float(np.corrcoef(predicted, labels)[0, 1]) if np.ptp(predicted) > 0 and np.ptp(labels) > 0 else 0.0
