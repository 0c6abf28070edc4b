"""What the numbers of a trained model mean, and whether the settings around a checkpoint still say the same.

Tasks, heads, backbones and data modules each answer with plain data (`meaning()`): what their numbers depend on and the
shapes of the weights do not show. Weights fit other settings without a word: two classes in another order, another
pooling, another activation.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from runtime.errors import InputError

MAY_CHANGE = "may_change"  # the key of what may be meant otherwise: it is told, not refused
TASKS = "tasks"  # the key of what the tasks mean
MOST_NAMED = 4


class Difference(NamedTuple):
    """A value that differs between a checkpoint and the settings around it."""

    path: tuple[str, ...]
    was: Any
    now: Any

    def __str__(self) -> str:
        """Name it, for a message."""
        name = ".".join(part for part in self.path if part != MAY_CHANGE)
        return f"{name} was {self.was!r}, is {self.now!r}"


def compare_meaning(
    found: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    otherwise: str = "",
    subject: str = "the checkpoint's numbers",
) -> str:
    """Compare what a checkpoint's numbers mean with what the settings around it say.

    Args:
        found: The meaning that the checkpoint holds.
        now: That of the settings.
        otherwise: What else can be done with a checkpoint that differs in its tasks alone, for the message.
        subject: What has another meaning then, for the message.

    Returns:
        A sentence about what may have been changed on purpose; empty if nothing was.

    Raises:
        InputError: If anything else differs.

    Example:
        >>> compare_meaning({"may_change": {"max_length": 128}}, {"may_change": {"max_length": 64}})
        'not as in training: max_length was 128, is 64'
    """
    differences = list(find_differences(found, now))
    refused = [difference for difference in differences if MAY_CHANGE not in difference.path]
    if refused:
        raise InputError(
            f"{subject} have another meaning: {_name(refused)} (expected the settings of its training"
            f"{otherwise if all(difference.path[0] == TASKS for difference in refused) else ''})"
        )
    return f"not as in training: {_name(differences)}" if differences else ""


def is_same_meaning(found: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether nothing differs but what may."""
    return all(MAY_CHANGE in difference.path for difference in find_differences(found, now))


def find_differences(found: Any, now: Any, path: tuple[str, ...] = ()) -> Iterator[Difference]:
    """Return the values that differ between two pieces of plain data.

    A key that one side lacks is not compared: another version wrote it, or it is the column of another file.
    """
    if isinstance(found, Mapping) and isinstance(now, Mapping):
        for key in found:
            if key in now:
                yield from find_differences(found[key], now[key], (*path, str(key)))
    elif isinstance(found, list) and isinstance(now, list) and len(found) == len(now):
        for place, (one, other) in enumerate(zip(found, now, strict=True)):
            yield from find_differences(one, other, (*path, str(place)))
    elif found != now:
        yield Difference(path, found, now)


def _name(differences: list[Difference]) -> str:
    rest = len(differences) - MOST_NAMED
    named = "; ".join(map(str, differences[:MOST_NAMED]))
    return f"{named}; and {rest} more" if rest > 0 else named
