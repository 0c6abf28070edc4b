"""`python -m analysis.thresholds RUN`: a threshold for each label of a multi-label task, tuned on the dev split."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments, seed_number
from runtime.command import command
from runtime.importing import heavy_imports
from runtime.terminal import plain_console
from runtime.utf8 import use_utf8


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Tune, show a table and write `thresholds.json` beside `report.json`."""
    parser = Arguments("analysis.thresholds", __doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a run with a multi-label task")
    parser.add_argument("--seed", type=seed_number, default=42, help="seed of the halves (default %(default)s)")
    options = parser.parse_args(arguments)
    with heavy_imports():
        from analysis.tuned_thresholds import build_table, tune_run
    logging.basicConfig(format="%(message)s")
    found, path = tune_run(options.run, seed=options.seed)
    console = plain_console()
    console.print(build_table(found).to_rich())
    for name, one in found.items():
        what = "stored" if one.helps else "not stored: no better than 0.5 on rows that tuning has not seen"
        console.print(f"task {name}: {what}", soft_wrap=True)
    console.print(f"thresholds: {path}", soft_wrap=True)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
