"""The measuring side of a program: clocks, memory, and the line to the coordinator."""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from benchmarks.operators import OperatorClock


class Unavailable(Exception):  # noqa: N818 - no error: the program cannot run here, and says why
    """A program that cannot be measured on this machine."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a program did in one epoch.

    Args:
        examples: Examples seen.
        tokens: Real tokens computed.
        slots: Tokens computed, padding included.
        score: A number that all programs of the suite must agree on, such as the loss of an evaluation.
        flops: FLOPs computed, where the program counts them itself.
    """

    examples: int = 0
    tokens: int = 0
    slots: int = 0
    score: float | None = None
    flops: float | None = None


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What else counts where a trained model answers.

    Args:
        load_s: CPU seconds of loading it, with the libraries imported.
        disk_mib: Size of the files that are loaded, MiB.
        single_ms: CPU milliseconds of single requests, one after the other.
        loss: Cross-entropy of its answers, which int8 and bf16 change.
    """

    load_s: float
    disk_mib: float
    single_ms: Sequence[float]
    loss: float


@dataclass(frozen=True, kw_only=True)
class Round:
    """One measured epoch.

    Args:
        work: What was done.
        cpu_s: CPU seconds of the process, all threads.
        wall_s: Seconds on the clock.
        peak_mib: Largest resident memory of the process so far, MiB.
        start_mib: The same before the first epoch, with libraries, data and weights loaded.
        serving: Of the inference suite, what was measured after the epoch.
        operators: CPU seconds of PyTorch's operators by group, of an epoch in which they were timed.
    """

    work: Work
    cpu_s: float
    wall_s: float
    peak_mib: float
    start_mib: float
    serving: Serving | None = None
    operators: dict[str, float] | None = None

    @classmethod
    def from_json(cls, line: str) -> "Round":
        """Read a round from its line."""
        fields = json.loads(line)
        serving = fields["serving"]
        return cls(
            **{**fields, "work": Work(**fields["work"]), "serving": None if serving is None else Serving(**serving)}
        )


class Meter:
    """Measures epochs; every one but the first, which warms up, waits until the coordinator asks for it.

    Args:
        commands: A line `round` asks for an epoch, `profile` for one in which operators are timed; the end of the
            lines ends the program.
        replies: Gets one JSON line an epoch.
    """

    def __init__(self, commands: TextIO, replies: TextIO) -> None:
        self._commands = commands
        self._replies = replies
        self._is_warm = False
        self._cpu = self._wall = self._start_mib = 0.0
        self._operators: OperatorClock | None = None

    def begin(self) -> None:
        """Start the clocks of an epoch, when it is asked for.

        Raises:
            SystemExit: If the coordinator wants no more.
        """
        if not self._is_warm:
            self._start_mib = peak_mib()
        else:
            self._obey(self._commands.readline().strip())
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def _obey(self, command: str) -> None:
        if command == "profile":
            from benchmarks.operators import OperatorClock  # here, since what a program imports is its own

            self._operators = OperatorClock()
            self._operators.__enter__()  # type: ignore[no-untyped-call]
        elif command != "round":
            sys.exit(0)

    def end(self, work: Work, serving: Callable[[], Serving] | None = None) -> None:
        """Stop the clocks and reply.

        Args:
            work: What was done.
            serving: Measures more, once the clocks have stopped.
        """
        cpu_s, wall_s, peak = time.process_time() - self._cpu, time.perf_counter() - self._wall, peak_mib()
        operators = None
        if self._operators is not None:
            self._operators.__exit__(None, None, None)  # type: ignore[no-untyped-call]
            operators, self._operators = self._operators.by_group(), None
        done = Round(
            work=work,
            cpu_s=cpu_s,
            wall_s=wall_s,
            peak_mib=peak,
            start_mib=self._start_mib,
            serving=None if serving is None else serving(),
            operators=operators,
        )
        self._is_warm = True
        print(json.dumps(asdict(done)), file=self._replies, flush=True)


def peak_mib() -> float:
    """Largest resident memory of this process so far, MiB.

    On Linux `ru_maxrss` begins at the peak of the process that started this one, which has built models.
    """
    status = Path("/proc/self/status")
    if not status.is_file():
        return mebibytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    lines = status.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 2**10


def mebibytes(maxrss: int) -> float:
    """Return `ru_maxrss` in MiB: it is in bytes on macOS, in KiB elsewhere."""
    return maxrss / (2**20 if sys.platform == "darwin" else 2**10)
