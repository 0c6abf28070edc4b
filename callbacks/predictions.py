"""The predictions of a run, collected and written."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text
from torch import Tensor

from callbacks.run_folder import run_folder
from datamodules import Batch, multitask_data
from objectives.processes import gather_objects
from runtime.terminal import plain_console
from tasks import Task
from tasks.prediction_files import check_handin, describe_handin, open_handin, write_handin, write_predictions

SHOWN_ROWS = 50


class PredictionWriter(L.Callback):
    """Writes `predictions/<task>-<split>.csv`, one row an example in file order, and the probabilities beside it.

    In `fit` these are the predictions of the last validation; in `validate`, `test` and `predict` those of the run.

    Args:
        handin: Folder for the dev and test predictions of Sst, Quora and Sts under the names and headers of CS224N's
            starter code (`sst-dev-output.csv`, `para-...`, `sts-...`), beside the run's own files; None for none.
    """

    def __init__(self, handin: str | None = None) -> None:
        self.handin = None if handin is None else Path(handin).expanduser()
        self._collected: dict[tuple[str, str], list[tuple[NDArray[Any], ...]]] = {}

    def check(self, tasks: Mapping[str, Task]) -> None:
        """Raise an error if the hand-in files are not about such tasks.

        Raises:
            InputError: If they are not.
        """
        if self.handin is not None:
            check_handin(self.handin, tasks)

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Create the folder of the hand-in files."""
        if self.handin is not None and not trainer.fast_dev_run and trainer.is_global_zero:  # type: ignore[attr-defined]
            open_handin(self.handin)

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

    def _collect(self, split: str, batch: Batch, outputs: Mapping[str, Any]) -> None:
        for task, found in outputs.items():
            arrays = [batch.rows, found["prediction"]]
            if found["probabilities"] is not None:
                arrays.append(found["probabilities"])
            self._collected.setdefault((split, task), []).append(tuple(map(_to_numpy, arrays)))

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

    def gather(self) -> dict[tuple[str, str], list[NDArray[Any]]]:
        """Join what all processes collected since the evaluation began; call it on every process.

        Returns:
            By split and task, in file order: row numbers (n,), predictions in label units (n,) and, of classes,
            probabilities (n, C).
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
        data, console = multitask_data(trainer), plain_console()
        handed_in: dict[str, tuple[int, int]] = {}
        for (split, task), ordered in gathered.items():
            store = data.stores[split][task]
            write_predictions(folder / f"{task}-{split}.csv", store, *ordered)
            if split == "input":
                console.print(build_input_table(data.input_texts, store.task, *ordered[1:]))
            if self.handin is not None:
                path = write_handin(self.handin, split, store, *ordered[:2])
                handed_in |= {} if path is None else {path.name: (len(ordered[0]), len(store))}
        if self.handin is not None and handed_in:
            for line in describe_handin(self.handin, data.tasks.values(), handed_in):
                console.print(line, soft_wrap=True)


def _to_numpy(values: Tensor) -> NDArray[Any]:
    host = values.detach().cpu()
    found: NDArray[Any] = (host.float() if host.is_floating_point() else host).numpy()
    return found


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
        table.add_column(Text(column))
    shares = None if probabilities is None else task.labels.confidence(predictions, probabilities.astype(np.float64))
    for number, row in list(enumerate(texts))[:SHOWN_ROWS]:
        confidence = "" if shares is None else f"{shares[number]:.3f}"
        table.add_row(Text("\n".join(row)), Text(task.format_label(predictions[number])), confidence)
    return table


def gather_predictions(callbacks: Sequence[L.Callback], split: str) -> dict[str, list[NDArray[Any]]]:
    """Return what the PredictionWriter among some callbacks collected of a split; call it on every process.

    Args:
        callbacks: The trainer's callbacks.
        split: `dev` or `test`.

    Returns:
        The columns of `PredictionWriter.gather` by task; nothing where there is no writer.
    """
    writer = next((one for one in callbacks if isinstance(one, PredictionWriter)), None)
    gathered = writer.gather() if writer is not None else {}
    return {task: columns for (found, task), columns in gathered.items() if found == split}
