"""What several trainings learnt beyond shared words, beside each other; see docs/shortcuts.md.

`python -m experiments.shortcuts FOLDER FOLDER [FOLDER ...]`: each holds the seeds of a row of `experiments.reproduce`
or `experiments.compare`, or is a run. The others are compared with the first.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments
from runtime.command import command
from runtime.errors import InputError
from runtime.importing import heavy_imports
from runtime.terminal import plain_console
from runtime.utf8 import use_utf8


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the shortcuts of each task and print the tables."""
    parser = Arguments("experiments.shortcuts", __doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a run, or the seeds of a row")
    parser.add_argument("--task", metavar="TASK", help="one task alone (default: each that all of them have)")
    parser.add_argument("--split", choices=["dev", "test"], default="dev", help="which predictions (default dev)")
    parser.add_argument("--output", type=Path, metavar="DIR", help="write results.md and results.json there too")
    options = parser.parse_args(arguments)
    if len(options.folders) < 2:
        raise InputError("one folder (expected two or more to compare; analysis.shortcuts is about a single run)")
    with heavy_imports():
        from experiments.results import publish
        from experiments.shortcut_differences import compare_shortcuts, read_systems
    systems = read_systems(options.folders)
    compared = compare_shortcuts(systems, options.task, options.split)
    console = plain_console()
    if options.output is None:
        for one in compared:
            console.print(one.table.to_rich())
        return
    found = list(compared)
    runs = {name: [str(run.folder) for run in system] for name, system in systems.items()}
    numbers = {"runs": runs, "split": options.split, "measures": [one.numbers for one in found]}
    publish(options.output, [], [one.table for one in found], [], numbers, console)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
