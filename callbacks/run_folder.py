"""Where the files of a run go."""

from pathlib import Path

import lightning.pytorch as L


def run_folder(trainer: L.Trainer) -> Path | None:
    """Give the folder of a run's files; None under `--trainer.fast_dev_run`, which leaves nothing behind.

    Call it on every process: they agree on the folder of the first one, and wait for each other to do so.
    """
    folder = trainer.log_dir
    return None if trainer.fast_dev_run else Path(folder or trainer.default_root_dir)  # type: ignore[attr-defined]
