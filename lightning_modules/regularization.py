"""Regularisers at work on a module's batches."""

from collections.abc import Mapping, Sequence
from typing import Any

from lightning_modules.past_weights import PastWeights
from objectives import Regularizer
from tasks import InputError, Task


class Regularization:
    """The regularisers of a training, and the past weights that some compare with.

    Args:
        regularizers: Those whose terms are added up; None for none.
        tasks: The tasks by name.
        is_frozen: Whether the backbone is frozen.

    Raises:
        InputError: If one names a task that there is not, or needs a trained backbone, or two want past weights of
            different age.
    """

    def __init__(
        self, regularizers: Regularizer | Sequence[Regularizer] | None, tasks: Mapping[str, Task], *, is_frozen: bool
    ) -> None:
        several = [regularizers] if isinstance(regularizers, Regularizer) else list(regularizers or ())
        for regularizer in several:
            _check(regularizer, tasks, is_frozen=is_frozen)
        decays = {each.past_decay for each in several if each.past_decay is not None}
        if len(decays) > 1:
            raise InputError(f"model.regularizer: decays {sorted(decays)} of past weights (expected one for all)")
        self.regularizers = several
        self.past = PastWeights(decays.pop()) if decays else None

    def covering(self, task: str, *, is_frozen: bool) -> list[Regularizer]:
        """Return the regularisers of a task's batches.

        Args:
            task: Name of the task.
            is_frozen: Whether its gradients do not reach the backbone.
        """
        return [each for each in self.regularizers if each.covers(task) and not (each.needs_gradients and is_frozen)]

    def save(self, checkpoint: dict[str, Any]) -> None:
        """Add what a resumed training needs to its checkpoint."""
        if self.past is not None:
            self.past.save(checkpoint)

    def load(self, checkpoint: dict[str, Any]) -> None:
        """Go on where the checkpoint of a resumed training was.

        Raises:
            InputError: If it lacks what is needed.
        """
        if self.past is not None:
            self.past.load(checkpoint)


def _check(regularizer: Regularizer, tasks: Mapping[str, Task], *, is_frozen: bool) -> None:
    name = type(regularizer).__name__
    unknown = [task for task in regularizer.tasks or () if task not in tasks]
    if unknown:
        raise InputError(f"{name}: tasks has {', '.join(unknown)} (expected names of tasks: {', '.join(tasks)})")
    if is_frozen and regularizer.needs_gradients:
        raise InputError(f"{name} perturbs the embeddings of a backbone that is trained (freeze_backbone is true)")
