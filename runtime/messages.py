"""What libraries say that is of no use to anyone here."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

QUIET_WARNINGS = (
    "does not have many workers",
    "in eval mode at the start of training",
    "to use `self.log\\(.*sync_dist=True\\)`",
    "It is recommended to use `self.log",
    "was called before the ``update`` method",  # of a metric, on a process that got no batch of a task
    "The variance of predictions or target is close to zero",
    "smaller than the logging interval",
    "isinstance\\(treespec, LeafSpec\\)",
    "Glyph .* missing from font",  # a browser has it; in TensorBoard's images a box stands for the letter
    "Experiment logs directory .* exists and is not empty",  # TensorBoard has written there; the folder is new
)


def silence_warnings(*more: str) -> None:
    """Silence advice of libraries that does not apply here.

    Args:
        more: Patterns of further warnings.
    """
    for message in (*QUIET_WARNINGS, *more):
        warnings.filterwarnings("ignore", message=f".*{message}")


def silence_lightning(*more: str) -> None:
    """Silence what `silence_warnings` does, and Lightning's information below warnings.

    Args:
        more: Patterns of further warnings.
    """
    silence_warnings(*more)
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Silence what transformers says while it loads a model: which weights it has no use for, and its progress.

    Errors are still told. The bars stay off: it has one for writing a model too.
    """
    from transformers.utils import logging as transformers_logging  # here: it takes seconds

    transformers_logging.disable_progress_bar()
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)


class StderrLines(logging.Handler):
    """Writes messages to what `sys.stderr` is at that moment.

    On a terminal, a progress bar takes its place to stay below such lines; logging's own handler keeps the first one
    and writes into the bar.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message as a line."""
        print(self.format(record), file=sys.stderr)
