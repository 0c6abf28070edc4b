"""What the user sees: text as it is, on any terminal."""

import os

from rich.console import Console

FILE_WIDTH = 160  # columns


def plain_console(*, stderr: bool = False) -> Console:
    """Return a console on which text is text: no markup, no emoji codes, no highlighting.

    File, task and class names go through it: `[accuracy]` would vanish, and `[/data/dir]` be an error. Print lines with
    `soft_wrap=True`, so that a path or a command is copied in one piece. Files and pipes get `FILE_WIDTH` columns where
    COLUMNS does not say otherwise: rich would cut tables to 80.

    Args:
        stderr: Whether it prints to stderr.
    """
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = FILE_WIDTH
    return console


def describe_seconds(seconds: float) -> str:
    """Name a duration.

    Example:
        >>> describe_seconds(8.4), describe_seconds(89), describe_seconds(754), describe_seconds(3900)
        ('8 s', '89 s', '13 min', '1 h 05 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def describe_bytes(count: float) -> str:
    """Name a number of bytes.

    Example:
        >>> describe_bytes(700), describe_bytes(2_345_000), describe_bytes(1_250_000_000)
        ('1 KB', '2 MB', '1.2 GB')
    """
    if count < 1e6:
        return f"{max(count / 1e3, 1 if count else 0):.0f} KB"
    return f"{count / 1e6:,.0f} MB" if count < 1e9 else f"{count / 1e9:,.1f} GB"
