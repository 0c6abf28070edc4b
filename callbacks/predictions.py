"""Prediction files in CS224N's hand-in format."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import lightning.pytorch as L
import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from callbacks.run_folder import run_folder
from datamodules import TaskBatch, multitask_data
from runtime.terminal import plain_console
from tasks import Task

SHOWN_ROWS = 50


class HasIds(Protocol):
    """A split of a task whose examples have ids; a TokenStore is one."""

    task: Task

    def id(self, row: int) -> str:
        """Id of an example."""


class PredictionWriter(L.Callback):
    """Writes `predictions/<task>-<split>.csv`, one row an example in file order, and the probabilities beside it.

    Where a pair is encoded both ways, `<task>_bi-<split>.csv` holds what its bi head predicts.
    In `fit` these are the predictions of the last validation; in `validate`, `test` and `predict` those of the run.
    """

    def __init__(self) -> None:
        self._collected: dict[tuple[str, str, str], list[tuple[NDArray[Any], ...]]] = {}

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Forget the previous validation."""
        self._collected.clear()

    def on_test_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Forget what came before the test."""
        self._collected.clear()

    def on_predict_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Forget what came before the prediction."""
        self._collected.clear()

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep a dev batch's predictions."""
        self._collect("dev", batch, outputs)

    def on_test_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep a test batch's predictions."""
        self._collect("test", batch, outputs)

    def on_predict_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep a batch's predictions."""
        self._collect(multitask_data(trainer).prediction_names[dataloader_idx], batch, outputs)

    def _collect(self, split: str, batch: TaskBatch, outputs: Mapping[str, Any]) -> None:
        for view, found in outputs["views"].items():
            arrays = [batch.rows, found["prediction"]]
            if found["probabilities"] is not None:
                arrays.append(found["probabilities"])
            parts = tuple(
                array.detach().cpu().float().numpy() if array.is_floating_point() else array.cpu().numpy()
                for array in arrays
            )
            self._collected.setdefault((split, batch.task, view), []).append(parts)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the last validation's predictions."""
        self._write(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the dev predictions of `validate`."""
        if trainer.state.fn == "validate":
            self._write(trainer)

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the test predictions."""
        self._write(trainer)

    def on_predict_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the predictions."""
        self._write(trainer)

    def gather(self) -> dict[tuple[str, str, str], list[NDArray[Any]]]:
        """Join what all processes collected since the evaluation began; call it on every process.

        Returns:
            By split, task and view (empty, or `_bi` of a task that is encoded both ways), in file order: row numbers
            (n,), predictions in label units (n,) and, of classes, probabilities (n, C).
        """
        gathered = gather_objects(self._collected)
        joined = {}
        for key in sorted({key for part in gathered for key in part}):
            parts = [arrays for part in gathered for arrays in part.get(key, [])]
            columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
            order = np.argsort(columns[0], kind="stable")
            joined[key] = [column[order] for column in columns]
        return joined

    def _write(self, trainer: L.Trainer) -> None:
        gathered, run = self.gather(), run_folder(trainer)
        if run is None or not trainer.is_global_zero:
            return
        folder = run / "predictions"
        folder.mkdir(parents=True, exist_ok=True)
        for (split, task, view), ordered in gathered.items():
            store = multitask_data(trainer).stores[split][task]
            write_predictions(folder / f"{task}{view}-{split}.csv", store, *ordered)
            if split == "input":
                plain_console().print(build_input_table(multitask_data(trainer).input_texts, store.task, *ordered[1:]))


def build_input_table(
    texts: Sequence[tuple[str, ...]],
    task: Task,
    predictions: NDArray[Any],
    probabilities: NDArray[np.float32] | None = None,
) -> Table:
    """Return the first predictions of the user's own sentences as a table, with probabilities.

    Args:
        texts: The sentences, row by row.
        task: The task that predicted.
        predictions: Labels in label units, (n,).
        probabilities: Probability of each class, (n, C).
    """
    table = Table()
    for column in ("sentence" if len(task.texts) == 1 else "sentences", task.label, "probability"):
        table.add_column(column)
    for number, row in list(enumerate(texts))[:SHOWN_ROWS]:
        label = task.format_label(float(predictions[number]))
        probability = "" if probabilities is None else f"{probabilities[number].max():.3f}"
        table.add_row(Text("\n".join(row)), label, probability)
    return table


def write_predictions(
    path: Path,
    store: HasIds,
    rows: NDArray[np.int64],
    predictions: NDArray[Any],
    probabilities: NDArray[np.float32] | None = None,
) -> None:
    """Write a prediction file, and a second one with the probability of each class.

    Args:
        path: `<task>-<split>.csv`; the second file is `<task>-<split>-probabilities.csv`.
        store: The split that was predicted.
        rows: Row numbers, rising, (n,).
        predictions: Labels in label units, (n,).
        probabilities: Probability of each class, (n, C).
    """
    task = store.task
    ids = [store.id(int(row)) for row in rows]
    labels = [task.format_label(float(prediction)) for prediction in predictions]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"id, {_quote(task.prediction_header)}\n")
        file.writelines(f"{_quote(name)}, {_quote(label)}\n" for name, label in zip(ids, labels, strict=True))
    if probabilities is not None:
        header = ["id", *(task.format_label(number) for number in range(probabilities.shape[1]))]
        with path.with_name(f"{path.stem}-probabilities.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows([name, *(f"{p:.6f}" for p in row)] for name, row in zip(ids, probabilities, strict=True))


def _quote(cell: str) -> str:
    """Quote a cell that holds a comma, a quote or a line end; all others stand as they are, as the format wants it."""
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\r\n') else cell


def gather_objects(value: Any) -> list[Any]:
    """Return every process's value, in the order of the ranks, on every process."""
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()):
        return [value]
    values: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return values
