"""Check int8 on the dev split and keep the layers that hurt in fp32: `python -m inference.int8 RUN_OR_CHECKPOINT`.

The choice is kept beside the checkpoint. `Predictor.load(..., int8=True)` and `train.py predict --int8 true` follow it.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments
from runtime.command import command
from runtime.importing import heavy_imports
from runtime.utf8 import use_utf8


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = Arguments("inference.int8", __doc__)
    parser.add_argument("source", type=Path, metavar="RUN_OR_CHECKPOINT", help="a run's folder, or a checkpoint of it")
    parser.add_argument(
        "--max_loss", type=float, default=0.01, help="what int8 may lose of each task's metric (default %(default)s)"
    )
    parser.add_argument("--root", type=Path, metavar="DIR", help="folder of the data files (the run's --data.root)")
    parser.add_argument(
        "--dev_rows", type=int, default=2000, help="rows of each dev split to check at most (default %(default)s)"
    )
    return parser.parse_args(arguments)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Choose the layers of a checkpoint and write the choice beside it."""
    options = parse_arguments(arguments)
    with heavy_imports():
        import torch

        from inference.checkpoint import find_checkpoint, read_checkpoint
        from inference.exporting import find_root
        from inference.int8_choice import choice_file
        from inference.int8_linear import check_int8
        from inference.int8_search import choose_layers
        from inference.parity import read_dev
        from inference.predictor import Predictor
    path = find_checkpoint(options.source)
    print(f"checkpoint: {path}")
    check_int8(torch.device("cpu"))
    predictor = Predictor.load(path, device="cpu")
    root = options.root or find_root(read_checkpoint(path))
    splits = {name: read_dev(task, root, most_rows=options.dev_rows) for name, task in predictor.tasks.items()}
    choice = choose_layers(predictor, splits, max_loss=options.max_loss)
    choice.write(choice_file(path))
    print(f"written: {choice_file(path)} (layers that stay in fp32: {len(choice.fp32)})")


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
