"""All splits of a configuration, read as `fit` reads them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from checks.finding import Finding
from checks.split_rows import SplitRows, read_split_rows
from datamodules import MultitaskDataModule, TokenStore
from datamodules.encoding import open_split
from tasks import MissingFileError, Split

Splits = Mapping[str, Mapping[str, SplitRows]]  # by task and split


def read_splits(data: MultitaskDataModule, folder: Path, findings: list[Finding]) -> Splits:
    """Read every split of every task; what `fit` refuses is refused in the same words.

    Pairs that are made by rule are left out: what is checked are the files.

    Args:
        data: The data, not yet read.
        folder: Folder for the texts.
        findings: Takes what is said of missing test files.

    Returns:
        The splits that have rows, by task.

    Raises:
        InputError: If a file is wrong, or one of a train or dev split is missing.
    """
    data.tasks = {name: replace(task, generated_pairs=None) for name, task in data.tasks.items()}
    data.setup("fit")
    shown: tuple[Split, ...] = ("train", "dev")
    stores = {name: {split: data.stores[split][name] for split in shown} for name in data.tasks}
    for name in data.tasks:
        stores[name] |= _open_test(data, name, findings)
    special = [] if data.tokenizer.split_special_tokens else data.tokenizer.all_special_tokens
    return {
        name: {
            split: read_split_rows(name, task, split, store, root=data.root, folder=folder, special=special)
            for split, store in stores[name].items()
            if len(store)
        }
        for name, task in data.tasks.items()
    }


def _open_test(data: MultitaskDataModule, name: str, findings: list[Finding]) -> dict[Split, TokenStore]:
    """Return the test split by its name; nothing where there is none."""
    task = data.tasks[name]
    if "test" not in task.splits:
        return {}
    try:
        store = open_split(
            task,
            "test",
            root=data.root,
            tokenizer=data.tokenizer,
            max_length=data.max_length,
            cache_dir=data.cache_dir,
            report=lambda note: None,
        )
    except MissingFileError as error:
        findings.append(
            Finding(
                check="missing-file",
                level="note",
                task=name,
                split="test",
                count=0,
                total=0,
                what=f"left out: {error}",
                advice=f"--tasks.{name}.source.test null if there is none",
            )
        )
        return {}
    return {"test": store}
