"""Figures of the dev predictions in TensorBoard."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import lightning.pytorch as L
import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger
from numpy.typing import NDArray

from callbacks.predictions import gather_predictions
from datamodules import TokenStore, multitask_data
from heads import Scores
from lightning_internals import logged_step
from tasks import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ValidationFigures(L.Callback):
    """Shows what the dev predictions look like after a validation of `fit`, as TensorBoard images.

    `val/<task>/confusion` (of many classes, the most confused ones) and `val/<task>/calibration` for classes,
    `val/<task>/similarity` for scores, each on the step of the validation's scores. The predictions are those that
    PredictionWriter collects. Without a TensorBoard logger, nothing is drawn; matplotlib is imported at the first
    figure.

    Args:
        every_n_validations: Draw after every n-th validation; 0 draws none.

    Raises:
        InputError: If every_n_validations is negative.
    """

    def __init__(self, every_n_validations: int = 1) -> None:
        if every_n_validations < 0:
            raise InputError(f"figures.every_n_validations is {every_n_validations} (expected 0 or more)")
        self.every_n_validations = every_n_validations
        self._validations = 0

    def state_dict(self) -> dict[str, Any]:
        """Keep the count over a resume."""
        return {"validations": self._validations}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the count of the resumed run."""
        self._validations = state_dict["validations"]

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Draw when due."""
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        self._validations += 1
        boards = [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]
        if not boards or not self.every_n_validations or self._validations % self.every_n_validations:
            return
        predicted = gather_predictions(trainer.callbacks, "dev")  # type: ignore[attr-defined]
        if not trainer.is_global_zero:
            return
        stores = multitask_data(trainer).stores["dev"]
        for tag, figure in _draw(stores, predicted):
            _show(boards, tag, figure, step=logged_step(trainer))


def _draw(
    stores: Mapping[str, TokenStore], predicted: Mapping[str, list[NDArray[Any]]]
) -> "Iterator[tuple[str, Figure]]":
    """Return the figures of each task: the tag and the figure."""
    from figures import bin_confidence, count_confusions, draw_confusion, draw_reliability, draw_scatter

    for name, columns in predicted.items():
        store = stores[name]
        rows, predictions, *rest = (column[store.has_label[columns[0]]] for column in columns)
        task, labels = store.task, store.labels[rows]
        space = task.labels
        if isinstance(space, Scores):
            scores = predictions.astype(np.float64)
            yield f"val/{name}/similarity", draw_scatter(labels, scores, low=space.low, high=space.high)
            continue
        if not space.is_set:
            confusions = count_confusions(labels, predictions, space.num_classes)
            yield f"val/{name}/confusion", draw_confusion(confusions, task.class_names)
        confidence = space.confidence(predictions, rest[0].astype(np.float64))
        is_right = space.is_right(predictions, labels)
        yield f"val/{name}/calibration", draw_reliability(bin_confidence(confidence, is_right))


def _show(boards: list[TensorBoardLogger], tag: str, figure: "Figure", *, step: int) -> None:
    from figures import to_image

    image = to_image(figure)
    for board in boards:
        board.experiment.add_image(tag, image, global_step=step, dataformats="HWC")
