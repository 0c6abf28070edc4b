"""What the user sees: text as it is, on any terminal."""

from rich.console import Console


def plain_console(*, stderr: bool = False) -> Console:
    """Return a console on which text is text: no markup, no emoji codes, no highlighting.

    File, task and class names go through it: `[accuracy]` would vanish, and `[/data/dir]` be an error. Print lines with
    `soft_wrap=True`, so that a path or a command is copied in one piece.

    Args:
        stderr: Whether it prints to stderr.
    """
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)
