"""Runs programs in turn: started once, warmed up, then asked for one epoch after the other."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.job import Job
from benchmarks.meter import Round, Unavailable

ROOT = Path(__file__).resolve().parent.parent
LOG_TAIL = 15


class Program:
    """A running program.

    Args:
        name: Its name.
        job: Its work.
        process: Its process.
        log: File with what it printed.
    """

    def __init__(self, name: str, job: Job, process: "subprocess.Popen[str]", log: Path) -> None:
        self.name = name
        self.is_profiled = job.is_profiled
        self._process = process
        self._log = log
        self.send(job.to_json())

    def send(self, line: str) -> None:
        """Write one input line; of a program that has died, `receive` tells."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def receive(self) -> Round:
        """Read the next reply.

        Raises:
            Unavailable: If the program cannot run here.
            RuntimeError: If it died.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            tail = "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL:])
            raise RuntimeError(f"{self.name} ended with status {self._process.wait()}:\n{tail}")
        reply = json.loads(line)
        if "unavailable" in reply:
            raise Unavailable(reply["unavailable"])
        return Round.from_json(line)

    def run_round(self, command: str = "round") -> Round:
        """Ask for one epoch and wait for it; `profile` asks for one in which operators are timed."""
        self.send(command)
        return self.receive()


@contextmanager
def start(name: str, job: Job) -> Iterator[Program]:
    """Start a program; it ends with the context."""
    log = job.folder / f"{name.replace(' ', '-').replace('/', '-')}.log"
    threads = str(job.threads)
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "RAYON_NUM_THREADS": threads,
        "HF_HUB_OFFLINE": "1",
    }
    with (
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
            env=environment,
        ) as process,
    ):
        try:
            yield Program(name, job, process, log)
        finally:
            process.terminate()
            process.communicate()  # closes the pipe to a program that has died, which Popen's own end does not


def run_interleaved(jobs: Mapping[str, Job], *, report: Callable[[str], None]) -> dict[str, list[Round]]:
    """Measure programs round by round, A B C, C B A, A B C, ..., so that slow drifts of the machine hit all alike.

    Args:
        jobs: The programs' jobs by name; `rounds` is the same in all.
        report: Called with a sentence for each program that cannot run here, and for each round.

    Returns:
        The rounds of each program that ran; the last one of a profiled program has its operators' times.

    Raises:
        RuntimeError: If a program dies.
    """
    with ExitStack() as stack:
        programs = []
        for name, job in jobs.items():
            program = stack.enter_context(start(name, job))
            try:
                warm_up = program.receive()
            except Unavailable as reason:
                report(f"{name}: skipped, {reason}")
                continue
            report(f"{name}: warm, {warm_up.cpu_s:.1f} CPU s")
            programs.append(program)
        rounds: dict[str, list[Round]] = {program.name: [] for program in programs}
        for number in range(max(job.rounds for job in jobs.values())):
            for program in programs if number % 2 == 0 else reversed(programs):
                rounds[program.name].append(program.run_round())
            report(f"round {number + 1} done")
        for program in programs:
            if program.is_profiled:
                *_, last = done = rounds[program.name]
                done[-1] = replace(last, operators=program.run_round("profile").operators)
        return rounds
