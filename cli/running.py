"""An entry point from its first message to its exit status."""

import logging
import sys

import lightning.pytorch as L

from callbacks import RunStopped
from cli.tandem import TandemCLI
from runtime.file_errors import naming_refusals
from runtime.messages import StderrLines, silence_lightning
from tasks import InputError

OUR_PACKAGES = (  # those that log
    "backbones",
    "callbacks",
    "checks",
    "datamodules",
    "inference",
    "lightning_modules",
    "runtime",
)


def run(cli: type[TandemCLI], model: type[L.LightningModule], data: type[L.LightningDataModule]) -> None:
    """Run an entry point; what the user or the file system got wrong ends it with one sentence and exit status 2."""
    silence_lightning()
    logging.basicConfig(format="%(message)s", handlers=[StderrLines()])
    for package in OUR_PACKAGES:
        logging.getLogger(package).setLevel(logging.INFO)
    try:
        with naming_refusals(InputError):
            cli(model, data)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except RunStopped as stopped:
        sys.exit(128 + stopped.number)
