"""What this project asks of Lightning that has no public name: each question once, with the line that it mirrors.

Lines are those of lightning 2.6.6; tests/test_lightning_internals.py holds every answer against that version.
"""

import json
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from types import NoneType
from typing import Any, get_args

import lightning.pytorch as L
from jsonargparse import Namespace
from lightning.pytorch.callbacks import RichProgressBar, WeightAveraging
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.core.mixins.hparams_mixin import _given_hyperparameters_context
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from rich.table import Column
from torch.optim.swa_utils import AveragedModel

INSTANTIATOR = "_instantiator"  # among a module's hyperparameters: LightningCLI built it (core/saving.py:164)


def built_by_cli(settings: dict[str, Any]) -> AbstractContextManager[None]:
    """Give modules built in the block these hyperparameters, as LightningCLI does (cli.py:886)."""
    context: AbstractContextManager[None] = _given_hyperparameters_context(
        settings, "lightning.pytorch.cli.instantiate_module"
    )
    return context


def put_int_first(builder: Callable[..., Any]) -> None:
    """Make jsonargparse try a whole number first where an option is a number, or a number or a name.

    Lightning writes `Optional[Union[int, float]]` (trainer.py:107), but typing hands out an equal union that was made
    before: where scikit-learn's `Optional[Union[float, int]]` was, `limit_val_batches 1` would be 1.0, all batches.
    Which was first depends on the versions of both and of transformers.

    Args:
        builder: What builds a class; its annotations are changed.
    """
    for name, hint in builder.__annotations__.items():
        kinds = [kind for kind in get_args(hint) if kind is not NoneType]
        if set(kinds) in ({int, float}, {int, str}):
            (other,) = set(kinds) - {int}
            builder.__annotations__[name] = int | other | None if NoneType in get_args(hint) else int | other


for _class in (L.Trainer, TensorBoardLogger, CSVLogger):
    put_int_first(_class.__init__)


def attached_trainer(module: L.LightningModule) -> L.Trainer | None:
    """Return a module's trainer; None outside of one, where asking for it is an error (pytorch/core/module.py:223)."""
    return module._trainer


def window_ends(trainer: L.Trainer) -> bool:
    """Whether the optimiser steps after the batch under way (`_should_accumulate`, training_epoch_loop.py:447)."""
    progress = trainer.fit_loop.epoch_loop.batch_progress
    is_full = progress.current.ready % trainer.accumulate_grad_batches == 0
    is_last = progress.current.ready == trainer.num_training_batches or progress.is_last_batch
    return is_full or (is_last and not trainer.strategy.handles_gradient_accumulation)


def return_to_window_start(trainer: L.Trainer) -> None:
    """Take back the batches of the begun accumulation window from the counts that a checkpoint keeps (progress.py:95).

    For a training that ends inside it: what is resumed makes the optimiser step from its first batch on.
    """
    progress = trainer.fit_loop.epoch_loop.batch_progress
    begun = progress.current.completed % trainer.accumulate_grad_batches
    for counts in (progress.current, progress.total):
        for name in ("ready", "started", "processed", "completed"):
            setattr(counts, name, getattr(counts, name) - begun)


def validation_follows(trainer: L.Trainer) -> bool:
    """Whether a validation comes right after the batch that ends (training_epoch_loop.py:390)."""
    loop: Any = trainer.fit_loop
    return bool(loop.epoch_loop._should_check_val_fx(loop._data_fetcher))


def stops_here(trainer: L.Trainer) -> bool:
    """Whether the training ends after this batch because something asked for it (fit_loop.py:195)."""
    return bool(trainer.should_stop and trainer.fit_loop._can_stop_early)


def logged_step(trainer: L.Trainer) -> int:
    """Return the step that Lightning logs the scores of a validation on (logger_connector.py:123)."""
    return trainer.fit_loop.epoch_loop._batches_that_stepped


