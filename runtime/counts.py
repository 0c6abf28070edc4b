"""Numbers with their nouns."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun, in the plural unless it is one.

    Args:
        number: The number.
        noun: What is counted.
        plural: Its plural; None for one with an s.

    Example:
        >>> counted(1, "train row"), counted(0, "epoch"), counted(1234, "class", "classes")
        ('1 train row', '0 epochs', '1,234 classes')
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
