"""A trained model in another library's format: `python -m inference.export RUN_OR_CHECKPOINT DIR --format FORMAT`."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments
from runtime.command import command
from runtime.importing import heavy_imports
from runtime.utf8 import use_utf8

FORMATS = ("backbone", "transformers", "sentence-transformers", "onnx")


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = Arguments("inference.export", __doc__)
    parser.add_argument("source", type=Path, metavar="RUN_OR_CHECKPOINT", help="a run's folder, or a checkpoint of it")
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder to write, new or empty")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        required=True,
        help="backbone: the encoder alone, to fine-tune. transformers: a folder a task with its head, for pipeline and "
        "CrossEncoder. sentence-transformers: an embedder a task that encodes texts one by one. onnx: a file for all "
        "tasks of an encoding",
    )
    parser.add_argument("--tasks", nargs="+", metavar="TASK", help="the tasks to export (all that the format can hold)")
    parser.add_argument("--root", type=Path, metavar="DIR", help="folder of the data files (the run's --data.root)")
    parser.add_argument(
        "--dev_rows", type=int, default=2000, help="rows of the dev split to check at most (default %(default)s)"
    )
    parser.add_argument("--int8", action="store_true", help="onnx: write an int8 file beside the fp32 one")
    parser.add_argument(
        "--max_loss", type=float, default=0.01, help="what int8 may lose of each task's metric (default %(default)s)"
    )
    parser.add_argument(
        "--push_to_hub", metavar="NAME", help="upload each folder as NAME-<folder>, a private repository of the hub"
    )
    parser.add_argument("--public", action="store_true", help="push_to_hub: into a public repository")
    options = parser.parse_args(arguments)
    if options.int8 and options.format != "onnx":
        parser.error(f"--int8 is for --format onnx (got {options.format})")
    if options.format == "backbone" and (options.tasks or options.push_to_hub):
        parser.error("--tasks and --push_to_hub are for exports with heads (got --format backbone)")
    if options.public and not options.push_to_hub:
        parser.error("--public is for --push_to_hub (got no NAME to upload to)")
    return options


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Write an export and say where it is."""
    options = parse_arguments(arguments)
    with heavy_imports():
        from transformers.utils import logging as transformers_logging

        from inference.backbone_format import export_backbone
        from inference.checkpoint import find_checkpoint
        from inference.exporting import export, hub_name, push
    transformers_logging.disable_progress_bar()
    path = find_checkpoint(options.source)
    print(f"checkpoint: {path}")
    if options.format == "backbone":
        export_backbone(path, options.folder)
        flag = shlex.join(["--model.backbone", str(options.folder)])
        print(f"backbone: {options.folder} (fine-tune with {flag})")
        return
    for one in export(options, path):
        print(f"{', '.join(one.tasks)}: {one.folder} (how to run it: {one.folder / 'README.md'})")
        name = hub_name(options.push_to_hub, one)
        if name is not None:
            print(f"uploaded: {push(one, name, public=options.public)} ({'public' if options.public else 'private'})")


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
