"""What a training does with each task, or with those that share their rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from datamodules import MultitaskDataModule
from datamodules.row_orders import find_drawn
from datamodules.streams import join_rows
from planning.draws import Draws, draw
from planning.length import Length
from planning.visits import Spacing, Visits, count_visits, measure_spacing


@dataclass(frozen=True)
class TaskPlan:
    """What a training does with one task, or with those that share their rows and so their batches.

    Args:
        rows: Rows of the train split.
        dev_rows: Rows of the dev split.
        batch_size: Rows of a full batch.
        visits: Its batches in the whole training.
        epochs: The same, of each epoch.
        spacing: Where they lie.
        mean_tokens: Tokens of a batch, on average.
        most_tokens: Tokens of the largest batch.
        padding_saved: Share of a padded batch's tokens that are padding, which is not computed here.
        unseen: Rows that are in no batch.
    """

    rows: int
    dev_rows: int
    batch_size: int
    visits: Visits
    epochs: list[Visits]
    spacing: Spacing
    mean_tokens: float
    most_tokens: int
    padding_saved: float
    unseen: int


def draw_training(data: MultitaskDataModule, length: Length) -> Draws:
    """Return the batches that a training on this data draws.

    Args:
        data: The data, which is set up for `fit`.
        length: Length of the training.
    """
    stores = data.stores["train"]
    lengths = {name: rows.sequence_lengths for name, rows in join_rows(data.streams, stores).items()}
    rows = {name: find_drawn([stores[task] for task in tasks]) for name, tasks in data.streams.items()}
    return draw(data.make_sampler(), lengths, length.batches, data.shapes(stores), rows)


def plan_tasks(data: MultitaskDataModule, draws: Draws) -> dict[str, TaskPlan]:
    """Say what a training does with each stream, by its name.

    Args:
        data: The data, which is set up for `fit`.
        draws: What the training draws.
    """
    dev_rows = {name: len(rows) for name, rows in join_rows(data.streams, data.stores["dev"]).items()}
    return {name: _plan_task(draws, name, dev_rows, data.batch_sizes[name]) for name in draws.tasks}


def _plan_task(draws: Draws, name: str, dev_rows: Mapping[str, int], batch_size: int) -> TaskPlan:
    chosen = draws.of(name)
    tokens = draws.tokens[chosen]
    return TaskPlan(
        rows=draws.sizes[name],
        dev_rows=dev_rows[name],
        batch_size=batch_size,
        visits=count_visits(draws, name),
        epochs=[count_visits(draws, name, epoch) for epoch in range(int(draws.epoch.max(initial=-1)) + 1)],
        spacing=measure_spacing(draws, name),
        mean_tokens=float(tokens.mean()) if tokens.size else 0.0,
        most_tokens=int(tokens.max(initial=0)),
        padding_saved=share_saved(int(tokens.sum()), int(draws.padded[chosen].sum())),
        unseen=draws.unseen[name],
    )


def share_saved(tokens: int, padded: int) -> float:
    """Return the share of a padded model's tokens that are padding.

    Example:
        >>> share_saved(tokens=60, padded=100)
        0.4
    """
    return 1 - tokens / padded if padded else 0.0
