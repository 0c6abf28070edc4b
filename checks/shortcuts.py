"""How well a label can be told without understanding: what a model must beat, beside the most frequent label.

Each way looks at one feature of a text alone. Scores are cross-validated on a sample of the train split.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import MultinomialNB
from sklearn.preprocessing import StandardScaler

from checks.finding import Finding
from checks.split_rows import SplitRows
from tasks.normalising import normalise

SAMPLE = 10_000  # rows of a split
LEAST = 50  # rows below which nothing is told
FOLDS = 5
WIDTH = 2**14  # features of a bag of words
STRONG = 0.5  # share of what lies between the most frequent label and all right

Features = Mapping[str, Any]


@dataclass(frozen=True)
class Shortcuts:
    """What each feature tells of the label.

    Args:
        metric: `accuracy`, or `pearson` for scores.
        constant: What the most frequent label scores.
        scores: What each feature scores.
        rows: Rows of the sample.
    """

    metric: str
    constant: float
    scores: Mapping[str, float]
    rows: int

    def as_dict(self) -> dict[str, Any]:
        """Return them as plain data."""
        return {"metric": self.metric, "constant": self.constant, "scores": dict(self.scores), "rows": self.rows}


def measure_shortcuts(rows: SplitRows) -> Shortcuts | None:
    """Measure the shortcuts of a train split; None where it has too few rows, or one label alone."""
    sample = draw_labelled(rows, SAMPLE)
    labels, is_score = rows.labels[sample], not rows.task.labels.num_classes
    if sample.size < LEAST or rows.task.labels.is_set or np.ptp(labels) == 0:
        return None
    features = build_features([*rows.texts.take(sample)])
    if rows.sides == 2:
        features["how often the texts come"] = count_recurrence(rows)[sample]
    constant = 0.0 if is_score else float((labels == rows.task.labels.best_constant(labels)).mean())
    judge = correlate if is_score else classify
    return Shortcuts(
        "pearson" if is_score else "accuracy",
        constant,
        {name: judge(values, labels) for name, values in features.items()},
        sample.size,
    )


def draw_labelled(rows: SplitRows, most: int) -> NDArray[np.int64]:
    """Draw rows with a label evenly, (at most `most`,), in order; classes with fewer rows than folds are left out."""
    sample = np.flatnonzero(~np.isnan(rows.labels))
    if sample.size > most:
        sample = np.sort(np.random.default_rng(0).choice(sample, most, replace=False))
    if not rows.task.labels.num_classes:
        return sample
    values, counts = np.unique(rows.labels[sample], return_counts=True)
    kept = values[counts >= FOLDS]
    return sample[np.isin(rows.labels[sample], kept)] if kept.size > 1 else sample[:0]


def build_features(texts: list[tuple[str, ...]]) -> dict[str, Any]:
    """Return the features of examples by name, each (n, features)."""
    sides = [[normalise(text) for text in side] for side in zip(*texts, strict=True)]
    lengths = np.array([[len(text.split()) for text in side] for side in sides], dtype=np.float64).T
    vectorizer = HashingVectorizer(
        n_features=WIDTH, alternate_sign=False, binary=True, norm=None, token_pattern=r"\S+", lowercase=False
    )
    bags = [csr_array(vectorizer.transform(side)) for side in sides]
    if len(sides) == 1:
        return {"length": np.log1p(lengths), "bag of words": bags[0]}
    difference = np.abs(lengths[:, :1] - lengths[:, 1:])
    return {
        "length": np.log1p(np.hstack([lengths, difference])),
        "word overlap": measure_overlap(bags[0], bags[1]),
        "bag of words, first text": bags[0],
        "bag of words, second text": bags[1],
        "bag of words, both": csr_array(hstack(bags)),
    }


def measure_overlap(first: csr_array, second: csr_array) -> NDArray[np.float64]:
    """Return how many words two texts share, of all, of the first and of the second; (n, 3)."""
    first, second = (first > 0).astype(np.float64), (second > 0).astype(np.float64)
    shared = first.multiply(second).sum(axis=1)
    ours, theirs = first.sum(axis=1), second.sum(axis=1)
    parts = [shared / np.maximum(1, whole) for whole in (ours + theirs - shared, ours, theirs)]
    return np.stack(parts, axis=1)


def count_recurrence(rows: SplitRows) -> NDArray[np.float64]:
    """Return how often each side of a pair comes in the split, the rarer one first; logarithms, (n, 2).

    Source: the frequency leak of Quora's pairs, https://www.kaggle.com/c/quora-question-pairs/discussion/31284
    """
    _, inverse, counts = np.unique(rows.keys, return_inverse=True, return_counts=True)
    return np.log(np.sort(counts[inverse.reshape(rows.keys.shape)], axis=1))


def classify(features: Any, labels: NDArray[np.float64]) -> float:
    """Return the cross-validated accuracy of a logistic regression, for bags of words of naive Bayes."""
    model = MultinomialNB(alpha=0.3) if isinstance(features, csr_array) else LogisticRegression()
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    return float((cross_val_predict(model, _scaled(features), labels, cv=folds) == labels).mean())


def correlate(features: Any, labels: NDArray[np.float64]) -> float:
    """Return the Pearson correlation of a ridge regression's cross-validated answers; 0 where they are all the same."""
    model = Ridge(alpha=10.0, solver="sparse_cg", tol=1e-3)
    predicted = cross_val_predict(model, _scaled(features), labels, cv=KFold(FOLDS, shuffle=True, random_state=0))
    return float(np.corrcoef(predicted, labels)[0, 1]) if np.ptp(predicted) > 0 else 0.0


def _scaled(features: Any) -> Any:
    return features if isinstance(features, csr_array) else StandardScaler().fit_transform(features)


def find_shortcuts(rows: SplitRows, shortcuts: Shortcuts) -> Iterator[Finding]:
    """Find features that alone tell much of the label."""
    best = max(shortcuts.scores, key=shortcuts.scores.__getitem__)
    score, constant = shortcuts.scores[best], shortcuts.constant
    if score - constant < STRONG * (1 - constant):
        return
    yield Finding(
        check="shortcut",
        level="warning",
        task=rows.name,
        split=rows.split,
        count=shortcuts.rows,
        total=len(rows),
        what=f"were tried: {best} alone gives {shortcuts.metric} {score:.3f} (a constant answer {constant:.3f})",
        advice="a good score need not mean that a model understands; look at rows where the shortcut fails",
    )
