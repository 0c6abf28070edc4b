"""What a configuration's loggers say about where its runs lie."""

import inspect
import os
import pkgutil
from pathlib import Path
from typing import Any, NamedTuple

from jsonargparse import Namespace
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from runtime.errors import InputError

RUNS = "runs"
LOGGER = {
    "class_path": "lightning.pytorch.loggers.TensorBoardLogger",
    "init_args": {"save_dir": RUNS, "name": "", "version": None, "default_hp_metric": False},
}
FLUSH_SECONDS = 30  # until a logged value is in TensorBoard's file, at most
NO_NAMES = ("", None, "lightning_logs")


class Runs(NamedTuple):
    """The folder of a configuration's runs, and the version that is asked for."""

    folder: Path
    version: int | None


def complete_loggers(trainer: Namespace, name: str) -> Runs:
    """Complete the loggers of a trainer's configuration, in place, and return where its runs lie.

    A TensorBoard or CSV logger decides, the first if there are several: `<save_dir>/<name>`. Without one, or with its
    default `save_dir`, runs lie in `runs/<name>` of the trainer's root folder. Other loggers keep their files where
    their users expect them.
    TensorBoard's file gets what was logged within FLUSH_SECONDS.

    Args:
        trainer: The trainer's configuration.
        name: Name of the configuration, for loggers that are given none.

    Raises:
        InputError: If a version is a name: `last`, `best` and the next number are found by number.
    """
    if trainer.logger is None or trainer.logger is True:
        trainer["logger"] = Namespace(class_path=LOGGER["class_path"], init_args=Namespace(LOGGER["init_args"]))
    loggers = trainer.logger if isinstance(trainer.logger, list) else [trainer.logger]
    runs, found = Path(trainer.default_root_dir or "").expanduser() / RUNS, []
    for logger in (each for each in loggers if each):
        kind, arguments = pkgutil.resolve_name(logger.class_path), logger.init_args
        if "name" in arguments and arguments.name in NO_NAMES:
            arguments["name"] = name
        if isinstance(kind, type) and issubclass(kind, TensorBoardLogger | CSVLogger):
            chosen = runs if arguments.save_dir == RUNS else Path(arguments.save_dir).expanduser()
            arguments["save_dir"] = os.path.expandvars(chosen)
            if "flush_secs" in arguments:
                arguments["flush_secs"] = min(arguments.flush_secs, FLUSH_SECONDS)
            if isinstance(arguments.version, str) or (arguments.version or 0) < 0:
                raise InputError(
                    f"version of {kind.__name__} is {arguments.version!r} (expected a number from 0; "
                    "--trainer.logger.name NAME names the folder of the runs)"
                )
            found.append(Runs(Path(arguments.save_dir) / arguments.name, arguments.version))
        else:
            _leave_runs(kind, arguments)
    return found[0] if found else Runs(runs / name, None)


def _leave_runs(kind: Any, arguments: Namespace) -> None:
    """Put the place of a logger that has taken over our default logger's back to its own default."""
    parameter = inspect.signature(kind).parameters.get("save_dir")
    if parameter is not None and parameter.default is not parameter.empty and arguments.save_dir == RUNS:
        arguments["save_dir"] = parameter.default
