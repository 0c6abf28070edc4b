"""`python -m analysis.report RUN [RUN ...] --output FILE.html`: what runs predicted, as one HTML page."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments
from runtime.command import command
from runtime.importing import heavy_imports
from runtime.utf8 import use_utf8
from runtime.whole_files import check_file


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = Arguments("analysis.report", __doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.html", help="page to write")
    parser.add_argument(
        "--split", choices=["dev", "test"], default="dev", help="which predictions to show (default dev)"
    )
    return parser.parse_args(arguments)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Write a report."""
    options = parse_arguments(arguments)
    check_file(options.output)
    with heavy_imports():
        from analysis.page import write_report
    write_report(options.runs, options.output, split=options.split)
    print(f"report: {options.output}")


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
