"""Ending a run from outside without losing anything."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import torch

from callbacks.progress import TaskProgressBar
from callbacks.run_folder import run_folder
from callbacks.saving import save_to_resume
from lightning_internals import take_sigterm, validation_follows, window_ends
from objectives import reduce_over_processes
from runtime.run_folders import last_checkpoint
from runtime.terminal import plain_console

SIGNALS = tuple(  # Windows has no SIGUSR1
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGUSR1") if hasattr(signal, name)
)


class RunStopped(Exception):  # noqa: N818 - an end, not an error
    """A signal ended the run after its checkpoint was written.

    Args:
        number: Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


class StopOnSignal(L.Callback):
    """Saves `last.ckpt` and ends at the next optimiser step after SIGTERM, SIGINT or SIGUSR1; a second signal kills.

    Under SLURM, SIGUSR1 (`sbatch --signal=USR1@120`) also puts the job back into the queue. A validation under way or
    due at that step is finished first: a run that resumed before it would skip it. Belongs behind the callbacks whose
    state goes into the checkpoint.
    """

    def __init__(self) -> None:
        self._received = 0
        self._stopping = 0
        self._previous: dict[int, Any] = {}

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the signals over from Lightning, whose own handlers save inside a step."""
        for number in SIGNALS:
            self._previous[number] = signal.signal(number, self._receive)
        if take_sigterm(trainer):  # Lightning would end with status 0
            self._receive(signal.SIGTERM, None)

    def _receive(self, number: int, frame: Any) -> None:
        for signum in SIGNALS:
            signal.signal(signum, signal.SIG_DFL)
        self._received = number

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save and end if a signal came, on all ranks at the same step."""
        if not window_ends(trainer):
            return  # gradients of a begun window are in no checkpoint
        self._stopping = self._agree(trainer)
        if self._stopping and not validation_follows(trainer):
            self._stop(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save and end after the validation that was due."""
        if self._stopping:
            self._stop(trainer)

    def _agree(self, trainer: L.Trainer) -> int:
        """Return the signal that any process has received; 0 if none has."""
        if trainer.world_size == 1:
            return self._received  # without waiting for a device
        number = torch.tensor(self._received, device=trainer.strategy.root_device)
        return int(reduce_over_processes(number, "max"))

    def _stop(self, trainer: L.Trainer) -> None:
        number, folder = self._stopping, run_folder(trainer)
        if folder is not None:
            path = last_checkpoint(folder)
            save_to_resume(trainer, path)
            if trainer.is_global_zero:
                if isinstance(trainer.progress_bar_callback, TaskProgressBar):
                    trainer.progress_bar_callback.finish()
                console = plain_console(stderr=True)
                name = signal.Signals(number).name
                console.print(f"stopped at step {trainer.global_step} by {name}; everything is saved", soft_wrap=True)
                console.print(f"resume with: {resume_command(path)}", soft_wrap=True)
        is_preempted = signal.Signals(number).name == "SIGUSR1" and "SLURM_JOB_ID" in os.environ
        if trainer.is_global_zero and is_preempted:
            requeue(slurm_job())
        raise RunStopped(number)

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Return the signals back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()


def resume_command(checkpoint: Path, *more: str) -> str:
    """Return this command line, from another checkpoint, for the user's shell.

    Args:
        checkpoint: The checkpoint.
        more: Further flags.
    """
    arguments = iter(sys.argv[1:])
    kept = []
    for argument in arguments:
        if argument == "--ckpt_path":
            next(arguments, None)
        elif not argument.startswith("--ckpt_path="):
            kept.append(argument)
    return shlex.join(["python", sys.argv[0], *kept, "--ckpt_path", str(checkpoint), *more])


def requeue(job: str) -> None:
    """Put a SLURM job back into the queue, or say that it could not be."""
    command = ["scontrol", "requeue", job]
    try:
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"error: {shlex.join(command)}: {error}", file=sys.stderr)


def slurm_job() -> str:
    """Return the id of the SLURM job that this process belongs to, that of the array task if it is one."""
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    return f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}" if array else os.environ["SLURM_JOB_ID"]
