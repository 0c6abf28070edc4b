"""Merge the weights of trainings: `python -m experiments.soup RUN RUN [RUN ...] --output DIR`; see docs/tuning.md.

`uniform` averages all runs, `greedy` those that help on one half of the dev rows, `arithmetic` adds what single-task
trainings have changed of the backbone and takes the head of each. DIR reads like a run.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.job import TRAIN
from runtime.arguments import Arguments, seed_number
from runtime.command import command
from runtime.errors import InputError
from runtime.importing import heavy_imports
from runtime.new_folder import check_new
from runtime.utf8 import use_utf8

SCALES = (0.2, 0.3, 0.5, 0.7, 1.0)


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Merge, evaluate and write; return the exit status."""
    parser = Arguments("experiments.soup", __doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a run, or a checkpoint in one")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to create")
    parser.add_argument("--method", choices=("uniform", "greedy", "arithmetic"), default="uniform", help="see above")
    parser.add_argument(
        "--scales", nargs="+", type=float, default=list(SCALES), metavar="X",
        help="arithmetic: factors to choose from on one half of the dev rows (default: .2 .3 .5 .7 1)",
    )  # fmt: skip
    parser.add_argument("--seed", type=seed_number, default=42, help="seed of the halves (default %(default)s)")
    parser.add_argument(
        "--refit", type=int, default=0, metavar="EPOCHS",
        help="train the heads for EPOCHS on the merged, frozen backbone afterwards; the run is in DIR/refit",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    check_new(options.output)
    if options.refit < 0:
        raise InputError(f"--refit {options.refit}: expected a number of epochs, 0 for none")
    with heavy_imports():
        from experiments.members import open_dev, read_member
        from experiments.mixing import add_up, mix
    members = [read_member(path) for path in options.runs]
    if len(members) < 2:
        raise InputError("one run (expected two or more to merge)")
    dev = open_dev(members, options.seed)
    if options.method == "arithmetic":
        add_up(members, dev, options.scales, options.output)
    else:
        mix(members, dev, options.method, options.output)
    return refit(options.output, options.refit) if options.refit else 0


def refit(output: Path, epochs: int) -> int:
    """Train the heads on the merged backbone, whose vectors are computed once; return the exit status."""
    words = [
        sys.executable, str(TRAIN), "fit", "-c", str(output / "config.yaml"),
        "--model.init_from", str(output), "--model.freeze_backbone", "true", "--model.linear_probe_epochs", "0",
        "--trainer.max_epochs", str(epochs), "--trainer.max_steps", "-1",
        "--trainer.logger", "TensorBoardLogger", "--trainer.logger.save_dir", str(output),
        "--trainer.logger.name", "refit", "--ckpt_path", "null",
    ]  # fmt: skip
    return subprocess.run(words, check=False).returncode


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
