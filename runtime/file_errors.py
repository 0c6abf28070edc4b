"""What the file system refuses, in one sentence."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

NAMES = "EACCES EPERM EROFS ENOSPC EDQUOT EFBIG ENOTDIR EISDIR EEXIST ENOTEMPTY ENAMETOOLONG"
REFUSALS = {getattr(errno, name) for name in NAMES.split() if hasattr(errno, name)}
NO_FOLDER = "No usable temporary directory found"  # as tempfile says, behind ENOENT


def explain_refusal(error: OSError) -> str | None:
    """Return a sentence for a place that cannot be read or written; None for any other error.

    Args:
        error: What the operating system said.

    Example:
        >>> explain_refusal(OSError(errno.EROFS, "Read-only file system", "runs/mine"))
        'runs/mine: Read-only file system (expected a place that can be read and written, with space left)'
        >>> explain_refusal(OSError(errno.EPIPE, "Broken pipe"))
    """
    if str(error.strerror).startswith(NO_FOLDER):
        return "no folder for temporary files can be written (expected TMPDIR to name one, with space left)"
    if error.errno not in REFUSALS:
        return None
    where = "writing a file" if error.filename is None else str(error.filename)
    if error.errno == errno.EISDIR:
        return f"{where}: is a folder (expected a file)"
    what = "a file is in the way" if error.errno in (errno.EEXIST, errno.ENOTDIR) else error.strerror
    what = "a folder that holds files is in the way" if error.errno == errno.ENOTEMPTY else what
    return f"{where}: {what} (expected a place that can be read and written, with space left)"


@contextmanager
def naming_refusals(kind: type[Exception]) -> Iterator[None]:
    """Turn an error of the block that is such a refusal into one of another kind, which says it in one sentence."""
    try:
        yield
    except OSError as error:
        sentence = explain_refusal(error)
        if sentence is None:
            raise
        raise kind(sentence) from error
