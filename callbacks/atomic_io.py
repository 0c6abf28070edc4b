"""Checkpoints that are either whole or not there."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from runtime.errors import reason_of
from runtime.version import find_code_version
from runtime.whole_files import replacing
from tasks import InputError


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its target, flushes it to the disk and renames it.

    Lightning's own goes through the folder for temporary files; where that is another file system, a kill or a full
    disk in the middle leaves a broken file in the place of the good one. The entry `code` says which code wrote it.
    """

    def save_checkpoint(self, checkpoint: Mapping[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Save a checkpoint.

        Args:
            checkpoint: What to save.
            path: The target.
            storage_options: None; there are no options.

        Raises:
            InputError: If it cannot be written; the target is then as it was.
        """
        try:
            with replacing(Path(path)) as file:
                torch.save({**checkpoint, "code": asdict(find_code_version())}, file)
        except (OSError, RuntimeError) as error:
            raise InputError(f"{path}: not written, an earlier checkpoint there is as it was ({error})") from error

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Any = lambda storage, location: storage,
        weights_only: bool | None = None,
    ) -> Any:
        """Load a checkpoint as plain data: code inside it never runs, whatever `weights_only` says.

        Raises:
            InputError: If it cannot be read, or is no checkpoint of this project.
        """
        try:
            checkpoint = super().load_checkpoint(path, map_location=map_location, weights_only=True)
        except FileNotFoundError:
            raise InputError(
                f"{path}: no such checkpoint (expected last, best, best-TASK, auto, a run or a file)"
            ) from None
        except (OSError, EOFError, RuntimeError, UnpicklingError) as error:
            reason = reason_of(error)
            raise InputError(f"{path}: no readable checkpoint, cut off or not plain data ({reason})") from error
        if not isinstance(checkpoint, dict) or not {"state_dict", "loops"} <= checkpoint.keys():
            raise InputError(f"{path}: not a checkpoint of a run (expected a file that fit wrote)")
        return checkpoint
