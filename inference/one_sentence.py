"""How the commands of this folder end where the user got something wrong."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.file_errors import naming_refusals
from tasks import InputError


@contextmanager
def ending_in_one_sentence() -> Iterator[None]:
    """End the process with one sentence and exit status 2 where the block raises what the user got wrong."""
    try:
        with naming_refusals(InputError):
            yield
    except (InputError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
