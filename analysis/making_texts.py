"""Training files with made texts behind their rows, and the configuration that reads them."""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import yaml

from analysis.run import Run
from augmentation.fragments import draw_fragments
from augmentation.neighbours import draw_neighbours
from heads import Scores
from runtime.errors import InputError
from runtime.new_folder import new_folder
from tasks import Example, Source, Split, Task

PREFIX = "made:"


def make_texts(examples: Sequence[Example], count: int, *, seed: int) -> list[Example]:
    """Return examples without a label, made from the texts of others: fragments of sentences, or neighbours as pairs.

    Args:
        examples: The others, one at least.
        count: How many to make; fewer where the texts do not give as many.
        seed: Seed of which are made.
    """
    texts = [example.texts for example in examples]
    if len(texts[0]) == 2:
        made: list[tuple[str, ...]] = [*draw_neighbours(texts, count, seed=seed)]
    else:
        made = [(fragment,) for fragment in draw_fragments([text for (text,) in texts], count, seed=seed)]
    return [Example(f"{PREFIX}{number}", each, None) for number, each in enumerate(made)]


def write_folder(run: Run, counts: Mapping[str, int], folder: Path, *, seed: int) -> Iterator[str]:
    """Write `TASK-train.jsonl` of each task, its rows and made texts, and `made_texts.yaml`, which reads them.

    Where the dev rows have no file of their own, or one without column names, they get `TASK-dev.jsonl`.

    Args:
        run: The run whose rows are used.
        counts: How many texts to make, by task.
        folder: The folder, new or empty.
        seed: Seed of which are made.

    Yields:
        A sentence on each task.

    Raises:
        InputError: If there is no such task, its rows cannot be written as such a file, nothing can be made of them, or
            the folder is not empty.
    """
    for name in counts:
        _check(run, name)
    settings: dict[str, Any] = copy.deepcopy(dict(run.config["tasks"]))
    with new_folder(folder) as partial:
        for name, count in counts.items():
            task, rows = run.tasks[name], run.read_examples(name, "train")
            made = make_texts(rows, count, seed=seed)
            if not made:
                raise InputError(f"task {name}: its {len(rows):,} training rows give no new text (expected some)")
            written = _moved(task, partial / name, len(rows) + len(made))
            _write(written, "train", [*rows, *made], partial / name)
            if not _has_dev_file(task.source):
                _write(written, "dev", run.read_examples(name, "dev"), partial / name)
            final = _moved(task, folder.resolve() / name, len(rows) + len(made))
            settings[name].setdefault("init_args", {}).update(
                source=asdict(final.source), missing_labels=final.missing_labels, train_limit=final.train_limit
            )
            fewer = "" if len(made) == count else f" of {count:,}"
            kind = "pairs of neighbours" if len(task.texts) == 2 else "fragments"
            yield f"task {name}: {len(rows):,} rows and {len(made):,}{fewer} {kind} without a label"
        text = yaml.safe_dump({"tasks": settings}, allow_unicode=True, sort_keys=False)
        (partial / "made_texts.yaml").write_text(text, encoding="utf-8")


def _check(run: Run, name: str) -> None:
    """Refuse a task whose rows cannot be moved to a file of their own."""
    if name not in run.tasks:
        raise InputError(f"--count {name}: no such task (expected {', '.join(run.tasks)})")
    task = run.tasks[name]
    others = [other for other in run.tasks if other != name and run.tasks[other].source == task.source]
    if others:
        raise InputError(f"--count {name}: reads the rows of {others[0]} (expected a task with rows of its own)")
    if task.train_rows is not None:
        raise InputError(f"--count {name}: train_rows is set, which names no made text (expected null)")
    if len(task.read_columns) > 1:
        raise InputError(f"--count {name}: its labels are {len(task.read_columns)} columns (expected one)")


def _has_dev_file(source: Source) -> bool:
    """Whether the dev split is a file that can stand beside a train file with column names."""
    return source.hub is None and source.all is None and source.columns is None


def _moved(task: Task, stem: Path, size: int) -> Task:
    """Return a task that reads its train split from a new file, some of whose rows have no label.

    Args:
        task: The task.
        stem: Path of the files without `-train.jsonl` and, where dev needs one too, `-dev.jsonl`.
        size: Rows of the train file, none of which a limit is to leave out.
    """
    old, train, dev = task.source, f"{stem}-train.jsonl", f"{stem}-dev.jsonl"
    if _has_dev_file(old):
        source = replace(old, train=train)
    else:
        test = old.test if old.hub is None and old.columns is None else None
        source = Source(train=train, dev=dev, test=test, encoding=old.encoding)
    gaps = "ignore" if task.missing_labels == "error" else task.with_gaps().missing_labels
    return replace(task, source=source, missing_labels=gaps, train_limit=size)


def _write(task: Task, split: Split, examples: Sequence[Example], stem: Path) -> None:
    """Write the file of a split and see that the task reads the same from it.

    Raises:
        InputError: If it reads something else, as where a label is taken for none.
    """
    lines = (json.dumps(_fields(task, example), ensure_ascii=False) for example in examples)
    text = "".join(f"{line}\n" for line in lines)
    Path(f"{stem}-{split}.jsonl").write_bytes(text.encode(task.source.encoding))
    found = [*task.read(split, Path(), lambda note: None)]
    for number, (example, other) in enumerate(zip(examples, found, strict=True), start=1):
        if (example.texts, example.label) != (other.texts, other.label):
            raise InputError(
                f"task {stem.name}: row {number} of {split} would be read as {other.texts} with label {other.label} "
                f"(expected {example.texts} with {example.label}); see its label and missing_labels"
            )


def _fields(task: Task, example: Example) -> dict[str, str]:
    """Return an example as the task's columns have it."""
    if example.label is None:
        label = ""
    elif isinstance(task.labels, Scores):
        label = str(example.label)  # format_label rounds
    else:
        label = task.format_label(task.labels.stack([example.label])[0])
    ids = {} if task.id is None else {task.id: example.id}
    return ids | dict(zip(task.texts, example.texts, strict=True)) | {task.label: label}
