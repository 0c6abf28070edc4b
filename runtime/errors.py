"""The error that a user can mend, and what to quote of another."""


class InputError(ValueError):
    """Something that the user gave is wrong; the message names where, what came and what was expected."""


def reason_of(error: BaseException) -> str:
    r"""Return the first line of an error's message, behind its type unless the message is a sentence by itself.

    Example:
        >>> reason_of(OSError("no header\nmore")), reason_of(KeyError("gelu")), reason_of(EOFError())
        ('no header', "KeyError: 'gelu'", 'EOFError')
    """
    message, kind = str(error).strip(), type(error).__name__
    if not message:
        return kind
    return ("" if isinstance(error, OSError | ValueError) else f"{kind}: ") + message.splitlines()[0]
