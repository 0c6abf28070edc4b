"""The error that a user can mend."""


class InputError(ValueError):
    """Something that the user gave is wrong; the message names where, what came and what was expected."""
