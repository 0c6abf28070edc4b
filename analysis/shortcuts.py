"""What a run learnt beyond shared words and single words: `python -m analysis.shortcuts RUN`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments
from runtime.command import command
from runtime.importing import heavy_imports
from runtime.terminal import plain_console
from runtime.utf8 import use_utf8


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the shortcuts of a run, show them as tables and write them into its `report.json`."""
    parser = Arguments("analysis.shortcuts", __doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument("--split", choices=["dev", "test"], default="dev", help="which predictions (default dev)")
    options = parser.parse_args(arguments)
    with heavy_imports():
        from analysis.run import Run
        from analysis.run_shortcuts import measure_shortcuts, write_shortcuts
        from analysis.shortcut_tables import MISSING, build_tables
    run = Run(options.run)
    found = measure_shortcuts(run, options.split)
    console = plain_console()
    for name, shortcut in found.items():
        if shortcut is None:
            console.print(f"{name}: {MISSING}")
        for table in build_tables(shortcut, title=f"{name}: ") if shortcut else ():
            console.print(table.to_rich())
    write_shortcuts(run, options.split, found)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
