"""How well a label can be told without understanding: what a model must beat, beside the most frequent label.

Each way looks at one feature of a text alone. Scores are cross-validated on a sample of the train split; all copies of
a single text are in one fold.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from checks.finding import Finding
from checks.split_rows import SplitRows
from shortcuts.features import Rarity, bag_of_words, overlap_features
from shortcuts.models import Features, Floats, correlate, cross_validate, draw_labelled

STRONG = 0.5  # share of what lies between the most frequent label and all right


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
    if rows.task.labels.is_set:
        return None
    is_score = not rows.task.labels.num_classes
    groups = np.unique(rows.keys, return_inverse=True)[1].ravel() if rows.sides == 1 else np.arange(len(rows))
    sample = draw_labelled(rows.labels, is_score=is_score, groups=groups)
    if not sample.size:
        return None
    labels = rows.labels[sample]
    features = build_features([*rows.texts.take(sample)])
    if rows.sides == 2:
        features["how often the texts come"] = count_recurrence(rows)[sample]
    constant = 0.0 if is_score else float((labels == rows.task.labels.best_constant(labels)).mean())
    return Shortcuts(
        "pearson" if is_score else "accuracy",
        constant,
        {name: score_feature(values, labels, groups[sample], is_score=is_score) for name, values in features.items()},
        sample.size,
    )


def build_features(texts: list[tuple[str, ...]]) -> dict[str, Features]:
    """Return the features of examples by name, each (n, features)."""
    sides = [*zip(*texts, strict=True)]
    lengths = np.array([[len(text.split()) for text in side] for side in sides], dtype=np.float64).T
    bags = [bag_of_words(side) for side in sides]
    if len(sides) == 1:
        return {"length": np.log1p(lengths), "bag of words": bags[0]}
    difference = np.abs(lengths[:, :1] - lengths[:, 1:])
    return {
        "length": np.log1p(np.hstack([lengths, difference])),
        "word overlap": overlap_features(texts, Rarity(text for side in sides for text in side)),
        "bag of words, first text": bags[0],
        "bag of words, second text": bags[1],
        "bag of words, both": csr_array(hstack(bags)),
    }


def count_recurrence(rows: SplitRows) -> NDArray[np.float64]:
    """Return how often each side of a pair comes in the split, the rarer one first; logarithms, (n, 2).

    Source: the frequency leak of Quora's pairs, https://www.kaggle.com/c/quora-question-pairs/discussion/31284
    """
    _, inverse, counts = np.unique(rows.keys, return_inverse=True, return_counts=True)
    return np.log(np.sort(counts[inverse.reshape(rows.keys.shape)], axis=1))


def score_feature(features: Features, labels: Floats, groups: NDArray[np.int64], *, is_score: bool) -> float:
    """Return the accuracy, or Pearson correlation, of a small model's answers, cross-validated over groups of rows."""
    predicted = cross_validate(features, labels, is_score=is_score, groups=groups)
    return correlate(predicted, labels) if is_score else float((predicted == labels).mean())


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
