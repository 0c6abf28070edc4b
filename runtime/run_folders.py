"""The folders of runs, `runs/<configuration>/version_N/`, and the checkpoints in them."""

import re
from collections.abc import Sequence
from pathlib import Path

VERSION_FOLDER = re.compile(r"version_(\d+)")  # as Lightning's loggers name them


def run_name(configs: Sequence[str]) -> str:
    """Name a run after its last configuration file, or after the run that saved that file.

    Example:
        >>> run_name(["configs/cs224n.yaml", "mine.yaml"]), run_name(["runs/cs224n/version_3/config.yaml"])
        ('mine', 'cs224n')
    """
    if not configs:
        return "default"
    own = saved_run(configs)
    return Path(configs[-1]).stem if own is None else own.absolute().parent.name


def saved_run(configs: Sequence[str]) -> Path | None:
    """Return the folder of the run that saved the last configuration file; None if no run did.

    Example:
        >>> saved_run(["a.yaml", "runs/a/version_3/config.yaml"]), saved_run(["a.yaml"])
        (PosixPath('runs/a/version_3'), None)
    """
    path = Path(configs[-1]) if configs else Path()
    is_saved = path.name == "config.yaml" and VERSION_FOLDER.fullmatch(path.absolute().parent.name)
    return path.parent if is_saved else None


def list_runs(folder: Path) -> list[Path]:
    """Return the folders of a configuration's runs, oldest first."""
    found = [(VERSION_FOLDER.fullmatch(path.name), path) for path in folder.glob("version_*")]
    return [path for _, path in sorted((int(name[1]), path) for name, path in found if name)]


def last_checkpoint(run: Path) -> Path:
    """Return the path of a run's resumable checkpoint, whether it exists or not."""
    return run / "checkpoints" / "last.ckpt"


def find_checkpoint(runs: Path, which: str, tasks: Sequence[str] = ()) -> Path | None:
    """Find the newest `last` or `best` checkpoint of a configuration.

    Args:
        runs: Folder of the configuration's runs.
        which: `last`, `best` or `best-<task>`.
        tasks: Names of the tasks, whose own best checkpoints are not what `best` means.

    Returns:
        The checkpoint; None if no run has one.
    """
    found = (find_in_run(run, which, tasks) for run in reversed(list_runs(runs)))
    return next((path for path in found if path is not None), None)


def find_in_run(run: Path, which: str, tasks: Sequence[str] = ()) -> Path | None:
    """Find the newest `last` or `best` checkpoint of one run; the arguments are those of `find_checkpoint`."""
    folder = last_checkpoint(run).parent
    of_tasks = {task: set(folder.glob(f"best-{task}-epoch=*.ckpt")) for task in tasks}
    if which.startswith("best-"):
        matching = of_tasks.get(which.removeprefix("best-"), set())
    else:
        matching = set(folder.glob(f"{which}*.ckpt")).difference(*of_tasks.values())
    return max(matching, key=lambda path: path.stat().st_mtime, default=None)
