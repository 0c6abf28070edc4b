"""Imports that take seconds: torch, Lightning, transformers."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def heavy_imports() -> Iterator[None]:
    """Import, in the block, without Python's cycle collector, which takes a fifth of the time and frees 8 MB.

    Nor does it look at what was imported ever after, so that its later passes are short. Does nothing where torch is
    there already, as in a notebook.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
