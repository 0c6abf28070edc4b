"""How much of each task an evaluation really looked at."""

from collections.abc import Mapping, Sequence

FLAGS = {"dev": "limit_val_batches", "test": "limit_test_batches"}


def find_part(counts: Mapping[str, int], sizes: Mapping[str, int]) -> dict[str, list[int]]:
    """Return what was evaluated of each task and its size; nothing where it was everything, or nothing at all.

    Args:
        counts: Examples that were evaluated, by task.
        sizes: Examples of each task in the whole split.

    Example:
        >>> find_part({"sst": 93}, {"sst": 1101, "sts": 863})
        {'sst': [93, 1101], 'sts': [0, 863]}
    """
    is_part = any(counts.values()) and any(counts.get(task, 0) != size for task, size in sizes.items())
    return {task: [counts.get(task, 0), size] for task, size in sizes.items()} if is_part else {}


def describe_part(evaluated: Mapping[str, Sequence[int]], split: str) -> str:
    """Say what was evaluated, and what the mean is over where tasks are missing.

    Args:
        evaluated: As `find_part` gives it.
        split: `dev` or `test`.

    Example:
        >>> describe_part({"sst": [93, 1101], "sts": [0, 863]}, "dev")
        'on a part of dev (--trainer.limit_val_batches): sst 93 of 1,101, sts none; mean is over sst'
    """
    parts = [f"{task} {count:,} of {size:,}" if count else f"{task} none" for task, (count, size) in evaluated.items()]
    found = [task for task, (count, _) in evaluated.items() if count]
    rest = f"; mean is over {' and '.join(found)}" if len(found) < len(evaluated) else ""
    return f"on a part of {split} (--trainer.{FLAGS[split]}): {', '.join(parts)}{rest}"
