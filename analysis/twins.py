"""A cross task and the bi task over the same pairs that learns from it, compared: `python -m analysis.twins RUN`."""

import sys
from pathlib import Path

from runtime.arguments import Arguments
from runtime.command import command
from runtime.importing import heavy_imports
from runtime.terminal import plain_console
from runtime.utf8 import use_utf8


@command
def main(arguments: list[str] | None = None) -> None:
    """Measure each pair of such tasks on its dev split, show a table and write `twins.json` next to `report.json`."""
    parser = Arguments("analysis.twins", __doc__)
    parser.add_argument("run", type=Path, help="run folder with a bi task that a cross task teaches")
    parser.add_argument("--pairs", type=int, default=500, help="time at most this many dev pairs (default %(default)s)")
    options = parser.parse_args(arguments)
    with heavy_imports():
        from analysis.run import Run
        from analysis.twin_tasks import build_table, compare_tasks
    plain_console().print(build_table(compare_tasks(Run(options.run), pairs=options.pairs)).to_rich())


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
