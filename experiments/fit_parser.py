"""What `train.py fit` says to the files and flags of a training, before any is started."""

import json
import os
from argparse import ArgumentError
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, NoReturn

from jsonargparse import Namespace
from lightning.pytorch.cli import LightningArgumentParser

from cli import MultitaskCLI
from command_line.best_options import check_best_options
from command_line.own_classes import refuse_untyped
from command_line.parser import Parser
from command_line.trainer_options import check_trainer
from datamodules import MultitaskDataModule
from experiments.fit_checks import check_parts
from experiments.job import Job
from lightning_modules import MultitaskModule
from runtime.messages import silence_lightning
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

    def check(self, parsed: Namespace) -> None:
        """Raise an error where `fit` would refuse the parts of a training; see `check_parts`.

        Args:
            parsed: What the parser has read.

        Raises:
            InputError: If it would.
        """
        self.config, self.subcommand = parsed, "fit"
        parsed.fit.trainer.logger = False  # some loggers begin a run when they are built
        whole = (self._model_class, self._datamodule_class)
        with self.refusing_settings():
            refuse_untyped({"tasks": parsed.fit.tasks, **vars(parsed.fit)})
            check_best_options(parsed.fit.best_checkpoint)
            built = self.parser.instantiate(parsed, instantiators=[(_keep_arguments, each, False) for each in whole])
            check_parts(built.fit)


def _keep_arguments(class_type: type, applied_instantiation_links: Any, **arguments: Any) -> dict[str, Any]:
    """Return the arguments of a class, whose values are built; jsonargparse calls this in the place of the class."""
    return arguments


@cache
def build_cli() -> _ParsersOnly:
    """Return the command line with its parsers, which take a second to build."""
    silence_lightning()
    return _ParsersOnly()


def check_flags(configs: Sequence[Path], flags: Sequence[str], origin: str) -> None:
    """Raise an error where `train.py fit` would refuse a training's files or flags, as far as it shows at once.

    Neither its data nor its backbone are opened; see `check_parts`.

    Args:
        configs: `-c` files in order.
        flags: The flags after them.
        origin: Where they are given, for messages.

    Raises:
        InputError: If it would; the message is its own.
    """
    parsed = _parse(configs, flags, origin)
    try:
        build_cli().check(parsed)
    except InputError as error:
        raise InputError(f"{origin}: {error}") from None


def read_settings(configs: Sequence[Path], flags: Sequence[str], origin: str) -> dict[str, Any]:
    """Return the settings of a training as plain data, without those that are null; the arguments are the same.

    Raises:
        InputError: As `check_flags` does.
    """
    _, fit = build_cli().parsers
    settings: dict[str, Any] = json.loads(
        fit.dump(_parse(configs, flags, origin).fit, format="json", skip_validation=True)
    )
    return settings


def _parse(configs: Sequence[Path], flags: Sequence[str], origin: str) -> Namespace:
    whole, fit = build_cli().parsers
    words = ["fit", *(word for path in configs for word in ("-c", os.path.relpath(path))), *flags]
    try:
        parsed: Namespace = whole.parse_args(words)
        check_trainer(parsed.fit.trainer)
    except ArgumentError as error:
        raise InputError(f"{origin}: {fit.explain(error.message, words)}") from None
    except InputError as error:
        raise InputError(f"{origin}: {error}") from None
    return parsed


def check_jobs(jobs: Mapping[str, Sequence[Job]], files: Mapping[Path, str] = MappingProxyType({})) -> None:
    """Raise an error where `train.py fit` would refuse the first training of a system; the others differ in the seed.

    Args:
        jobs: The trainings of each system.
        files: Texts of those of their `-c` files that are still to be written.

    Raises:
        InputError: If it would.
    """
    with TemporaryDirectory(prefix="tandem-") as folder:
        for name, (first, *_) in jobs.items():
            configs = [path if path not in files else Path(folder) / path.name for path in first.configs]
            for path, text in zip(configs, map(files.get, first.configs), strict=True):
                if text is not None:
                    path.write_text(text, encoding="utf-8")
            check_flags(configs, first.flags, name)
