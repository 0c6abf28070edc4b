"""The folders of runs, `runs/<configuration>/version_N/`, and the checkpoints in them."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from glob import glob
from itertools import count
from pathlib import Path

from runtime.whole_files import replacing

VERSION_FOLDER = re.compile(r"version_(\d+)")  # as Lightning's loggers name them
RUN_FOLDER = re.compile(r"(version|validate|test|predict)_\d+")
BEST_OF_A_TASK = re.compile(r"best-(.+)-epoch=")
TRIES = 10


def claim_folder(runs: Path, kind: str, version: int | None = None) -> Path:
    """Create the folder of a new run, which no other process can have.

    Args:
        runs: Folder of the configuration's runs; it need not exist.
        kind: `version`, `validate`, `test` or `predict`: the folder's name before its number.
        version: The number that is wanted; where it is taken, the next free one. None for the number after the highest.

    Returns:
        The new, empty folder.

    Raises:
        OSError: If it cannot be created.

    Example:
        >>> runs = Path(getfixture("tmp_path")) / "mine"
        >>> [claim_folder(runs, "version", wanted).name for wanted in (5, 5, None)]
        ['version_5', 'version_6', 'version_7']
        >>> [claim_folder(runs, "predict").name for _ in range(2)]
        ['predict_0', 'predict_1']
    """
    first = _next_number(runs, kind) if version is None else version
    return next(folder for number in count(first) if _create(folder := runs / f"{kind}_{number}"))


def find_named(entry: str) -> list[Path]:
    """Return the file or folder of a name, or, where there is none, all that it names as a pattern, sorted.

    Args:
        entry: A path such as `~/runs/a[1]`, or a pattern such as `runs/seeds/predict_*`.
    """
    path = Path(entry).expanduser()
    return [path] if path.exists() else [Path(found) for found in sorted(glob(str(path)))]


def _next_number(runs: Path, kind: str) -> int:
    names = [re.fullmatch(rf"{kind}_(\d+)", path.name) for path in runs.glob(f"{kind}_*")]
    return max((int(name[1]) for name in names if name), default=-1) + 1


def _create(folder: Path) -> bool:
    """Create a folder; False if it is there already."""
    for _ in range(TRIES):
        with suppress(FileNotFoundError):  # a refused run may remove the empty parent between the two
            folder.parent.mkdir(parents=True, exist_ok=True)
            return _is_new(folder)
    return _is_new(folder)


def _is_new(folder: Path) -> bool:
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def run_name(configs: Sequence[str]) -> str:
    """Name a run after its last configuration file, or after the run that saved that file.

    Example:
        >>> run_name(["configs/cs224n.yaml", "mine.yaml"]), run_name(["runs/cs224n/version_3/config.yaml"])
        ('mine', 'cs224n')
    """
    if not configs:
        return "default"
    own = saved_run(configs)
    if own is None:
        return Path(configs[-1]).stem
    folder = own.absolute()
    return folder.parent.name if RUN_FOLDER.fullmatch(folder.name) else folder.name


def saved_run(configs: Sequence[str]) -> Path | None:
    """Return the folder of the run that saved the last configuration file; None if no run did.

    A run whose folder was renamed or copied elsewhere is known by its report or its checkpoints.

    Example:
        >>> saved_run(["a.yaml", "runs/a/version_3/config.yaml"]), saved_run(["a.yaml"])
        (PosixPath('runs/a/version_3'), None)
    """
    path = Path(configs[-1]) if configs else Path()
    if path.name != "config.yaml":
        return None
    is_named = RUN_FOLDER.fullmatch(path.absolute().parent.name) is not None
    is_saved = is_named or (path.parent / "report.json").is_file() or (path.parent / "checkpoints").is_dir()
    return path.parent if is_saved else None


def list_runs(folder: Path) -> list[Path]:
    """Return the folders of a configuration's trainings, oldest first."""
    found = [(VERSION_FOLDER.fullmatch(path.name), path) for path in folder.glob("version_*")]
    return [path for _, path in sorted((int(name[1]), path) for name, path in found if name)]


def last_checkpoint(run: Path) -> Path:
    """Return the path of a run's resumable checkpoint, whether it exists or not."""
    return run / "checkpoints" / "last.ckpt"


def find_checkpoint(runs: Path, which: str) -> Path | None:
    """Find the newest `last` or `best` checkpoint of a configuration.

    Args:
        runs: Folder of the configuration's runs.
        which: `last`, `best` or `best-<task>`.

    Returns:
        The checkpoint; None if no run has one.
    """
    found = (find_in_run(run, which) for run in reversed(list_runs(runs)))
    return next((path for path in found if path is not None), None)


def best_note(folder: Path, which: str) -> Path:
    """Return the file beside the checkpoints that says which one is the best, where it is not the only one there.

    Args:
        folder: The folder of a run's checkpoints.
        which: `best` or `best-<task>`.
    """
    return folder / f"{which}.txt"


def note_best(folder: Path, which: str, best: Path) -> None:
    """Write down which checkpoint is the best one: of several, the newest need not be.

    Args:
        folder: The folder of a run's checkpoints.
        which: `best` or `best-<task>`.
        best: The checkpoint; a resumed run's may lie in the folder of the run before.
    """
    with replacing(best_note(folder, which)) as file:
        file.write(f"{os.path.relpath(best, folder)}\n".encode())


def _read_best(folder: Path, which: str) -> Path | None:
    """Return the checkpoint that `note_best` wrote down; None where it did not, or the checkpoint is gone."""
    note = best_note(folder, which)
    if not note.is_file():
        return None
    best = folder / note.read_text(encoding="utf-8").strip()
    return Path(os.path.normpath(best)) if best.is_file() else None


def find_in_run(run: Path, which: str) -> Path | None:
    """Find the newest checkpoint of one run; of several best ones, the best.

    Where the run resumed another one and found no better weights, that is a checkpoint of the other one.

    Args:
        run: Its folder.
        which: `last`, `best` for the best one by the mean or the score, or `best-<task>` for the best one of a task.

    Returns:
        The checkpoint; None if there is none.
    """
    folder = last_checkpoint(run).parent
    if (best := _read_best(folder, which)) is not None:
        return best
    files = folder.glob("*.ckpt")
    if which.startswith("best-"):
        matching = [file for file in files if _task_of(file) == which.removeprefix("best-")]
    else:
        matching = [file for file in files if file.name.startswith(which) and _task_of(file) is None]
    return max(matching, key=lambda path: path.stat().st_mtime, default=None)


def find_trained(run: Path) -> Path | None:
    """Return the checkpoint with a run's trained weights: the best one by the mean, else the last one."""
    return find_in_run(run, "best") or find_in_run(run, "last")


def _task_of(file: Path) -> str | None:
    """Return the task whose best weights a checkpoint holds, as BestTaskCheckpoint names it; None for no single one."""
    found = BEST_OF_A_TASK.match(file.name)
    return None if found is None else found[1]
