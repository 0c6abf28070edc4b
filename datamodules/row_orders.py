"""Which rows of a split a pass over a task takes, and how often."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from datamodules.shares import divide
from datamodules.store import TokenStore
from datamodules.streams import Streams


class RowOrder(ABC):
    """The rows of a pass in an order that depends on the generator alone.

    Attributes:
        rows: Numbers of the rows that it may draw, (rows,).
    """

    rows: NDArray[np.int64]

    @abstractmethod
    def __len__(self) -> int:
        """Count the rows of a pass."""

    @property
    @abstractmethod
    def frequencies(self) -> NDArray[np.float64]:
        """How often a pass draws each of its rows, on average, (rows,)."""

    @abstractmethod
    def draw(self, rng: Generator) -> NDArray[np.int64]:
        """Return the row numbers of a pass, (rows,).

        Args:
            rng: The only source of randomness, seeded afresh for each pass.
        """


@dataclass(frozen=True)
class SomeRows(RowOrder):
    """Each of some rows once, such as those that have a label, or that were chosen.

    Args:
        rows: Their numbers, (rows,).
    """

    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """Once each."""
        return np.ones(len(self.rows))

    def draw(self, rng: Generator) -> NDArray[np.int64]:
        """Shuffle them."""
        return self.rows[rng.permutation(len(self.rows))]


@dataclass(frozen=True)
class BalancedRows(RowOrder):
    """As many rows as there are, the same number of each class: frequent ones are cut, rare ones repeated.

    The rows of a rare class come whole so many times, and the rest is drawn without repetition. Which rows of a
    frequent class are left out is drawn anew for each pass.

    Args:
        rows: Numbers of the rows, (rows,).
        classes: Class of each of them, (rows,).

    Example:
        >>> order = BalancedRows(np.arange(8), np.array([0, 0, 0, 0, 0, 0, 0, 1]))
        >>> order.passes, sorted(order.draw(np.random.default_rng(0)).tolist())[-4:]
        ({0: 0.5714285714285714, 1: 4.0}, [7, 7, 7, 7])
    """

    rows: NDArray[np.int64]
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def passes(self) -> dict[int, float]:
        """How often a row of each class that occurs is drawn in a pass, on average."""
        found, counts = np.unique(self.classes, return_counts=True)
        shares = divide(len(self.rows), np.ones(len(found)))
        return {int(one): int(share) / int(count) for one, share, count in zip(found, shares, counts, strict=True)}

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """As often as a row of its class."""
        passes = self.passes
        return np.array([passes[int(one)] for one in self.classes])

    def draw(self, rng: Generator) -> NDArray[np.int64]:
        """Draw each class's share and shuffle all."""
        found = np.unique(self.classes)
        drawn = []
        for one, share in zip(found, divide(len(self.rows), np.ones(len(found))), strict=True):
            own = self.rows[self.classes == one]
            whole, rest = divmod(int(share), len(own))
            drawn += [*[own] * whole, own[rng.permutation(len(own))[:rest]]]
        return rng.permutation(np.concatenate(drawn))


class StreamRowOrders(NamedTuple):
    """Which rows a training pass takes of each stream; see MultitaskSampler.

    Args:
        sizes: How many.
        orders: Which ones, and how often, where it is not each of them once.
        labelled: Whether each row has a label, (rows,), for each task of the streams where some rows lack one.
    """

    sizes: dict[str, int]
    orders: dict[str, RowOrder]
    labelled: dict[str, list[NDArray[np.bool_]]]


def order_streams(streams: Streams, stores: Mapping[str, TokenStore]) -> StreamRowOrders:
    """Return which rows a training pass takes of each stream.

    Args:
        streams: Which tasks share their rows.
        stores: The training split of each task.
    """
    joined = {name: [stores[task] for task in tasks] for name, tasks in streams.items()}
    found = {name: order_rows(*each) for name, each in joined.items()}
    orders = {name: order for name, order in found.items() if order is not None}
    return StreamRowOrders(
        sizes={name: len(orders.get(name, each[0])) for name, each in joined.items()},
        orders=orders,
        labelled={
            name: [store.has_label for store in each]
            for name, each in joined.items()
            if (len(each) > 1 or each[0].teacher is not None) and any(store.has_gaps for store in each)
        },
    )


def order_rows(*stores: TokenStore) -> RowOrder | None:
    """Return which rows a training pass over a stream takes, and how often; None for each of them once.

    They are the rows with a label of any of its tasks, all of them where one has a teacher's predictions, or of those
    the chosen ones where some were chosen; where one task asks for balanced rows, those with its label.

    Args:
        stores: The store of each of its tasks.
    """
    rows, balanced = find_drawn(stores), _find_balanced(stores)
    if balanced is not None:
        return BalancedRows(rows, balanced.labels[rows].astype(np.int64))
    return SomeRows(rows) if 0 < len(rows) < len(stores[0]) else None


def count_draws(*stores: TokenStore) -> NDArray[np.float64]:
    """Return how often a training pass over a stream draws each row, on average (see `order_rows`), (rows,)."""
    order = order_rows(*stores)
    if order is None:
        return np.ones(len(stores[0]))
    draws = np.zeros(len(stores[0]))
    draws[order.rows] = order.frequencies
    return draws


def find_drawn(stores: Sequence[TokenStore]) -> NDArray[np.int64]:
    """Return the numbers of the rows that a training draws from (see `order_rows`)."""
    balanced = _find_balanced(stores)
    if balanced is not None:
        return balanced.train_rows
    rows = np.flatnonzero(np.logical_or.reduce([store.has_target for store in stores]))
    chosen = stores[0].chosen_rows  # the same for all tasks of a stream
    return rows if chosen is None else np.intersect1d(rows, chosen)


def _find_balanced(stores: Sequence[TokenStore]) -> TokenStore | None:
    return next((store for store in stores if store.task.is_balanced), None)
