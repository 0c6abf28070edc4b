"""The checkpoint that a word of `--ckpt_path` means."""

from pathlib import Path

from runtime.run_folders import find_checkpoint, find_in_run
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
