"""Where the files of a run go."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as L
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from lightning_internals import set_version
from runtime.run_folders import claim_folder
from tasks import InputError

log = logging.getLogger(__name__)
SETTINGS = {"config.yaml", "hparams.yaml"}


# Lightning's names of what works here, and `auto`.
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed", "64-true", 64, 32, 16, "64", "32", "16", "bf16"]


class RunTrainer(L.Trainer):
    """Lightning's Trainer, whose files lie in the folder of its run, whatever logs; see `claimed_run`.

    Args:
        precision: What products are computed in: `32-true` by default, `bf16-mixed`, `16-mixed` or `64-true`. `auto`
            measures whether bf16 is faster on this device and takes it then; a resumed training keeps what it had.
    """

    run: Path | None = None

    def __init__(self, *, precision: Precision | None = None, **kwargs: Any) -> None:
        assert precision != "auto"  # which the command line settles
        super().__init__(precision=precision, **kwargs)

    @property
    def log_dir(self) -> str | None:
        """Return the run's folder, that of the first process; what Lightning says where none was claimed.

        Call it on every process: they wait for each other.
        """
        folder: str | None = self.strategy.broadcast(None if self.run is None else str(self.run))
        return super().log_dir if folder is None else folder


def run_folder(trainer: L.Trainer) -> Path | None:
    """Return the folder of a run's files; None under `--trainer.fast_dev_run`, which leaves nothing behind.

    Call it on every process: they agree on the folder of the first one, and wait for each other to do so.
    """
    folder = trainer.log_dir
    return None if trainer.fast_dev_run else Path(folder or trainer.default_root_dir)  # type: ignore[attr-defined]


@contextmanager
def claimed_run(trainer: RunTrainer, runs: Path, kind: str, *, version: int | None = None) -> Iterator[None]:
    """Give a run a new folder, that no other run has, and put its checkpoints and logs there.

    The first process claims it and, where an InputError ends the run before it wrote more than its settings, removes
    it, without asking the others: they may wait for something else, or be gone.

    Args:
        trainer: The trainer, before it runs.
        runs: Folder of the configuration's runs.
        kind: `version`, `validate`, `test` or `predict`: the folder's name before its number.
        version: The number that is wanted; the next free one where it is taken.

    Raises:
        InputError: If the folder cannot be created.
    """
    if trainer.fast_dev_run or not trainer.is_global_zero:  # type: ignore[attr-defined]
        yield
        return
    missing = [folder for folder in (runs, *runs.parents) if not folder.exists()]
    trainer.run = _claim(runs, kind, version)
    _place(trainer, trainer.run)
    if kind == "predict":  # logs nothing: its files would hold the settings alone
        trainer.loggers = [each for each in trainer.loggers if not isinstance(each, TensorBoardLogger | CSVLogger)]
    try:
        yield
    except InputError:
        if not _holds_results(trainer.run):
            shutil.rmtree(trainer.run)
            _remove_empty(missing)
        raise


def _claim(runs: Path, kind: str, version: int | None) -> Path:
    try:
        folder = claim_folder(runs, kind, version)
    except OSError as error:
        expected = "a place for runs that can be written"
        raise InputError(f"{error.filename or runs}: {error.strerror} (expected {expected})") from error
    if version is not None and folder.name != f"{kind}_{version}":
        log.warning("%s has a run %s already; this one is %s", runs, version, folder.name)
    return folder


def _place(trainer: L.Trainer, run: Path) -> None:
    """Put the checkpoints and what TensorBoard and CSV loggers write into the run's folder."""
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger | CSVLogger):
            set_version(logger, run.name)
    for callback in trainer.checkpoint_callbacks:
        if isinstance(callback, ModelCheckpoint) and callback.dirpath is None:
            callback.dirpath = str(run / "checkpoints")


def _holds_results(folder: Path) -> bool:
    """Whether there is anything but settings and the one event file of this run, with nothing logged."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    rest = [path for path in folder.iterdir() if path.name not in SETTINGS]
    events = [path for path in rest if path.is_file() and path.name.startswith("events.out.tfevents.")]
    if len(rest) > len(events) or len(events) > 1:
        return True
    return any(logged for path in events for logged in EventAccumulator(str(path)).Reload().Tags().values())


def _remove_empty(folders: list[Path]) -> None:
    """Remove folders that this run created, the innermost first, up to the first that holds something."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
