"""The checkpoint that a word or a folder of `--ckpt_path` means."""

from pathlib import Path

from runtime.run_folders import find_checkpoint, find_in_run, find_trained
from tasks import InputError


def choose_checkpoint(which: str, *, own: Path | None, runs: Path) -> Path | None:
    """Find the checkpoint that a word of `--ckpt_path` means.

    Args:
        which: `last`, `best`, `best-<task>` or `auto`.
        own: Folder of the run whose saved configuration is given, if one is; `auto` does not look at it.
        runs: Folder of the configuration's runs.

    Returns:
        The checkpoint; None where `auto` finds none.

    Raises:
        InputError: If there is none.
    """
    if own is not None and which != "auto":
        found = find_in_run(own, which)
        if found is None:
            raise InputError(f"--ckpt_path {which}: {own}, whose config.yaml is given, has no such checkpoint")
        return found
    found = find_checkpoint(runs, "last" if which == "auto" else which)
    if found is None and which != "auto":
        raise InputError(f"--ckpt_path {which}: no run in {runs} has such a checkpoint")
    return found


def choose_in_run(run: Path, *, is_resumed: bool) -> Path:
    """Find the checkpoint of a run: its last one to resume from, else its best one, or the last where none is best.

    Args:
        run: Its folder.
        is_resumed: Whether a training resumes from it.

    Raises:
        InputError: If there is none.
    """
    found = find_in_run(run, "last") if is_resumed else find_trained(run)
    if found is None:
        expected = "checkpoints/last.ckpt of a run" if is_resumed else "checkpoints/best….ckpt or last.ckpt of a run"
        raise InputError(f"--ckpt_path {run}: holds no checkpoint (expected {expected})")
    return found
