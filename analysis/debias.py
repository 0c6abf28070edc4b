"""A run's predictions less a part of a shortcut model's: `python -m analysis.debias RUN --output DIR`."""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments, seed_number
from runtime.command import command
from runtime.errors import InputError
from runtime.importing import heavy_imports
from runtime.new_folder import check_new
from runtime.terminal import plain_console
from runtime.utf8 import use_utf8


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = Arguments("analysis.debias", __doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to create; reads like a run")
    parser.add_argument("--split", choices=["dev", "test"], default="dev", help="which predictions (default dev)")
    parser.add_argument(
        "--max_loss",
        type=float,
        default=0.01,
        help="what the first metric of the whole split may lose on the half that chooses (default %(default)s)",
    )
    parser.add_argument("--factor", type=float, metavar="C", help="take this part instead of choosing one")
    parser.add_argument("--seed", type=seed_number, default=42, help="seed of the halves (default %(default)s)")
    options = parser.parse_args(arguments)
    for name in ("max_loss", "factor"):
        value = getattr(options, name)
        if value is not None and not 0 <= value < math.inf:
            raise InputError(f"--{name} is {value} (expected 0 or more)")
    if options.split == "test" and options.factor is None:
        raise InputError("--split test: a part is chosen on dev (expected --factor)")
    return options


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Correct the predictions of a run, show what that is worth and write them into a new folder."""
    options = parse_arguments(arguments)
    check_new(options.output)
    with heavy_imports():
        from analysis.corrected_run import build_table, correct_run, write_corrected
        from analysis.run import Run
        from analysis.shortcut_tables import MISSING
    run = Run(options.run)
    found = correct_run(run, options.split, max_loss=options.max_loss, seed=options.seed, factor=options.factor)
    corrected = {name: one for name, one in found.items() if one is not None}
    details = {"max_loss": options.max_loss, "seed": options.seed}
    write_corrected(options.output, run, corrected, split=options.split, details=details)
    console = plain_console()
    console.print(build_table(corrected, options.split).to_rich())
    for name in found.keys() - corrected.keys():
        console.print(f"{name}: {MISSING}")
    console.print(f"predictions: {options.output}", soft_wrap=True)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
