"""What a shortcut model says of rows that it has not seen, as probabilities: for losses that lean on how sure it is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shortcuts.features import Pair, Rarity, bag_of_words, overlap_features
from shortcuts.models import Features, Floats, cross_validate, fit_and_predict
from shortcuts.words import words


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

    Of a single text it has seen no other row with the same words either, by which it would know the label; six numbers
    of overlap do not tell one pair from another.

    Args:
        texts: One or two texts a row.
        labels: Class indices or scores, NaN where there is none, (rows,); of each class at least FOLDS rows, of single
            texts with different words.
        is_score: Whether they are scores.

    Returns:
        NaN where there is no label.
    """
    known = np.flatnonzero(~np.isnan(labels))
    learnt = [texts[int(row)] for row in known]
    (features,) = build_features(learnt)
    groups = number_bags([text for (text,) in learnt]) if len(learnt[0]) == 1 else None
    found = cross_validate(features, labels[known], is_score=is_score, as_probabilities=not is_score, groups=groups)
    answers = np.full((len(labels), *found.shape[1:]), np.nan)
    answers[known] = found
    return answers


def number_bags(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of each text's words, in the order in which they come first; equal where the words are.

    Example:
        >>> number_bags(["A film", "a song", "film: a film!"]).tolist()
        [0, 1, 0]
    """
    bags = [words(text) for text in texts]
    numbers = {bag: number for number, bag in enumerate(dict.fromkeys(bags))}
    return np.array([numbers[bag] for bag in bags], dtype=np.int64)


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
