"""Where the files of a run go."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning.pytorch as L
from lightning.pytorch.loggers import TensorBoardLogger

from tasks import InputError

SETTINGS = {"config.yaml", "hparams.yaml"}


def run_folder(trainer: L.Trainer) -> Path | None:
    """Return the folder of a run's files; None under `--trainer.fast_dev_run`, which leaves nothing behind.

    Call it on every process: they agree on the folder of the first one, and wait for each other to do so.
    """
    folder = trainer.log_dir
    return None if trainer.fast_dev_run else Path(folder or trainer.default_root_dir)  # type: ignore[attr-defined]


@contextmanager
def removing_refused(trainer: L.Trainer) -> Iterator[None]:
    """Remove the new folder of a run that an InputError ends before it wrote more than its settings.

    The first process removes it, without asking the others: they may wait for something else, or be gone.
    """
    logger = trainer.logger
    if not isinstance(logger, TensorBoardLogger) or not trainer.is_global_zero:
        yield
        return
    before = {path.name for path in Path(logger.root_dir).glob("*")}  # logger.log_dir would choose the folder now
    try:
        yield
    except InputError:
        folder = Path(logger.log_dir)
        if folder.name not in before and folder.is_dir() and not _holds_results(folder):
            shutil.rmtree(folder)
        raise


def _holds_results(folder: Path) -> bool:
    """Whether there is anything but settings and the one event file of this run, with nothing logged."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    rest = [path for path in folder.iterdir() if path.name not in SETTINGS]
    events = [path for path in rest if path.is_file() and path.name.startswith("events.out.tfevents.")]
    if len(rest) > len(events) or len(events) > 1:
        return True
    return any(logged for path in events for logged in EventAccumulator(str(path)).Reload().Tags().values())
