"""Streams: the tasks whose examples come from the same rows, which share batches and steps."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from datamodules.schedules.schedule import JOINED
from datamodules.store import TokenStore
from tasks import InputError, Task
from tasks.labels import list_names

# Names of tasks by the name of their stream: the task's own where it is alone, else the names joined by `+`.
Streams = Mapping[str, tuple[str, ...]]
Rows = Mapping[str, object]  # all that decides which rows a task has, and in which order they come, by setting


def find_streams(tasks: Mapping[str, Task], *, share_rows: bool = True) -> dict[str, tuple[str, ...]]:
    """Return the tasks by stream, in the order of the first task of each.

    Tasks share their rows where source, text and id columns, the reading of rows, limits, batch size and what is done
    with the sides of pairs are equal, and of one file that is split what it is stratified by. Labels, encodings, heads
    and losses may differ. A task with generated pairs has rows of its own.

    Args:
        tasks: The tasks by name.
        share_rows: Whether tasks over the same rows become one stream.

    Raises:
        InputError: If several tasks of a stream ask for balanced rows.
    """
    found: list[tuple[Rows, list[str]]] = []
    for name, task in tasks.items():
        rows = _describe_rows(name, task)
        known = next((names for other, names in found if share_rows and other == rows), None)
        if known is None:
            found.append((rows, [name]))
        else:
            known.append(name)
    streams = {JOINED.join(names): tuple(names) for _, names in found}
    for names in streams.values():
        balanced = [name for name in names if tasks[name].is_balanced]
        if len(balanced) > 1:
            raise InputError(
                f"tasks {list_names(balanced)} share their rows, and each asks for sampling: balanced (expected one of "
                "them, which then decides for all, or --data.share_rows false)"
            )
    return streams


def _describe_rows(name: str, task: Task) -> Rows:
    settings = ("texts", "id", "delimiter", "quotes", "broken_rows", "train_limit", "dev_limit", "train_rows")
    same = {setting: getattr(task, setting) for setting in (*settings, "batch_size", "swap", "average_orders")}
    generated = name if task.generated_pairs is not None else None
    return {"source": task.source, "source.stratify": task.strata, **same, "generated_pairs": generated}


def fill_gaps(tasks: Mapping[str, Task], streams: Streams) -> dict[str, Task]:
    """Return the tasks; of those that share rows and skip broken ones, an empty label is a gap.

    A row without the label of one task stays for the others.

    Args:
        tasks: The tasks by name.
        streams: Their streams.
    """
    joint = {name for names in streams.values() if len(names) > 1 for name in names}
    return {
        name: task.with_gaps() if name in joint and task.broken_rows == "skip" else task for name, task in tasks.items()
    }


def check_teachers(tasks: Mapping[str, Task], streams: Streams) -> None:
    """Check that each task that teaches another one reads the same rows and has the same labels.

    Args:
        tasks: The tasks by name.
        streams: Their streams.

    Raises:
        InputError: If one does not, or there is none of the name.
    """
    for name, task in tasks.items():
        teacher = task.taught_by
        if teacher is None:
            continue
        others = [other for other in tasks if other != name]
        if teacher not in others:
            raise InputError(f"task {name}: teacher.task is {teacher!r} (expected another task: {list_names(others)})")
        if teacher not in streams[stream_of(streams, name)]:
            raise InputError(
                f"task {name}: its teacher {teacher} does not share its rows (expected the same source, texts, id, "
                "reading, limits, batch_size, swap and average_orders, and --data.share_rows true)"
            )
        if (tasks[teacher].labels, tasks[teacher].class_names) != (task.labels, task.class_names):
            raise InputError(
                f"task {name}: it has {_describe_labels(task)}, but its teacher {teacher} "
                f"{_describe_labels(tasks[teacher])} (expected the same)"
            )


def _describe_labels(task: Task) -> str:
    return f"the classes {list_names(task.class_names)}" if task.class_names else f"{task.labels}"


def describe_streams(tasks: Mapping[str, Task], streams: Streams) -> Iterator[str]:
    """Say which tasks share their rows, and of those that read the same texts and share none, what keeps them apart.

    Args:
        tasks: The tasks by name.
        streams: Their streams.
    """
    if joint := [_list_tasks(names) for names in streams.values() if len(names) > 1]:
        yield f"{'; '.join(joint)} share their rows: one batch and one step (--data.share_rows false keeps them apart)"
    seen: dict[object, tuple[str, Rows]] = {}
    for names in streams.values():
        task = tasks[names[0]]
        source, rows = task.source, _describe_rows(names[0], task)
        files = (source.hub, source.name, source.train, source.all)
        earlier, before = seen.setdefault((files, task.texts), (_list_tasks(names), rows))
        if unlike := [setting for setting, value in rows.items() if value != before[setting]]:
            yield (
                f"{earlier} and {_list_tasks(names)} read the same texts but differ in {', '.join(unlike)}: they share "
                "no batch"
            )


def _list_tasks(names: Sequence[str]) -> str:
    """Join names as a sentence does.

    Example:
        >>> _list_tasks(["topic", "stars", "tags"]), _list_tasks(["topic"])
        ('topic, stars and tags', 'topic')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def stream_of(streams: Streams, task: str) -> str:
    """Return the name of a task's stream."""
    return next(name for name, names in streams.items() if task in names)


def keep_present(streams: Streams, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the streams of some of the tasks, each with those of its tasks that are among them."""
    present = set(names)
    kept = {name: tuple(task for task in tasks if task in present) for name, tasks in streams.items()}
    return {name: tasks for name, tasks in kept.items() if tasks}


def by_encoding(names: Iterable[str], tasks: Mapping[str, Task]) -> list[list[str]]:
    """Return the tasks of a stream in groups of the same encoding, whose tokens are equal."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(tasks[name].encoding, []).append(name)
    return list(groups.values())


class StreamRows:
    """The rows of a stream, with the sequences of all its encodings.

    Args:
        stores: The store of each of its tasks.

    Attributes:
        stores: One for each encoding, in the order of `by_encoding`.
    """

    def __init__(self, stores: Sequence[TokenStore]) -> None:
        self.stores: list[TokenStore] = []
        for store in stores:
            if store.task.encoding not in (each.task.encoding for each in self.stores):
                self.stores.append(store)

    def __len__(self) -> int:
        return len(self.stores[0])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each row, (rows,)."""
        total: NDArray[np.int64] = np.sum([store.lengths for store in self.stores], axis=0)
        return total

    @property
    def sequence_lengths(self) -> list[NDArray[np.int64]]:
        """Tokens of each sequence of each row, (rows, S) for each encoding."""
        return [store.sequence_lengths for store in self.stores]


def join_rows(streams: Streams, stores: Mapping[str, TokenStore]) -> dict[str, StreamRows]:
    """Return the rows of the streams that have stores, by stream."""
    present = keep_present(streams, stores)
    return {name: StreamRows([stores[task] for task in tasks]) for name, tasks in present.items()}
