"""What an export wrote."""

from dataclasses import dataclass
from pathlib import Path

from inference.parity import Parity


@dataclass(frozen=True)
class Written:
    """One exported model.

    Args:
        folder: Where it is.
        library: What loads it, by the name that the Hugging Face hub knows.
        tasks: Names of its tasks.
        packages: What has to be installed to use it, by the names that pip knows.
        usage: Lines of Python that use it; DIR stands for its folder.
        parities: It beside the checkpoint.
        notes: What differs from the checkpoint and has to be known.
    """

    folder: Path
    library: str
    tasks: tuple[str, ...]
    packages: tuple[str, ...]
    usage: str
    parities: tuple[Parity, ...] = ()
    notes: tuple[str, ...] = ()
