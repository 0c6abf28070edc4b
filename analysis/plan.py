"""What the schedule of a run plans, to compare with what the training drew."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, groupby, islice
from typing import Any

from analysis.run import Run
from datamodules import BatchRows, MultitaskSampler, RoundRobinShuffled, Schedule
from tasks import InputError

MOST_EPOCHS = 50


@dataclass(frozen=True)
class Amount:
    """How much of a task.

    Args:
        batches: Number of batches.
        examples: Number of examples in them.
    """

    batches: int
    examples: int


def plan_training(run: Run) -> list[dict[str, Amount]]:
    """Return what each epoch of a run was to draw, by task, or by the names of those that share their rows.

    At most 50 epochs; one if only steps or time end the run.

    Raises:
        InputError: If the run trained nothing.
    """
    sampler = _build_sampler(run)
    epochs = min(_count_epochs(run) or 1, MOST_EPOCHS)
    return [_count(run, _epoch(run, sampler, epoch)) for epoch in range(epochs)]


def plan_first(run: Run, batches: int) -> dict[str, Amount]:
    """Return what the first batches of the plan hold, likewise, epoch after epoch.

    Args:
        run: The run.
        batches: Number of batches.

    Raises:
        InputError: If the run trained nothing.
    """
    sampler = _build_sampler(run)
    epochs = _count_epochs(run) or batches + 1  # each has at least one batch
    return _count(run, islice(chain.from_iterable(_epoch(run, sampler, epoch) for epoch in range(epochs)), batches))


def trains_in_turn(run: Run) -> bool:
    """Whether an epoch takes one task after the other, so that an early end would leave out the later ones.

    Args:
        run: The run.

    Raises:
        InputError: If the run trained nothing.
    """
    sampler = _build_sampler(run)
    sampler.set_epoch(0)
    blocks = [len(list(block)) for _, block in groupby(batch.stream for batch in sampler)]
    return 1 < len(blocks) == len(find_streams(run)) < sum(blocks)


def _count_epochs(run: Run) -> int | None:
    """Return the number of epochs; None where only steps or time end the training."""
    epochs = run.config["trainer"]["max_epochs"]
    return epochs if epochs is not None and epochs > 0 else None


def _build_sampler(run: Run) -> MultitaskSampler:
    from jsonargparse import ArgumentParser

    streams = find_streams(run)
    if not streams or "seed" not in run.report:
        raise InputError(f"{run.name} trained nothing (its report names no train split, or no seed)")
    data = run.config["data"]
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--schedule", type=Schedule | None)
    parsed = parser.instantiate(parser.parse_object({"schedule": data.get("schedule")}))
    return MultitaskSampler(
        {name: rows for name, (_, rows) in streams.items()},
        {name: run.tasks[tasks[0]].batch_size or data["batch_size"] for name, (tasks, _) in streams.items()},
        parsed.schedule or RoundRobinShuffled(),
        seed=run.report["seed"],
        max_epochs=run.config["trainer"]["max_epochs"],
    )


def find_streams(run: Run) -> dict[str, tuple[list[str], int]]:
    """Return the tasks that were drawn together, and the rows that were drawn from, by stream, as the report has it.

    Args:
        run: The run.
    """
    joint = run.report.get("streams", {})
    names = {task: name for name, each in joint.items() for task in each["tasks"]}
    streams: dict[str, tuple[list[str], int]] = {}
    for task, splits in run.report["data"].items():
        if "train" in splits and task in names:
            name = names[task]
            streams[name] = (list(joint[name]["tasks"]), int(joint[name]["rows"]))
        elif "train" in splits:
            streams[task] = ([task], count_drawn(splits["train"]))
    return streams


def count_drawn(source: Mapping[str, Any]) -> int:
    """Return how many rows of a train split are drawn from, as the report describes it: with a label, and chosen."""
    return int(source.get("chosen", source.get("labelled", source["rows"])))


def _epoch(run: Run, sampler: MultitaskSampler, epoch: int) -> Iterator[BatchRows]:
    """Return the batches of an epoch, as many as `--trainer.limit_train_batches` allows."""
    sampler.set_epoch(epoch)
    limit = run.config["trainer"].get("limit_train_batches")
    if limit is None or (limit == 1.0 and isinstance(limit, float)):
        return iter(sampler)
    return islice(iter(sampler), limit if isinstance(limit, int) else int(len(sampler) * limit))


def _count(run: Run, batches: Iterator[BatchRows]) -> dict[str, Amount]:
    amounts = {name: Amount(0, 0) for name in find_streams(run)}
    for batch in batches:
        amount = amounts[batch.stream]
        amounts[batch.stream] = Amount(amount.batches + 1, amount.examples + len(batch.rows))
    return amounts
