"""Rows whose label the vectors of the frozen backbone speak against: wrong labels, or hard ones.

A linear model learns the label from the vectors; each row is judged by one that has not seen it.
"""

import logging
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler
from transformers import PreTrainedTokenizerFast

from backbones import Backbone
from checks.finding import Finding
from checks.reading import Splits
from checks.split_rows import SplitRows
from inference.rows import encode_rows
from shortcuts.models import FOLDS, draw_labelled

log = logging.getLogger(__name__)
SAMPLE = 5_000  # rows of a train split
LITTLE = 0.1  # probability of the label, as a share of 1 / C
WEIGHT = 40.0  # of all rows together against the size of the weights
FAR = 0.4  # of the range of the scores
SHOWN = 50  # rows in the JSON file
TOKENS_PER_BATCH = 2048
TIMED = 5  # batches before a cost is told

Say = Callable[[str], object]


def find_suspects(
    rows: SplitRows, backbone: Backbone, tokenizer: PreTrainedTokenizerFast, max_length: int, say: Say
) -> Iterator[Finding]:
    """Find them in a train split, or an even sample of it.

    Args:
        rows: The split.
        backbone: The backbone, in evaluation mode.
        tokenizer: Its tokenizer.
        max_length: Tokens a text at most.
        say: Called with what it costs, once that is known.
    """
    if rows.task.labels.is_set:
        return
    sample = draw_labelled(rows.labels, most=SAMPLE, is_score=not rows.task.labels.num_classes)
    if not sample.size:
        return
    texts = [*rows.texts.take(sample)]
    sides = [
        embed([(text,) for text in side], backbone, tokenizer, max_length, lambda cost: say(f"{rows.name}: {cost}"))
        for side in zip(*texts, strict=True)
    ]
    vectors = sides[0] if len(sides) == 1 else np.hstack([np.abs(sides[0] - sides[1]), sides[0] * sides[1]])
    judge = judge_classes if rows.task.labels.num_classes else judge_scores
    doubt, instead = judge(StandardScaler().fit_transform(vectors), rows.labels[sample])
    suspects = np.flatnonzero(doubt > 0)
    order = suspects[np.argsort(-doubt[suspects], kind="stable")]
    if not order.size:
        return
    said = instead[order]
    named = [rows.task.format_label(label) if rows.task.labels.num_classes else f"{label:.1f}" for label in said]
    remarks = [
        f"label {rows.label(row)}, rather {name}" for row, name in zip(sample[order].tolist(), named, strict=True)
    ]
    looked = "" if sample.size == len(rows) else f" ({sample.size:,} were looked at)"
    yield Finding(
        check="suspects",
        level="note",
        task=rows.name,
        split=rows.split,
        count=order.size,
        total=len(rows),
        what=f"have a label that the backbone's vectors speak against{looked}",
        advice="read them, the most doubtful first (--json has fifty): a label may be wrong, or a text ironic or hard",
        examples=rows.show(sample[order], remarks, most=SHOWN),
    )


@torch.no_grad()
def embed(
    texts: list[tuple[str, ...]], backbone: Backbone, tokenizer: PreTrainedTokenizerFast, max_length: int, say: Say
) -> NDArray[np.float32]:
    """Return the mean of the last hidden states of each text, (n, H); after a few batches tell what it will cost."""
    encoded = encode_rows(texts, "single", tokenizer=tokenizer, max_length=max_length)
    batches = encoded.cut(TOKENS_PER_BATCH)
    vectors = np.empty((len(texts), backbone.hidden_size), np.float32)
    started = time.perf_counter()
    for number, rows in enumerate(batches):
        vectors[rows] = backbone(encoded.join(rows)).float().numpy()
        if number + 1 == TIMED:
            seconds = (time.perf_counter() - started) / TIMED * len(batches)
            say(f"vectors of {len(texts):,} texts, about {seconds:.0f} s")
    return vectors


def judge_classes(
    vectors: NDArray[np.float32], labels: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Judge class labels.

    Args:
        vectors: A vector of each row, (n, D).
        labels: Class of each row, (n,).

    Returns:
        How much each is doubted, above 0 for suspects, (n,); the more probable class, (n,).

    Source: Northcutt, Jiang & Chuang 2021, https://doi.org/10.1613/jair.1.12125, with one threshold for all classes:
        on SST-5 with 60 labels of 4,000 swapped between its ends, 61 rows are doubted, 28 of them swapped ones
    """
    classes, places = np.unique(labels, return_inverse=True)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    model = LogisticRegression(C=WEIGHT / len(places))
    probabilities = cross_val_predict(model, vectors, places, cv=folds, method="predict_proba")
    own = probabilities[np.arange(len(places)), places] * len(classes)
    return np.where(own < LITTLE, 1 - own, 0.0), classes[probabilities.argmax(axis=1)]


def judge_scores(
    vectors: NDArray[np.float32], labels: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Judge scores as `judge_classes` does classes: suspects are far from what is expected of them."""
    folds = KFold(FOLDS, shuffle=True, random_state=0)
    expected = cross_val_predict(Ridge(alpha=1000.0), vectors, labels, cv=folds).clip(labels.min(), labels.max())
    doubt = np.abs(expected - labels) / np.ptp(labels)
    return np.where(doubt >= FAR, doubt, 0.0), expected


def look_for_suspects(
    splits: Splits, backbone: Backbone, tokenizer: PreTrainedTokenizerFast, max_length: int
) -> list[Finding]:
    """Find the suspects of every task; the log tells what it costs before it is paid.

    Args:
        splits: All splits.
        backbone: The backbone; it pools by the mean from now on, which without training says most.
        tokenizer: Its tokenizer.
        max_length: Tokens a text at most.
    """
    backbone.eval()
    backbone.pooling = "mean"
    train = [rows["train"] for rows in splits.values()]
    texts = sum(min(len(rows), SAMPLE) * rows.sides for rows in train)
    log.info("suspects: the backbone reads %s texts (--suspects false leaves that out)", f"{texts:,}")
    say = partial(log.info, "suspects: %s")
    return [finding for rows in train for finding in find_suspects(rows, backbone, tokenizer, max_length, say)]