def validate_after_training(trainer: L.Trainer) -> None:
    """Validate where Lightning does not, logged on the step before as at the end of an epoch (fit_loop.py:495)."""
    loop = trainer.fit_loop.epoch_loop
    loop.val_loop.restarting = False
    loop._batches_that_stepped -= 1
    trainer.validating = True
    loop.val_loop.run()
    trainer.training = True
    loop._batches_that_stepped += 1


def take_sigterm(trainer: L.Trainer) -> bool:
    """Whether a SIGTERM came before the training; Lightning forgets it, and does not end (signal_connector.py:120)."""
    received = trainer.received_sigterm
    trainer._signal_connector.received_sigterm = False
    return received


def move_loaded_position(trainer: L.Trainer, batches: int) -> None:
    """Move the count of batches that a checkpoint is about to restore (checkpoint_connector.py:342).

    Args:
        trainer: The trainer, which has loaded the checkpoint and restores its loops after the data module.
        batches: How many batches more; negative for fewer.
    """
    loops: Any = trainer._checkpoint_connector._loaded_checkpoint["loops"]["fit_loop"]
    current = loops["epoch_loop.batch_progress"]["current"]
    current.update({name: count + batches for name, count in current.items()})


def averaged_model(callback: WeightAveraging) -> AveragedModel | None:
    """Return the model with the averaged weights; None outside `fit` (weight_averaging.py:157)."""
    return callback._average_model


def keep_numbers_on_one_line(bar: RichProgressBar) -> None:
    """Cut the numbers of a progress bar off instead of wrapping them (rich_progress.py:393)."""
    if bar._metric_component is not None:
        bar._metric_component._table_column = Column(overflow="ignore")


def set_version(logger: TensorBoardLogger | CSVLogger, version: str) -> None:
    """Name the folder that a logger has not begun to write to (fabric/loggers/tensorboard.py:131, csv_logs.py:99)."""
    logger._version = version


class OpenCLI(LightningCLI):
    """LightningCLI whose private hooks have names."""

    @property
    def built(self) -> Namespace:
        """What was built of the options of the command that runs (`_get`, cli.py:746)."""
        built: Namespace = self.config_init[self.subcommand]
        return built

    def add_command_arguments(self, parser: LightningArgumentParser, command: str, *, own: Collection[str]) -> None:
        """Implement to change the parser of a command (cli.py:527).

        Args:
            parser: The parser, which has all options.
            command: `fit`, `validate`, `test` or `predict`.
            own: Names of the options that the Trainer's method of that name has.
        """

    def own_options(self, command: str) -> list[str]:
        """Return the names of the options that the Trainer's method of a command has (cli.py:527)."""
        return list(self._subcommand_method_arguments[command])

    def run_command(self, command: str) -> None:
        """Run the Trainer's method of that name (cli.py:750); implement to run something else."""
        super()._run_subcommand(command)

    def running(self, command: str) -> AbstractContextManager[None]:
        """Implement to surround the Trainer's work, all hooks before and after it included (cli.py:750)."""
        return nullcontext()

    def _prepare_subcommand_parser(self, klass: type, subcommand: str, **kwargs: Any) -> LightningArgumentParser:
        parser: LightningArgumentParser = super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        self.add_command_arguments(parser, subcommand, own=self.own_options(subcommand))
        return parser

    def _run_subcommand(self, subcommand: str) -> None:
        with self.running(subcommand):
            self.run_command(subcommand)

    def _dump_config(self) -> None:
        """Note the settings as plain data, for checkpoints; as cli.py:586, which writes and reads slow YAML for it."""
        if not hasattr(self, "config_dump"):
            self.config_dump = self.plain_settings(self.config)

    def plain_settings(self, config: Namespace) -> dict[str, Any]:
        """Return the settings of the command that runs as plain data."""
        options = {"skip_link_targets": False, "skip_unset": False, "skip_validation": True}
        settings: dict[str, Any] = json.loads(self.parser.dump(config, format="json", **options))[self.subcommand]
        return settings

    def _parse_ckpt_path(self) -> None:
        """Leave the command line as it is; Lightning would replace it by the checkpoint's hyperparameters unasked."""
