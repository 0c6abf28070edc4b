"""Running the trainings that a command asks for."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from experiments.fit_parser import check_jobs
from experiments.job import Job
from experiments.launcher import Launcher
from experiments.options import JobOptions
from experiments.systems import System
from runtime.whole_files import replacing_text


def run_jobs(
    jobs: Mapping[str, Sequence[Job]], options: JobOptions, *, files: Mapping[Path, str] = MappingProxyType({})
) -> tuple[int, dict[str, System]]:
    """Run the unfinished trainings, unless `--dry_run` or `--table_only` is given.

    Args:
        jobs: The trainings of each system.
        options: How to run them.
        files: Texts of those of their `-c` files that the command itself writes, by path.

    Returns:
        The exit status, and the systems that have a finished run, in order.

    Raises:
        InputError: If train.py refuses the files or flags of one, or the folder of a job holds runs of other settings.
    """
    if not options.table_only:
        check_jobs(jobs, files)
    every = [job for system in jobs.values() for job in system]
    if options.dry_run:
        for job in every:
            say(job.shown_command)
        return 0, {}
    status = 0
    if not options.table_only:
        for path, text in files.items():
            with replacing_text(path) as file:
                file.write(text)
        try:
            outcomes = Launcher(jobs=options.jobs, report=say, keep_last=options.keep_last).run(every)
        except KeyboardInterrupt:
            say("run the same command to resume")
            raise
        failed = [outcome.job.name for outcome in outcomes if outcome.status]
        if failed:
            status = 1
            say(f"failed: {'; '.join(failed)}; run the same command to retry")
    finished = {name: tuple(job for job in system if job.finished()) for name, system in jobs.items()}
    systems = {name: System(name, found) for name, found in finished.items() if found}
    missing = [name for name in finished if name not in systems]
    if missing:
        say(f"no finished run of {', '.join(missing)} in {options.output}")
    return status or (0 if systems else 1), systems


def say(line: str) -> None:
    """Print a line at once, whole where several threads report."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
