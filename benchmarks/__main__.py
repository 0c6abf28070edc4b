"""`python -m benchmarks --suite training --json FILE`; see README.md in this folder."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.coordinator import ROOT
from benchmarks.job import Workload
from benchmarks.suites import SUITES
from runtime.arguments import Arguments
from runtime.command import command
from runtime.importing import heavy_imports
from runtime.whole_files import check_place

ALL_SUITES = (*SUITES, "streams", "startup", "scale", "table")


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = Arguments("benchmarks", __doc__)
    parser.add_argument(
        "--suite", nargs="+", choices=[*ALL_SUITES, "all"], default=["training"], help="what to measure"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the results")
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT / "sample_data" / "quora-train.csv",
        metavar="FILE",
        help="sentence pairs in the format of CS224N's quora-dev.csv (default: the sample data)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="measured epochs of each program (default 5)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; with 1 CPU seconds count, with more wall")
    parser.add_argument("--rows", type=int, default=Workload.num_rows, help="examples an epoch (default %(default)s)")
    parser.add_argument("--only", nargs="+", metavar="WORDS", help="only programs whose name contains one of these")
    options = parser.parse_args(arguments)
    for name in ("rounds", "threads", "rows"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} {getattr(options, name)}: expected 1 or more")
    if not options.data.is_file():
        found = "is a folder" if options.data.is_dir() else "no such file"
        parser.error(f"--data {options.data}: {found} (expected a file of sentence pairs)")
    if options.json is not None and options.json.is_dir():
        parser.error(f"--json {options.json}: is a folder (expected a file)")
    return options


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the suites asked for; return the exit status."""
    options = parse_arguments(arguments)
    if options.json is not None:
        check_place(options.json)
    with heavy_imports():
        from benchmarks.measuring import measure
    measure(ALL_SUITES if "all" in options.suite else options.suite, options)


if __name__ == "__main__":
    sys.exit(main())
