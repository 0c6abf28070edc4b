"""Which part each row of a file belongs to: stratified, what belongs together in one part, a function of content alone.

Neither the order of the rows nor a seed plays a part, and all rounding is exact, so that every machine finds the same.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
STEPS = 10**6  # to which a remainder is rounded: fractions would grow with every stratum


def join_rows(texts: NDArray[np.uint64], groups: Sequence[str | None]) -> IntArray:
    """Return the number of the cluster of each row, (n,): rows with the same text or group, directly or by others.

    Args:
        texts: A number for the text of each row, equal where the texts are, (n,).
        groups: Group of each row; None for a row that belongs to none, [n].
    """
    values, same_text = np.unique(texts, return_inverse=True)
    names = {name: number for number, name in enumerate(dict.fromkeys(groups) if any(groups) else ()) if name}
    if not names:
        return same_text.astype(np.int64)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    grouped = np.array([row for row, name in enumerate(groups) if name])
    start, stop = same_text[grouped], np.array([len(values) + names[str(groups[row])] for row in grouped])
    size = len(values) + max(names.values()) + 1
    graph = coo_array((np.ones(len(grouped), np.int8), (start, stop)), shape=(size, size))
    components: IntArray = connected_components(graph, directed=False)[1][same_text]
    return np.unique(components, return_inverse=True)[1].astype(np.int64)


def assign_parts(
    texts: NDArray[np.uint64], clusters: IntArray, strata: IntArray, shares: Sequence[Fraction]
) -> IntArray:
    """Return the part of each row, (n,).

    Clusters of several rows are placed first, the largest first, each where it brings the frequencies of its strata
    nearest to the shares; then single rows fill what each stratum lacks, in the order of their texts' numbers. So few
    rows change sides when some are added to a file without clusters.

    Args:
        texts: A number for the text of each row, equal where the texts are, (n,).
        clusters: Cluster of each row, as `join_rows` returns it, (n,).
        strata: Stratum of each row, from 0, (n,).
        shares: Share of the rows for each part; they sum to 1.
    """
    sizes = np.bincount(clusters)
    parts = np.zeros(len(texts), np.int64)
    totals = np.bincount(strata)
    is_single = sizes[clusters] == 1
    together = np.flatnonzero(~is_single)
    ordered = together[np.lexsort((texts[together], clusters[together]))]
    members = np.split(ordered, np.flatnonzero(np.diff(clusters[ordered])) + 1) if ordered.size else []
    members.sort(key=lambda rows: (-len(rows), int(texts[rows[0]])))
    places = place_clusters([Counter(strata[rows].tolist()) for rows in members], totals.tolist(), shares)
    counts = np.zeros((len(shares), len(totals)), np.int64)
    for rows, part in zip(members, places, strict=True):
        parts[rows] = part
        np.add.at(counts[part], strata[rows], 1)
    _place_singles(np.flatnonzero(is_single), texts, strata, shares, counts, parts)
    return parts


def _place_singles(
    single: IntArray,
    texts: NDArray[np.uint64],
    strata: IntArray,
    shares: Sequence[Fraction],
    counts: IntArray,
    parts: IntArray,
) -> None:
    """Write the part of each single row into `parts`.

    Args:
        single: The rows, (singles,).
        texts: As for `assign_parts`, like `strata` and `shares`.
        strata: Stratum of each row.
        shares: Share of the rows for each part.
        counts: Rows of each part and stratum that clusters have brought, (parts, strata).
        parts: Part of each row, (n,).
    """
    totals = np.bincount(strata)
    lacking = [Fraction(0)] * len(shares)
    ordered = single[np.lexsort((texts[single], strata[single]))]
    starts = np.searchsorted(strata[ordered], np.arange(len(totals) + 1))
    for stratum, (start, stop) in enumerate(pairwise(starts.tolist())):
        targets = [share * int(totals[stratum]) for share in shares]
        wanted = [target - int(count) for target, count in zip(targets, counts[:, stratum], strict=True)]
        given, lacking = fill(stop - start, wanted, lacking)
        parts[ordered[start:stop]] = np.repeat(np.arange(len(shares)), given)


def place_clusters(
    clusters: Sequence[Mapping[int, int]], totals: Sequence[int], shares: Sequence[Fraction]
) -> list[int]:
    """Return the part of each cluster: the one that is least full with half of it, by strata and in all.

    Half of it, as in Sainte-Laguë's method, favours neither large nor small parts. An empty part comes before all
    others of the same share, so that as many clusters as parts leave none empty.

    Args:
        clusters: Rows of each stratum, by cluster, the largest cluster first.
        totals: Rows of each stratum in the whole file.
        shares: Share of the rows for each part.

    Example:
        >>> place_clusters([{0: 2}, {0: 2}, {1: 2}, {1: 2}], [4, 4], [Fraction(1, 2)] * 2)
        [0, 1, 0, 1]
    """
    everything = sum(totals)
    weights = [float(share) for share in shares]
    filled = [Counter[int]() for _ in shares]
    sizes = [0] * len(shares)
    places = []
    for cluster in clusters:
        size = sum(cluster.values())
        costs = []
        for weight, counts, before in zip(weights, filled, sizes, strict=True):
            cost = size * (before + size / 2) / (weight * everything)
            for stratum, rows in sorted(cluster.items()):
                cost += rows * (counts[stratum] + rows / 2) / (weight * totals[stratum])
            costs.append(cost)
        part = costs.index(min(costs))
        filled[part].update(cluster)
        sizes[part] += size
        places.append(part)
    return places


def fill(rows: int, wanted: Collection[Fraction], lacking: Sequence[Fraction]) -> tuple[list[int], list[Fraction]]:
    """Return how many rows each part gets, its fair number rounded up or down, and what it is short of then.

    Up where rounding has left a part short in the strata before, so that the parts' sizes are right too.

    Args:
        rows: Rows to give.
        wanted: Rows that each part should get; they sum to `rows`, but some may be negative.
        lacking: What the strata before left each part short of.

    Example:
        >>> given, lacking = fill(3, [Fraction(3, 2)] * 2, [Fraction(0)] * 2)
        >>> given, fill(3, [Fraction(3, 2)] * 2, lacking)[0]
        ([2, 1], [1, 2])
    """
    if not rows:
        return [0] * len(lacking), list(lacking)
    positive = [max(part, Fraction(0)) for part in wanted]
    fair = [part * rows / sum(positive) for part in positive]
    given = [math.floor(part) for part in fair]
    short = [share + before - count for share, before, count in zip(fair, lacking, given, strict=True)]
    uneven = [part for part, share in enumerate(fair) if share.denominator > 1]
    for part in sorted(uneven, key=lambda part: -short[part])[: rows - sum(given)]:
        given[part] += 1
        short[part] -= 1
    return given, [Fraction(round(part * STEPS), STEPS) for part in short]
