"""The error that a user can mend, and what to quote of another."""


class InputError(ValueError):
    """Something that the user gave is wrong; the message names where, what came and what was expected."""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message; the name of its type where it has none.

    Example:
        >>> first_line(EOFError()), first_line(ValueError("no header\\nmore"))
        ('EOFError', 'no header')
    """
    message = str(error).strip()
    return message.splitlines()[0] if message else type(error).__name__
