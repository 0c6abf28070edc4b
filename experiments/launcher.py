"""Run many trainings, one after the other or several at once; finished ones are not run again."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from experiments.job import Job
from runtime.counts import counted
from runtime.run_folders import last_checkpoint
from runtime.whole_files import replacing
from tasks import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LAST_LINES = 15
GRACE = 120.0  # seconds that a stopped training has to save its state


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Args:
        job: The job.
        status: Exit status of its process; 0 also if it was already finished.
    """

    job: Job
    status: int


class Launcher:
    """Runs jobs as child processes, each printed as a command that a user could type.

    A job that is finished is skipped. One that was stopped, even by `kill -9`, resumes from its last checkpoint. One
    that is still running because only the earlier launcher was killed is waited for: it holds a lock until it ends. A
    job that fails is reported with the last lines of its log, and the others continue.

    Args:
        jobs: Number of processes at once; the machine's cores are divided among them.
        report: Called with a line for the user.
        keep_last: Whether to keep `last.ckpt` of finished jobs; it is large and only resuming needs it.
    """

    def __init__(self, *, jobs: int, report: Callable[[str], None], keep_last: bool = False) -> None:
        self.jobs = jobs
        self.report = report
        self.keep_last = keep_last
        self._stopping = threading.Event()
        self._running: set[subprocess.Popen[bytes]] = set()

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run all jobs, and return how each ended.

        Raises:
            InputError: If the folder of a job holds runs of other settings, or the system has no file locks; nothing
                has been started then.
            KeyboardInterrupt: If it was stopped by Ctrl-C or SIGTERM, after the running jobs saved their state.
        """
        if fcntl is None:
            raise InputError(
                "running trainings needs file locks, which this system lacks (expected Linux or macOS; --dry_run "
                "prints the commands)"
            )
        for job in jobs:
            job.check_settings()
        with _sigterm_as_interrupt(), ThreadPoolExecutor(self.jobs) as pool:
            try:
                futures = [pool.submit(self._run_job, job) for job in jobs]
                return [future.result() for future in futures]
            except KeyboardInterrupt:
                self._stop()
                raise

    def _run_job(self, job: Job) -> Outcome:
        """Run a job; an error fails this job only, and the others continue."""
        try:
            return self._run_locked(job)
        except InputError as error:
            self.report(f"{job.name}: {error}")
            return Outcome(job, 2)
        except Exception as error:
            self.report(f"{job.name}: {type(error).__name__}: {error}")
            return Outcome(job, 1)

    def _run_locked(self, job: Job) -> Outcome:
        job.folder.mkdir(parents=True, exist_ok=True)
        with (job.folder / "lock").open("a", encoding="utf-8") as lock:
            self._acquire(lock.fileno(), job)
            job.check_settings()  # again: another launcher may have run it with other settings meanwhile
            if job.finished():
                self.report(f"{job.name}: already finished")
                self._drop_checkpoints(job)
                return Outcome(job, 0)
            if self._stopping.is_set():
                return Outcome(job, 128 + signal.SIGTERM)
            with replacing(job.folder / "settings.json") as file:
                file.write((json.dumps(job.settings(), indent=2) + "\n").encode())
            started = time.monotonic()
            self.report(f"{job.name}: {job.shown_command}")
            status = self._execute(job, lock.fileno())
        seconds = time.monotonic() - started
        if status == 0 and not job.finished():
            status = 1
        if status == 0:
            self.report(f"{job.name}: done in {seconds:.0f} s")
            self._drop_checkpoints(job)
        else:
            self.report(f"{job.name}: ended with status {status} after {seconds:.0f} s\n{_last_lines(job)}")
        return Outcome(job, status)

    def _acquire(self, lock: int, job: Job) -> None:
        """Take the job's lock, which the child inherits and holds for as long as it lives."""
        is_told = False
        while not self._stopping.is_set():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if not is_told:
                    self.report(f"{job.name}: is still running from an earlier start; waiting for it")
                is_told = True
                time.sleep(0.2)

    def _execute(self, job: Job, lock: int) -> int:
        threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, (os.cpu_count() or 1) // self.jobs))
        environment = {"MKL_NUM_THREADS": threads, **os.environ, "OMP_NUM_THREADS": threads}  # PyTorch obeys MKL's
        with (job.folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                job.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                pass_fds=(lock,),
                start_new_session=True,  # Ctrl-C reaches it through _stop alone: a second signal would kill it unsaved
            )
            self._running.add(process)
            if self._stopping.is_set():  # since this job was found to be due: _stop may have missed it
                process.terminate()
            try:
                return process.wait()
            finally:
                self._running.discard(process)

    def _stop(self) -> None:
        """Ask the running jobs to save and exit; no further job is started."""
        self._stopping.set()
        if self._running:
            self.report(
                f"stopping; waiting up to {GRACE:.0f} s for {counted(len(self._running), 'running job')} to save"
            )
        for process in list(self._running):
            process.terminate()
        deadline = time.monotonic() + GRACE
        while self._running and time.monotonic() < deadline:
            time.sleep(0.1)
        for process in list(self._running):
            process.kill()

    def _drop_checkpoints(self, job: Job) -> None:
        if not self.keep_last:
            for folder in job.attempts():
                last_checkpoint(folder).unlink(missing_ok=True)


def _last_lines(job: Job) -> str:
    lines = (job.folder / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join([*(f"    {line}" for line in lines[-LAST_LINES:]), f"    (whole log: {job.folder / 'log.txt'})"])


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
