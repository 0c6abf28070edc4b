"""All checks over all tasks of a configuration."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerFast

from checks import balance, texts
from checks.contradictions import find_contradictions
from checks.finding import Finding, say_once
from checks.lengths import Lengths, find_cut_rows, measure_lengths
from checks.near import find_near_leaks
from checks.overlaps import find_duplicates, find_equal_sides, find_leaks, find_repeated_ids, find_shared_sides
from checks.reading import Splits, read_splits
from checks.shortcuts import Shortcuts, find_shortcuts, measure_shortcuts
from checks.split_rows import SplitRows
from datamodules import MultitaskDataModule
from datamodules.streams import Streams
from lightning_modules import MultitaskModule


@dataclass(frozen=True)
class SplitNumbers:
    """What was measured of a split.

    Args:
        rows: Its rows.
        labels: How the labels are spread, as plain data.
        constant: Accuracy of train's most frequent class; None for scores and without labels.
        lengths: Tokens of its examples.
        unknown: Share of tokens that the tokenizer does not know.
    """

    rows: int
    labels: Mapping[str, Any]
    constant: float | None
    lengths: Lengths
    unknown: float

    def as_dict(self) -> dict[str, Any]:
        """Return them as plain data."""
        measured = {"constant": self.constant, "lengths": self.lengths.as_dict(), "unknown": self.unknown}
        return {"rows": self.rows, "labels": dict(self.labels), **measured}


@dataclass(frozen=True)
class Checked:
    """What the checks found and measured.

    Args:
        findings: The findings, task by task.
        splits: What was measured, by task and split.
        shortcuts: What shortcuts score, by task; None where a task has too few rows.
    """

    findings: list[Finding]
    splits: dict[str, dict[str, SplitNumbers]]
    shortcuts: dict[str, Shortcuts | None]


def look(data: MultitaskDataModule, build_model: Callable[[], MultitaskModule] | None) -> Checked:
    """Read the data of a configuration and run all checks.

    Args:
        data: The data, not yet read.
        build_model: Builds the model, to look for suspects; None to do without.

    Raises:
        InputError: If a file is wrong.
    """
    findings: list[Finding] = []
    with TemporaryDirectory(prefix="tandem-") as folder:
        splits = read_splits(data, Path(folder), findings)
        checked = run_checks(splits, data.tokenizer, data.max_length, data.streams)
        if build_model is not None:
            from checks.suspects import look_for_suspects

            model = build_model()
            model.take_first_weights(data.tokenizer)
            findings += look_for_suspects(splits, model.backbone, data.tokenizer, data.max_length)
    return replace(checked, findings=say_once([*checked.findings, *findings], data.streams))


def run_checks(splits: Splits, tokenizer: PreTrainedTokenizerFast, max_length: int, streams: Streams) -> Checked:
    """Run all checks but that of suspects.

    Args:
        splits: All splits.
        tokenizer: Their tokenizer.
        max_length: Tokens a sequence at most.
        streams: Which tasks share their rows.
    """
    checked = Checked([], {}, {})
    for name, rows in splits.items():
        script = rows["train"].oddities.main_script
        checked.splits[name] = {}
        for split, each in rows.items():
            checked.splits[name][split], found = check_split(each, rows["train"], tokenizer, max_length, script)
            checked.findings.extend(found)
        checked.findings.extend(check_task(rows))
        checked.shortcuts[name] = shortcuts = measure_shortcuts(rows["train"])
        checked.findings.extend(find_shortcuts(rows["train"], shortcuts) if shortcuts else ())
    checked.findings.extend(check_overlaps(splits, streams))
    return checked


def check_split(
    rows: SplitRows, train: SplitRows, tokenizer: PreTrainedTokenizerFast, max_length: int, script: str
) -> tuple[SplitNumbers, list[Finding]]:
    """Measure a split and look at its rows one by one."""
    lengths, cut = measure_lengths(rows, tokenizer, max_length)
    unknown = texts.count_unknown(rows, tokenizer.unk_token_id)
    share = float(unknown.sum() / max(1, rows.store.lengths.sum()))
    numbers = SplitNumbers(
        len(rows), balance.describe_labels(rows), balance.score_constant(train, rows), lengths, share
    )
    return numbers, [
        *texts.find_skipped_rows(rows),
        *find_cut_rows(rows, lengths, cut, max_length, most=tokenizer.model_max_length),
        *texts.find_unknown_tokens(rows, tokenizer, unknown),
        *texts.find_oddities(rows, train),
        *texts.find_other_scripts(rows, script),
        *find_duplicates(rows),
        *find_equal_sides(rows),
        *find_contradictions(rows),
        *balance.find_constant_labels(rows),
    ]


def check_task(splits: Mapping[str, SplitRows]) -> Iterator[Finding]:
    """Compare the splits of a task."""
    train, *others = splits.values()
    yield from balance.find_class_problems(train, others)
    yield from find_repeated_ids([train, *others])
    for evaluated in others:
        yield from balance.find_label_shift(train, evaluated)


def check_overlaps(splits: Splits, streams: Streams) -> Iterator[Finding]:
    """Compare what is evaluated with what is trained on, of all tasks.

    Of another stream one task stands for all, since they have the same rows; a task that trains on the texts of the
    task itself has nothing to add.
    """
    for name, rows in splits.items():
        own = rows["train"]
        others = [splits[tasks[0]]["train"] for tasks in streams.values() if name not in tasks]
        trains = [own, *(other for other in others if not np.array_equal(other.keys, own.keys))]
        for evaluated in list(rows.values())[1:]:
            for train in trains:
                yield from find_leaks(evaluated, train)
                yield from find_near_leaks(evaluated, train)
                yield from find_shared_sides(evaluated, train)
