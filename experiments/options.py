"""The options shared by all commands that run many trainings."""

import argparse
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.budget import Budget, parse_budget
from experiments.job import Job
from experiments.settings import find_setting
from runtime.arguments import Arguments, task_count
from runtime.errors import InputError

OWN_FLAGS = r"--(seed_everything|ckpt_path|trainer\.logger(\..+)?)"  # set for each job, to find its runs again
WHOLE = {
    "limit_val_batches": 1.0,
    "limit_test_batches": 1.0,
    "overfit_batches": 0.0,
    "fast_dev_run": False,
}  # 1 is one batch


@dataclass(frozen=True)
class JobOptions:
    """What all trainings of a command share.

    Args:
        output: Folder of their runs.
        seeds: Number of runs of each system; their seeds are 1, 2, …
        jobs: Number of trainings at once.
        root: `--data.root`; None to leave it to the configurations.
        backbone: `--model.backbone`; None to leave it to the configurations.
        budget: Limit on each training; None for the configuration's epochs.
        train_limits: Largest number of training examples, by task.
        configs: Further `-c` files, which override all others.
        flags: Further flags of train.py.
        table_only: Whether to show finished runs and run nothing.
        dry_run: Whether to print the commands and run nothing.
        keep_last: Whether finished runs keep their `last.ckpt`.
    """

    output: Path
    seeds: int
    jobs: int
    root: str | None
    backbone: str | None
    budget: Budget | None
    train_limits: dict[str, int]
    configs: tuple[Path, ...]
    flags: tuple[str, ...]
    table_only: bool
    dry_run: bool
    keep_last: bool

    @property
    def seed_numbers(self) -> range:
        """The seeds, from 1."""
        return range(1, self.seeds + 1)

    def check_limits(self, tasks: Iterable[str]) -> None:
        """Raise an error if a limit is on a task that no training has.

        Args:
            tasks: Names of the tasks of all trainings.

        Raises:
            InputError: If there is one.
        """
        known = dict.fromkeys(tasks)
        for task, limit in self.train_limits.items():
            if task not in known:
                raise InputError(
                    f"--train_limit {task}={limit}: no training has a task {task} (expected one of {', '.join(known)})"
                )

    def place_flags(self, backbone: Path | None = None) -> list[str]:
        """Return the flags of where data and backbone are, as far as the command says so.

        Args:
            backbone: Folder of the backbone, instead of `--backbone`.
        """
        chosen = [] if self.root is None else ["--data.root", self.root]
        if backbone is not None or self.backbone is not None:
            chosen += ["--model.backbone", str(backbone or self.backbone)]
        return chosen

    def job(
        self,
        name: str,
        seed: int,
        configs: Sequence[Path],
        *,
        tasks: Sequence[str],
        backbone: Path | None = None,
        budget: Budget | None = None,
        flags: Sequence[str] = (),
    ) -> Job:
        """Return the training of a system with a seed.

        Args:
            name: Name of the system; its runs are in a folder of that name.
            seed: The seed.
            configs: Its `-c` files, which the user's override.
            tasks: Names of its tasks.
            backbone: Folder of the backbone, instead of `--backbone`.
            budget: Limit, instead of `--budget`.
            flags: Flags, which the user's override.

        Raises:
            InputError: If its files and flags evaluate only a part of the dev examples.
        """
        chosen: list[str] = [*flags, *self.flags, "--seed_everything", str(seed), *self.place_flags(backbone)]
        for task, limit in self.train_limits.items():
            if task in tasks:
                chosen.append(f"--tasks.{task}.train_limit={limit}")
        limit_ = budget or self.budget
        every = (*configs, *self.configs)
        _check_whole(every, chosen)
        if limit_ is not None:
            chosen += limit_.flags()
        return Job(
            name=f"{name}, seed {seed}",
            folder=self.output / name / f"seed-{seed}",
            configs=every,
            flags=(*chosen, "--trainer.enable_progress_bar", "false"),
        )


