"""Tasks that split the same file: they must do it alike."""

from collections.abc import Iterator, Mapping

from tasks import Task


def find_unlike_splits(tasks: Mapping[str, Task]) -> Iterator[str]:
    """Return a sentence for each task that splits a file otherwise than an earlier task does.

    Then a row may be trained on in one task and scored in the other.

    Args:
        tasks: The tasks by name.
    """
    seen: dict[object, tuple[str, object]] = {}
    for name, task in tasks.items():
        rule, source = task.source.rule, task.source
        if rule is None:
            continue
        how = (rule, task.strata, task.texts)
        earlier, before = seen.setdefault((source.hub, source.name, source.all), (name, how))
        if how != before:
            yield (
                f"tasks {earlier} and {name} split {source.all} otherwise: rows that one trains on are dev rows of the "
                "other (expected the same texts, dev_share, folds, fold, group and stratify: COLUMN in both sources)"
            )
