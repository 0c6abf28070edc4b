"""What `train.py fit` says to the files and flags of a training, before any is started."""

import json
import os
from argparse import ArgumentError
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from jsonargparse import Namespace
from lightning.pytorch.cli import LightningArgumentParser

from cli import MultitaskCLI
from command_line.parser import Parser
from command_line.trainer_options import check_trainer
from datamodules import MultitaskDataModule
from experiments.job import Job
from lightning_modules import MultitaskModule
from tasks import InputError


class _ParsersBuilt(Exception):  # noqa: N818 - a way out of LightningCLI, not an error
    pass


class _ParsersOnly(MultitaskCLI):
    """MultitaskCLI that ends once it has its parsers: that of train.py, and that of `fit`, the only command."""

    def __init__(self) -> None:
        self.parsers: list[Parser] = []
        with suppress(_ParsersBuilt):
            super().__init__(MultitaskModule, MultitaskDataModule)

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        return {"fit": MultitaskCLI.subcommands()["fit"]}

    def init_parser(self, **kwargs: Any) -> LightningArgumentParser:
        parser = super().init_parser(**kwargs)
        assert isinstance(parser, Parser)
        parser.exit_on_error = False
        self.parsers.append(parser)
        return parser

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> NoReturn:
        raise _ParsersBuilt


@cache
def build_parsers() -> tuple[Parser, Parser]:
    """Return the parser of train.py and that of its command `fit`, which take a second to build."""
    whole, fit = _ParsersOnly().parsers
    return whole, fit


def check_flags(configs: Sequence[Path], flags: Sequence[str], origin: str) -> None:
    """Raise an error where `train.py fit` would refuse a training's files or flags before it builds anything.

    Args:
        configs: `-c` files in order.
        flags: The flags after them.
        origin: Where they are given, for messages.

    Raises:
        InputError: If it would; the message is its own.
    """
    _parse(configs, flags, origin)


def read_settings(configs: Sequence[Path], flags: Sequence[str], origin: str) -> dict[str, Any]:
    """Return the settings of a training as plain data, without those that are null; the arguments are the same.

    Raises:
        InputError: As `check_flags` does.
    """
    _, fit = build_parsers()
    settings: dict[str, Any] = json.loads(
        fit.dump(_parse(configs, flags, origin).fit, format="json", skip_validation=True)
    )
    return settings


def _parse(configs: Sequence[Path], flags: Sequence[str], origin: str) -> Namespace:
    whole, fit = build_parsers()
    words = ["fit", *(word for path in configs for word in ("-c", os.path.relpath(path))), *flags]
    try:
        parsed: Namespace = whole.parse_args(words)
        check_trainer(parsed.fit.trainer)
    except ArgumentError as error:
        raise InputError(f"{origin}: {fit.explain(error.message, words)}") from None
    except InputError as error:
        raise InputError(f"{origin}: {error}") from None
    return parsed


def check_jobs(jobs: Mapping[str, Sequence[Job]]) -> None:
    """Raise an error where `train.py fit` would refuse the first training of a system; the others differ in the seed.

    Raises:
        InputError: If it would.
    """
    for name, (first, *_) in jobs.items():
        found = [path for path in first.configs if path.is_file()]  # a dry run writes no file of a set of tasks
        check_flags(found, first.flags, name)
