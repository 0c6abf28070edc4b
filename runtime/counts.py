"""Numbers with their nouns."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one.

    Args:
        number: The number.
        noun: What is counted, whose plural ends in s.

    Example:
        >>> counted(1, "train row"), counted(0, "epoch"), counted(12345, "example")
        ('1 train row', '0 epochs', '12,345 examples')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
