"""What every program of the inference suite does: load a trained model, answer all pairs, then some one by one."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from benchmarks.job import Job
from benchmarks.meter import Meter, Serving, Work
from benchmarks.rows import read_pairs

SINGLE_REQUESTS = 24  # a round
EXACT = ("fp32", "onednn")

Texts = Sequence[tuple[str, str]]


class Served(NamedTuple):
    """A loaded model.

    Args:
        answer: Returns the probability of `yes` for each pair, texts in, numbers out.
        take: Returns what was computed since the last call.
        files: The file or folder that was loaded.
    """

    answer: Callable[[Texts], Sequence[float]]
    take: Callable[[], Work]
    files: Path


def serve(job: Job, meter: Meter, load: Callable[[Job], Served]) -> None:
    """Answer the pairs in each round, and afterwards the first ones one by one."""
    started = time.process_time()
    served = load(job)
    load_s = time.process_time() - started
    rows = read_pairs(job.pairs)
    texts, labels = [(row.first, row.second) for row in rows], [row.label for row in rows]
    for _ in range(job.num_epochs):
        meter.begin()
        found = served.answer(texts)
        loss = cross_entropy(found, labels)
        work = replace(served.take(), score=loss if job.precision in EXACT else None)

        def more(loss: float = loss) -> Serving:
            singles = time_singles(served.answer, texts[:SINGLE_REQUESTS])
            served.take()
            return Serving(load_s=load_s, disk_mib=size_mib(served.files), single_ms=singles, loss=loss)

        meter.end(work, more)


def cross_entropy(probabilities: Sequence[float], labels: Sequence[int]) -> float:
    """Return the mean negative log-likelihood of labels 0 and 1.

    Example:
        >>> cross_entropy([0.5, 0.5], [0, 1]) == math.log(2)
        True
    """
    likelihoods = [p if label else 1 - p for p, label in zip(probabilities, labels, strict=True)]
    return -math.fsum(math.log(max(likelihood, 1e-12)) for likelihood in likelihoods) / len(likelihoods)


def time_singles(answer: Callable[[Texts], Sequence[float]], texts: Texts) -> list[float]:
    """Return the CPU milliseconds of each request."""
    milliseconds = []
    for pair in texts:
        started = time.process_time()
        answer([pair])
        milliseconds.append(1000 * (time.process_time() - started))
    return milliseconds


def size_mib(files: Path) -> float:
    """Return the size of a file, or of a folder's files, MiB."""
    parts = [files] if files.is_file() else [path for path in files.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in parts) / 2**20
