"""One training of a comparison: its command, its folder, and the runs that it left there."""

import json
import os
import re
import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.inputs import find_inputs
from runtime.errors import InputError
from runtime.file_digest import digest
from runtime.run_folders import last_checkpoint, list_runs

if TYPE_CHECKING:
    from analysis.run import Run

TRAIN = Path(__file__).resolve().parent.parent / "train.py"
KINDS = {"configs": "-c files", "weights": "weights or predictions", "flags": "flags"}  # of settings.json


@dataclass(frozen=True)
class Job:
    """One training: a row with one seed, as a plain `train.py fit` command and the folder of its attempts.

    Each attempt creates a `version_N` in the folder. `log.txt` holds their output, `settings.json` the job's
    settings. The command runs in the current folder, from which relative paths in its files and flags start.

    Args:
        name: Name for messages.
        folder: Its folder, which no other job uses.
        configs: Its `-c` files in order, as absolute paths; the command shows them relative to the current folder.
        flags: Its flags, which come after them.
        script: The entry point.
    """

    name: str
    folder: Path
    configs: tuple[Path, ...]
    flags: tuple[str, ...]
    script: Path = TRAIN

    @property
    def command(self) -> list[str]:
        """The command, which continues where an earlier attempt was stopped."""
        configs = [word for path in self.configs for word in ("-c", os.path.relpath(path))]
        logger = ["--trainer.logger.save_dir", str(self.folder.parent), "--trainer.logger.name", self.folder.name]
        return [
            sys.executable,
            os.path.relpath(self.script),
            "fit",
            *configs,
            *self.flags,
            *logger,
            "--ckpt_path",
            "auto",
        ]

    @property
    def shown_command(self) -> str:
        """The command as a user would type it."""
        return shlex.join(["python", *self.command[1:]])

    def settings(self) -> dict[str, Any]:
        """Return what distinguishes this training from others: flags, and digests of what they and its files name."""
        return {
            "configs": [f"{path.name} {_digest(path)}" for path in self.configs],
            "flags": re.split(r" (?=--)", " ".join(self.flags)),
            "weights": [f"{path.name} {_digest(path)}" for path in find_inputs(self.configs, self.flags)],
        }

    def attempts(self) -> list[Path]:
        """Return the folders of all attempts, oldest first."""
        return list_runs(self.folder)

    def trainings(self) -> list[Path]:
        """Return the attempts whose training led to the finished run, oldest first; none that only scored it."""
        attempts, finished = self.attempts(), self.finished()
        if finished is None:
            return [folder for folder in attempts if not (folder / "report.json").exists()]
        if finished.report.get("resumed_from", "") is None:  # began anew: what others left is of another training
            return [finished.folder]
        kept = attempts[: attempts.index(finished.folder) + 1]
        return [folder for folder in kept if _is_trained(folder) or not (folder / "report.json").exists()]

    def finished(self) -> "Run | None":
        """Return the finished run, if any."""
        from analysis.run import Run  # here, since it imports torch, and a command that is refused needs no run

        for folder in reversed(self.attempts()):
            if _is_trained(folder):
                return Run(folder)
        return None

    def holds_runs(self) -> bool:
        """Whether the folder holds a finished run, or one to resume."""
        return any(_is_trained(folder) or last_checkpoint(folder).is_file() for folder in self.attempts())

    def check_settings(self) -> None:
        """Raise an error if the folder holds runs of other settings.

        Raises:
            InputError: If the folder holds runs of another configuration; the message says what differs. Also if it
                does not say which.
        """
        if not self.holds_runs():
            return
        before, now = self._read_settings(), self.settings()
        before["flags"], now["flags"] = _spell_flags(before["flags"]), _spell_flags(now["flags"])
        if {**before, "flags": _sort_flags(before["flags"])} != {**now, "flags": _sort_flags(now["flags"])}:
            raise InputError(
                f"{self.folder}: was run with different settings: {_describe_difference(before, now)} (expected the "
                "same; for other settings choose another --output)"
            )

    def check_flags(self, flags: Sequence[str]) -> None:
        """Raise an error if the folder holds runs without some flags, which say what its scores are of.

        Args:
            flags: The flags, each one word.

        Raises:
            InputError: If it does.
        """
        if (self.folder / "settings.json").is_file():
            known = self._read_settings()["flags"]
            for flag in flags:
                if flag not in known:
                    raise InputError(
                        f"{self.folder}: was run without {flag} (expected the same file and options as when it was run)"
                    )

    def _read_settings(self) -> dict[str, list[str]]:
        path = self.folder / "settings.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return {kind: [str(value) for value in found[kind]] for kind in KINDS}
        except (OSError, ValueError, TypeError, KeyError) as error:
            reason = f"{type(error).__name__}; expected what this command wrote; otherwise choose another --output"
            raise InputError(f"{path}: cannot be read, but there are runs next to it ({reason})") from None


def _digest(path: Path) -> str:
    """Return the digest of a file, which is read anew only where it has changed: weights are large."""
    state = path.stat()
    return _digest_of(path, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


@cache
def _digest_of(path: Path, *state: int) -> str:
    return digest(path)


def _is_trained(folder: Path) -> bool:
    """Whether a run's report is complete and from `fit`; `validate` and `test` write reports too."""
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(report, dict) and "weights_sha256" in report


def _describe_difference(before: Mapping[str, Sequence[str]], now: Mapping[str, Sequence[str]]) -> str:
    gone, new = (
        [value for key in now for value in (Counter(one[key]) - Counter(other[key])).elements()]
        for one, other in ((before, now), (now, before))
    )
    if gone or new:
        return f"{', '.join(gone) or 'fewer'} before, {', '.join(new) or 'fewer'} now"
    return f"the {next(KINDS[key] for key in KINDS if before[key] != now[key])} in another order"


def _spell_flags(values: Sequence[str]) -> list[str]:
    """Return flags as `--a 1`, where some may be `--a=1`."""
    return [value.replace("=", " ", 1) if "=" in value.partition(" ")[0] else value for value in values]


def _sort_flags(flags: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Return flags sorted, and which come before which, where that is of consequence."""
    return sorted(flags), sorted(pair for pair in combinations(flags, 2) if _is_ordered(*pair))


def _is_ordered(one: str, other: str) -> bool:
    """Whether the later one of two flags counts, or both add a task: tasks come in the order of their flags."""
    first, second = sorted(flag.partition(" ")[0] for flag in (one, other))
    is_same_setting = f"{second}.".startswith(f"{first}.")
    return is_same_setting or all(re.fullmatch(r"--tasks\.[^.]+", name) for name in (first, second))
