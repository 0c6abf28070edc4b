"""A trained model in another library's format: `python -m inference.export RUN_OR_CHECKPOINT DIR --format FORMAT`."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from inference.backbone_format import export_backbone
from inference.checkpoint import find_checkpoint
from runtime.file_errors import naming_refusals
from runtime.utf8 import use_utf8
from tasks import InputError

FORMATS = ("backbone",)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m inference.export", description=__doc__)
    parser.add_argument("source", type=Path, metavar="RUN_OR_CHECKPOINT", help="a run's folder, or a checkpoint of it")
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder to write, new or empty")
    parser.add_argument("--format", choices=FORMATS, required=True, help="backbone: the encoder alone, to fine-tune")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write an export; what the user got wrong ends it with one sentence and exit status 2."""
    options = parse_arguments(arguments)
    try:
        with naming_refusals(InputError):
            checkpoint = find_checkpoint(options.source)
            print(f"checkpoint: {checkpoint}")
            export_backbone(checkpoint, options.folder)
    except (InputError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    flag = shlex.join(["--model.backbone", str(options.folder)])
    print(f"backbone: {options.folder} (fine-tune with {flag})")


if __name__ == "__main__":
    use_utf8()
    main()
