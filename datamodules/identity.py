"""What decides which examples a training step sees, as plain data: a resumed training compares it."""

import hashlib
from typing import Any

from datamodules.generated_rows import describe_generated
from datamodules.store import TokenStore


def identify_rows(store: TokenStore, *, batch_size: int) -> dict[str, Any]:
    """Return what decides which rows of a task come, and what is learnt of them.

    Args:
        store: Its training split.
        batch_size: Examples a batch over all processes.
    """
    task = store.task
    learnt = {
        "class_weights": store.label_weights,
        "teacher": store.teacher,
        "shortcut": store.shortcut,
        "train_rows": store.chosen_rows,
    }
    return {
        "rows": len(store),
        "sha256": store.source["sha256"],
        "batch_size": batch_size,
        "encoding": task.encoding,
        "reading": store.key,
        **({"split": store.source["split"]} if "split" in store.source else {}),
        **({"swap": True} if task.swap else {}),
        **({"sampling": "balanced"} if task.is_balanced else {}),
        **({"teacher": task.taught_by} if task.taught_by is not None else {}),
        **describe_generated(store),
        **{name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in learnt.items() if array is not None},
    }
