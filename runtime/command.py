"""How a command ends: with an exit status, and what the user got wrong with one sentence."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from runtime.file_errors import naming_refusals
from runtime.messages import silence_warnings

Given = ParamSpec("Given")


def command(main: Callable[Given, int | None]) -> Callable[Given, int]:
    """Return a command's main function with an exit status: 2 after what the user got wrong, 130 after Ctrl-C.

    What the user got wrong is a ValueError; our own mistakes are other errors, with their traceback.

    Args:
        main: Does the work; returns a status, or None for 0.
    """

    @wraps(main)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> int:
        silence_warnings()
        try:
            with naming_refusals(ValueError):
                return main(*args, **kwargs) or 0
        except ValueError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            return 130

    return run
