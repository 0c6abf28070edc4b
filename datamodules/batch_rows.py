"""Which rows make a batch, and how they count."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class LabelledPart(NamedTuple):
    """How the rows with a label of one task count in a batch of a stream, where some have none.

    Args:
        factor: What the mean over the labelled rows of this rank is multiplied by beside the batch's weight, so that
            the mean over the ranks, and over the batches of an optimiser step, is the mean over all labelled rows.
        any_labelled: Whether a row of the global batch has a label.
    """

    factor: float = 1.0
    any_labelled: bool = True


class BatchRows(NamedTuple):
    """Which rows of which stream make a batch on this rank.

    Args:
        stream: Name of the stream; of a task that shares its rows with no other, the task's.
        rows: Row numbers of this rank, (B,) int64.
        weight: Own rows · world size / rows of the global batch. The mean loss times it, averaged over the ranks, is
            the mean over the global batch. It is 0 where the global batch has fewer rows than there are ranks and none
            is left for this one, which gets a row all the same: every rank has to make the step.
        epoch: Number of the epoch.
        fullness: Rows of the global batch / the batch size: less than 1 for a stream's last batch.
        labelled: Of each task of the stream, where some rows lack a label; empty where all rows count for all tasks.
    """

    stream: str
    rows: np.ndarray
    weight: float = 1.0
    epoch: int = 0
    fullness: float = 1.0
    labelled: tuple[LabelledPart, ...] = ()


def count_labelled(
    has_label: NDArray[np.bool_],
    rows: NDArray[np.int64],
    own: NDArray[np.int64],
    stream_rows: Sequence[NDArray[np.int64]],
) -> LabelledPart:
    """Say how the labelled rows of a task count in a batch.

    Args:
        has_label: Whether each row of the split has the task's label, (rows,).
        rows: Rows of the global batch, (B,).
        own: Those of this rank; none where there are fewer rows than ranks.
        stream_rows: Rows of each batch of the stream in the optimiser step, the batch among them.

    Example:
        >>> has_label, rows = np.array([True, False, True, True]), np.arange(4)
        >>> count_labelled(has_label, rows, rows[:2], [rows])  # one half against three quarters
        LabelledPart(factor=0.6666666666666666, any_labelled=True)
    """
    total = sum(int(has_label[others].sum()) for others in stream_rows)
    share = total / sum(map(len, stream_rows))
    factor = float(has_label[own].mean()) / share if own.size and total else 0.0
    return LabelledPart(factor, bool(has_label[rows].any()))
