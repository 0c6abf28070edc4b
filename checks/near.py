"""Evaluated texts that are nearly the same as a trained one: a word more, another name, another number."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from checks.finding import Finding, shorten
from checks.fingerprints import BANDS, hash_words, shingle
from checks.split_rows import SplitRows
from tasks.normalising import normalise

SIMILAR = 0.8  # Jaccard similarity of words and neighbouring words
MOST_PER_BAND = 4  # train rows that are compared with an evaluated row for each equal band
MOST_PAIRS = 200_000  # candidates that are compared at all
AT_ONCE = 20_000

Pairs = NDArray[np.int64]  # (pairs, 2): an evaluated row, a train row


def find_near_leaks(evaluated: SplitRows, train: SplitRows) -> Iterator[Finding]:
    """Find evaluated examples that resemble a trained one; those that equal it are left to `find_leaks`."""
    if evaluated.sides != train.sides:
        return
    pairs = propose(evaluated, train)
    compared = pairs[:MOST_PAIRS]
    similar = np.concatenate(
        [np.empty(0), *(compare(evaluated, train, compared[n : n + AT_ONCE]) for n in range(0, len(compared), AT_ONCE))]
    )
    near = compared[similar >= SIMILAR]
    rows, first = np.unique(near[:, 0], return_index=True)
    if not rows.size:
        return
    is_same_task = evaluated.name == train.name
    of_other = "" if is_same_task else f" of {train.name}"
    stopped = "" if len(pairs) <= MOST_PAIRS else f" (of {len(pairs):,} candidates {MOST_PAIRS:,} were compared)"
    remarks = (
        f"like {train.where(int(near[place, 1]))}: {' | '.join(map(shorten, train.texts[int(near[place, 1])]))}"
        for place in first
    )
    yield evaluated.tell(
        rows,
        check="near-leak",
        level="warning" if is_same_task and rows.size >= 0.01 * len(evaluated) else "note",
        what=f"nearly repeat a row of the train split{of_other}{stopped}",
        advice="look at some: a changed number may be another meaning, a changed comma is a leak",
        remarks=remarks,
    )


def propose(evaluated: SplitRows, train: SplitRows) -> Pairs:
    """Return pairs of rows with an equal MinHash band and different texts, in order of the evaluated rows."""
    found = []
    for band in range(BANDS):
        order = np.argsort(train.bands[:, band], kind="stable")
        buckets = train.bands[order, band]
        start = np.searchsorted(buckets, evaluated.bands[:, band], side="left")
        stop = np.searchsorted(buckets, evaluated.bands[:, band], side="right")
        for step in range(MOST_PER_BAND):
            rows = np.flatnonzero(start + step < stop)
            found.append(np.stack([rows, order[start[rows] + step]], axis=1))
    pairs = np.unique(np.concatenate(found), axis=0)
    ours, theirs = evaluated.joined(ordered=False), train.joined(ordered=False)
    leaked = np.isin(ours, theirs)
    fresh: Pairs = pairs[~leaked[pairs[:, 0]]]
    return fresh


def compare(evaluated: SplitRows, train: SplitRows, pairs: Pairs) -> NDArray[np.float64]:
    """Return the Jaccard similarity of each pair, (pairs,)."""
    ours, our_place = np.unique(pairs[:, 0], return_inverse=True)
    theirs, their_place = np.unique(pairs[:, 1], return_inverse=True)
    texts = [*evaluated.texts.take(ours), *train.texts.take(theirs)]
    sets = to_sets(texts)
    left, right = sets[our_place], sets[len(ours) + their_place]
    shared = left.multiply(right).sum(axis=1)
    similarity: NDArray[np.float64] = shared / (left.sum(axis=1) + right.sum(axis=1) - shared)
    return similarity


def to_sets(texts: Sequence[tuple[str, ...]]) -> csr_array:
    """Return the words and neighbouring words of examples as a 0/1 matrix, (examples, different ones)."""
    words = [hash_words(normalise(text)) for example in texts for text in example]
    single, pairs, starts = shingle(words)
    lengths = np.diff(np.r_[starts, len(single)])
    rows = np.repeat(np.arange(len(words)) // len(texts[0]), lengths)
    _, columns = np.unique(np.concatenate([single, pairs]), return_inverse=True)
    counted = csr_array(
        (np.ones(len(columns), np.int32), (np.concatenate([rows, rows]), columns)),
        shape=(len(texts), int(columns.max()) + 1),
    )
    counted.sum_duplicates()
    counted.data[:] = 1
    return counted
