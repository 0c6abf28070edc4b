"""Names of tasks, after which flags, modules, metrics and files are named."""

import re
from collections.abc import Iterable

from torch import nn

from runtime.errors import InputError

RESERVED = {
    "mean": "val/mean is the mean of all tasks",
    "training": "each PyTorch module has an attribute training",
}


def check_names(names: Iterable[str]) -> None:
    """Check that each name can stand for its task everywhere: as a flag, a module, a metric and a file.

    Args:
        names: The names.

    Raises:
        InputError: If one is no text, holds something other than letters, digits and `_`, begins with a digit, or
            means something else in logs or in PyTorch.

    Example:
        >>> check_names(["a-b"])
        Traceback (most recent call last):
        runtime.errors.InputError: task name 'a-b' cannot be used (expected letters, digits and _, such as a_b)
    """
    for name in names:
        if not isinstance(name, str):  # what YAML makes of `yes:`, `5:` and `null:`
            raise InputError(
                f"task name {name!r} is no text: YAML reads yes, no, on, off, null and numbers otherwise "
                "(expected letters, digits and _, such as task_1)"
            )
        if not name.isidentifier():
            raise InputError(
                f"task name {name!r} cannot be used (expected letters, digits and _, such as {_mend(name)})"
            )
        if name in RESERVED or hasattr(nn.ModuleDict, name):
            reason = RESERVED.get(name, f"PyTorch's ModuleDict has a method {name}")
            raise InputError(f"task name {name!r} cannot be used: {reason} (expected another, such as {name}_task)")


def _mend(name: str) -> str:
    """Return a name that can be used, like one that cannot.

    Example:
        >>> [_mend(name) for name in ("ticket category", "5", "../x", "")]
        ['ticket_category', 'task_5', 'x', 'task_1']
    """
    mended = re.sub(r"\W+", "_", name).strip("_") or "1"
    return mended if mended.isidentifier() else f"task_{mended}"