def _check_whole(configs: Sequence[Path], flags: Sequence[str]) -> None:
    for name, whole in WHOLE.items():
        value = find_setting(configs, flags, "trainer", name)
        if value is not None and str(value) != str(whole):
            raise InputError(f"--trainer.{name} {value}: the tables are over all dev examples (expected {whole})")


def add_options(parser: Arguments, *, output: str) -> None:
    """Add the options that `read_options` reads.

    Args:
        parser: The parser of a command.
        output: Default of `--output`.
    """
    parser.add_argument("--seeds", type=int, default=3, help="runs of each system (default: %(default)s)")
    parser.add_argument("--backbone", help="backbone, instead of the configuration's")
    parser.add_argument("--data.root", dest="root", help="folder of the data files")
    parser.add_argument("--budget", help="steps=N instead of the epochs, or minutes=N at most")
    parser.add_argument(
        "--train_limit",
        nargs="+",
        type=task_count,
        default=[],
        metavar="TASK=N",
        help="train on N examples of a task, drawn evenly from its file: the same in every run",
    )
    parser.add_argument(
        "--jobs", type=int, default=1, help="number of trainings at once, which share the cores (default: 1)"
    )
    parser.add_argument("--output", default=output, help=f"folder of the runs and the table (default: {output})")
    parser.add_argument("--table_only", action="store_true", help="show the finished runs, run nothing")
    parser.add_argument("--dry_run", action="store_true", help="print the commands, run nothing")
    parser.add_argument("--keep_last", action="store_true", help="keep last.ckpt of finished runs")
    parser.epilog = "Everything after `--` goes to train.py: flags, or `-c FILE`, which overrides the other files."


def split_arguments(arguments: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Split a command's arguments at `--`."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index("--") if "--" in given else len(given)
    return given[:cut], given[cut + 1 :]


def read_options(parsed: argparse.Namespace, extra: Sequence[str]) -> JobOptions:
    """Read what `add_options` added.

    Args:
        parsed: The parsed options.
        extra: Everything after `--`.

    Raises:
        InputError: If a number is below 1, or a limit or budget cannot be read.
    """
    for name in ("seeds", "jobs"):
        if getattr(parsed, name) < 1:
            raise InputError(f"--{name} {getattr(parsed, name)}: expected 1 or more")
    configs, flags = split_configs(extra, "--")
    return JobOptions(
        output=Path(parsed.output),
        seeds=parsed.seeds,
        jobs=parsed.jobs,
        root=parsed.root,
        backbone=parsed.backbone,
        budget=parse_budget(parsed.budget) if parsed.budget else None,
        train_limits=dict(parsed.train_limit),
        configs=configs,
        flags=flags,
        table_only=parsed.table_only,
        dry_run=parsed.dry_run,
        keep_last=parsed.keep_last,
    )


def find_file(path: str | os.PathLike[str], option: str) -> Path:
    """Return an existing file's absolute path.

    Raises:
        InputError: If there is no such file.
    """
    found = Path(path).expanduser().absolute()
    if not found.is_file():
        raise InputError(f"{option} {path}: no such file (relative paths start from the current folder)")
    return found


def split_configs(words: Sequence[str], where: str) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Split arguments of train.py into `-c` files and other flags.

    Args:
        words: The arguments.
        where: Where they are given, for messages.

    Raises:
        InputError: If a file is not there, or a flag is one that each training gets from its command.
    """
    configs: list[Path] = []
    flags: list[str] = []
    remaining = iter(words)
    for word in remaining:
        name, is_joined, value = word.partition("=")
        if name in ("-c", "--config"):
            configs.append(find_file(value if is_joined else next(remaining, ""), f"{where} {name}"))
        elif re.fullmatch(OWN_FLAGS, name):
            raise InputError(
                f"{where} {name}: this command sets it itself (expected other flags of train.py; see --seeds)"
            )
        else:
            flags.append(word)
    return tuple(configs), tuple(flags)
