"""Several tasks over the same rows, read at once."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tasks.reading import JointExample, read_together
from tasks.sample import sample
from tasks.source import Split
from tasks.task import Task


def read_joint(
    tasks: Sequence[Task], split: Split, root: Path, report: Callable[[str], None]
) -> Iterator[JointExample]:
    """Return the examples of a split in file order, with a label for each task.

    Args:
        tasks: Tasks over the same rows.
        split: Which split.
        root: Folder that relative paths start from.
        report: Called with a sentence for each row that is skipped.

    Raises:
        InputError: As for `Task.read`.
    """
    located = read_together([task.reader for task in tasks], split, root, report)
    limit = tasks[0].limit(split)
    for _, examples in sample(located, limit) if limit else located:
        first = examples[0]
        yield JointExample(first.id, first.texts, tuple(example.label for example in examples))
