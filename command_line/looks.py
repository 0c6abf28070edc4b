"""How the options of commands that look before a training are typed."""

import argparse
from collections.abc import Collection, Iterable, Sequence

from jsonargparse import ArgumentParser, Namespace

from command_line.settings import CONFIG_FLAGS
from tasks import InputError

AGAINST = (
    "Another configuration to plan beside this one with the same flags, in the place of all -c: a file, or several "
    "joined by commas; may be given several times."
)
DRY_RUN = (
    "Build everything, try the largest train batch and a dev batch of each task, say what memory it takes, and end; no "
    "run folder."
)


def allow_bare_switches(actions: Iterable[argparse.Action], names: Collection[str]) -> None:
    """Let `--strict` stand for `--strict true`, for each of the options whose default is false."""
    for action in actions:
        if action.dest in names and action.default is False:
            action.nargs, action.const = "?", True


def add_switch(parser: ArgumentParser, name: str, help: str) -> None:
    """Add an option that is off, which is in no saved configuration; `NAME` stands for `NAME true`."""
    action = parser.add_argument(name, type=bool, default=argparse.SUPPRESS, help=help)
    action.nargs, action.const = "?", True


def shorten_to_trial(config: Namespace) -> None:
    """Make the configuration of a training, in place, one of a batch of each task that leaves no files.

    A linear probe is left out, and the vectors of a frozen backbone are computed for these batches alone.

    Args:
        config: All settings of `fit`.

    Raises:
        InputError: If it is to go on from a checkpoint, behind whose steps it would have none.
    """
    if config.get("ckpt_path") is not None:
        raise InputError("--dry_run tries a new training (expected no --ckpt_path)")
    config.trainer.fast_dev_run = len(config.tasks)
    config.model.linear_probe_epochs = 0
    config.model.cache_vectors = False


def with_configs(arguments: Sequence[str], paths: Sequence[str]) -> list[str]:
    """Return a command line with other files in the place of all its `-c`, and without `--against`.

    Args:
        arguments: The command line: a command, then its flags.
        paths: The other files.

    Example:
        >>> with_configs(["plan", "--against", "b.yaml", "--data.root=d", "--config=a.yaml"], ["b.yaml"])
        ['plan', '--data.root=d', '-c', 'b.yaml']
    """
    kept: list[str] = []
    place = 1  # behind the command
    words = iter(arguments)
    for word in words:
        name, joined, _ = word.partition("=")
        is_dropped = name in (*CONFIG_FLAGS, "--against")
        if is_dropped and not joined:
            next(words, None)
        if name in CONFIG_FLAGS:
            place = len(kept)
        if not is_dropped:
            kept.append(word)
    configs = [word for path in paths for word in ("-c", path)]
    return [*kept[:place], *configs, *kept[place:]]
