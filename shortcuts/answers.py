"""What a shortcut model says of rows that it has not seen, as probabilities: for losses that lean on how sure it is."""

from collections.abc import Sequence

import numpy as np

from shortcuts.features import Pair, Rarity, bag_of_words, overlap_features
from shortcuts.models import Features, Floats, cross_validate, fit_and_predict


def build_features(texts: Sequence[Pair], *others: Sequence[Pair]) -> list[Features]:
    """Return word overlap of pairs, or the bag of words of single texts, of each of several lists of rows.

    Args:
        texts: One or two texts a row; how rare words are is counted here.
        others: More of them.
    """
    if len(texts[0]) == 1:
        return [bag_of_words([text for row in rows for text in row]) for rows in (texts, *others)]
    rarity = Rarity(text for row in texts for text in row)
    return [overlap_features(rows, rarity) for rows in (texts, *others)]


def answer_unseen_folds(texts: Sequence[Pair], labels: Floats, *, is_score: bool) -> Floats:
    """Return what a model that has not seen a row says of it: probabilities (rows, C), or scores (rows,).

    Args:
        texts: One or two texts a row.
        labels: Class indices or scores, NaN where there is none, (rows,); of each class at least FOLDS.
        is_score: Whether they are scores.

    Returns:
        NaN where there is no label.
    """
    known = np.flatnonzero(~np.isnan(labels))
    (features,) = build_features([texts[int(row)] for row in known])
    found = cross_validate(features, labels[known], is_score=is_score, as_probabilities=not is_score)
    answers = np.full((len(labels), *found.shape[1:]), np.nan)
    answers[known] = found
    return answers


def answer(texts: Sequence[Pair], labels: Floats, asked: Sequence[Pair], *, num_classes: int) -> Floats:
    """Return what a model that has learnt some rows says of others, in the form of `answer_unseen_folds`.

    Args:
        texts: One or two texts a row.
        labels: Class indices or scores of each, (rows,); those of a class may be missing.
        asked: Texts of the other rows.
        num_classes: Number of classes (C); 0 for scores.
    """
    known, features = build_features(texts, asked)
    predicted, shares = fit_and_predict(known, labels, features, is_score=num_classes == 0, is_calibrated=True)
    if shares is None:
        return predicted
    answers = np.zeros((len(asked), num_classes))
    answers[:, np.unique(labels).astype(np.int64)] = shares
    return answers
