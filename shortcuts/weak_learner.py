"""A weak model in training: which rows it has right after each epoch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

from shortcuts.features import Pair, Rarity, bag_of_words, overlap_features
from shortcuts.models import Floats


def watch_weak_learner(texts: Sequence[Pair], labels: Floats, *, epochs: int) -> NDArray[np.bool_]:
    """Train a linear model on the bags of words of each text, and on the overlap of pairs, epoch by epoch.

    Args:
        texts: One or two texts a row.
        labels: Class of each row, (rows,).
        epochs: Passes over the rows.

    Returns:
        Whether each row is right after each epoch, (epochs, rows).
    """
    sides = [*zip(*texts, strict=True)]
    parts = [bag_of_words(side) for side in sides]
    if len(sides) == 2:
        overlap = overlap_features(texts, Rarity(text for row in texts for text in row))
        parts.append(csr_array(StandardScaler().fit_transform(overlap)))
    features = csr_array(hstack(parts))
    model, classes = SGDClassifier(loss="log_loss", random_state=0), np.unique(labels)
    return np.array(
        [model.partial_fit(features, labels, classes=classes).predict(features) == labels for _ in range(epochs)]
    )
