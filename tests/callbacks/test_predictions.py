import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import numpy as np
import pandas
import pytest
import torch

from callbacks import PredictionWriter
from datamodules import MultitaskDataModule, TokenStore
from objectives.processes import gather_objects
from tasks import Classification, Source, Sst, Task, Teacher
from tasks.prediction_files import write_predictions
from tests.tiny import build_module, make_trainer, open_data

HEADERS = {"sst": "Predicted_Sentiment", "quora": "Predicted_Is_Paraphrase", "sts": "Predicted_Similarity"}


@pytest.fixture
def data(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> MultitaskDataModule:
    """Data whose evaluation batches hold few rows, sorted by length."""
    return open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tokens_per_batch=30)


def read_ids(root: Path, name: str) -> list[str]:
    with (root / name).open(newline="") as file:
        return [row["id"] for row in csv.DictReader(file, delimiter="\t")]


def dev_store(tasks: dict[str, Task], backbone: Path, root: Path, cache: Path) -> TokenStore:
    data = open_data(backbone, root, cache, tasks=tasks)
    data.prepare_data()
    data.setup("fit")
    return data.stores["dev"][next(iter(tasks))]


def test_rows_stand_in_file_order_and_are_the_modules_predictions(data, tiny_backbone, cs224n_root, tmp_path):
    module = build_module(tiny_backbone)
    trainer = make_trainer(tmp_path / "run", PredictionWriter())
    trainer.predict(module, datamodule=data, return_predictions=False)
    folder = tmp_path / "run" / "predictions"
    scores = [f"{task}-{split}.csv" for task in HEADERS for split in ("dev", "test")]
    probabilities = [f"{task}-{split}-probabilities.csv" for task in ("sst", "quora") for split in ("dev", "test")]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*scores, *probabilities])
    for task, file in (("sst", "ids-sst"), ("quora", "quora"), ("sts", "sts")):
        for split, ending in (("dev", "dev"), ("test", "test-student")):
            lines = (folder / f"{task}-{split}.csv").read_text().splitlines()
            assert lines[0] == f"id, {HEADERS[task]}"
            assert [line.split(", ")[0] for line in lines[1:]] == read_ids(cs224n_root, f"{file}-{ending}.csv")
            expected = one_by_one(module, data, task, split)
            written = [float(line.split(", ")[1]) for line in lines[1:]]
            assert written == pytest.approx(expected, abs=2e-6)


def one_by_one(module: L.LightningModule, data: MultitaskDataModule, task: str, split: str) -> list[float]:
    """Predict each row alone."""
    from datamodules import BatchRows, collate

    store = data.stores[split][task]
    module.eval()
    with torch.no_grad():
        return [
            float(module.predict_step(collate(store, BatchRows(task, np.array([row]), 1.0)), 0)[task]["prediction"])
            for row in range(len(store))
        ]


def test_probabilities_have_the_classes_as_header_and_sum_to_one(data, tiny_backbone, cs224n_root, tmp_path):
    make_trainer(tmp_path / "run", PredictionWriter()).validate(
        build_module(tiny_backbone), datamodule=data, verbose=False
    )
    folder = tmp_path / "run" / "predictions"
    assert len(list(folder.iterdir())) == 5
    with (folder / "sst-dev-probabilities.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["id", "0", "1", "2", "3", "4"]
    assert [row[0] for row in rows] == read_ids(cs224n_root, "ids-sst-dev.csv")
    values = np.array([row[1:] for row in rows], dtype=float)
    assert values.sum(axis=1) == pytest.approx(np.ones(12), abs=1e-5)
    predicted = [line.split(", ")[1] for line in (folder / "sst-dev.csv").read_text().splitlines()[1:]]
    assert predicted == [str(label) for label in values.argmax(axis=1)]


class KeepLast(L.Callback):
    """Keeps the predictions of each validation by the id of the example."""

    def __init__(self) -> None:
        self.validations: list[dict[str, float]] = []

    def on_validation_epoch_start(self, *_: Any) -> None:
        self.validations.append({})

    def on_validation_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        self.validations[-1].update(zip(batch.ids, outputs[batch.task]["prediction"].tolist(), strict=True))


def test_fit_writes_the_predictions_of_the_last_validation(data, tiny_backbone, tmp_path):
    keep = KeepLast()
    make_trainer(tmp_path / "run", PredictionWriter(), keep, max_epochs=2).fit(
        build_module(tiny_backbone), datamodule=data
    )
    lines = (tmp_path / "run" / "predictions" / "sts-dev.csv").read_text().splitlines()[1:]
    written = {name: float(score) for name, score in (line.split(", ") for line in lines)}
    assert len(keep.validations) == 2
    assert len(written) == 12
    assert written == pytest.approx({name: keep.validations[1][name] for name in written}, abs=1e-6)
    assert written != pytest.approx({name: keep.validations[0][name] for name in written}, abs=1e-6)


def test_each_evaluation_by_one_trainer_starts_afresh(data, tiny_backbone, tmp_path):
    module, writer = build_module(tiny_backbone), PredictionWriter()
    trainer = make_trainer(tmp_path / "run", writer)
    trainer.validate(module, datamodule=data, verbose=False)
    for _ in range(2):
        trainer.predict(module, datamodule=data, return_predictions=False)
        assert {len(rows[0]) for rows in writer.gather().values()} == {12}
    (tmp_path / "run" / "predictions" / "sst-dev.csv").unlink()
    writer.on_test_epoch_start(trainer, module)
    assert writer.gather() == {}


def test_the_files_of_a_few_rows_by_hand(tiny_backbone, cs224n_root, tmp_path):
    store = dev_store({"sst": Sst()}, tiny_backbone, cs224n_root, tmp_path / "cache")
    probabilities = np.array([[0.1, 0.2, 0.3, 0.4, 0.0], [1, 0, 0, 0, 0]], dtype=np.float32)
    write_predictions(tmp_path / "sst-dev.csv", store, np.array([0, 2]), np.array([3, 0]), probabilities)
    assert (tmp_path / "sst-dev.csv").read_bytes() == b"id, Predicted_Sentiment\nids-sst-12, 3\nids-sst-14, 0\n"
    assert (tmp_path / "sst-dev-probabilities.csv").read_text() == (
        "id,0,1,2,3,4\n"
        "ids-sst-12,0.100000,0.200000,0.300000,0.400000,0.000000\n"
        "ids-sst-14,1.000000,0.000000,0.000000,0.000000,0.000000\n"
    )


def test_classes_are_written_as_the_users_file_names_them(tiny_backbone, tmp_path):
    (tmp_path / "own.jsonl").write_text('{"text": "good film", "y": "yes, please"}\n{"text": "bad", "y": "no"}\n')
    task = Classification(
        source=Source(train="own.jsonl", dev="own.jsonl"), texts=("text",), label="y", classes=("no", "yes, please")
    )
    store = dev_store({"own": task}, tiny_backbone, tmp_path, tmp_path / "cache")
    write_predictions(tmp_path / "own.csv", store, np.array([0, 1]), np.array([1, 0]), np.eye(2, dtype=np.float32))
    assert (tmp_path / "own.csv").read_text() == 'id,Prediction\n0,"yes, please"\n1,no\n'
    with (tmp_path / "own-probabilities.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["id", "no", "yes, please"]


def test_ids_and_classes_with_commas_quotes_and_line_ends_are_quoted_and_read_back(tiny_backbone, tmp_path):
    names = ["q,1", 'x"y', "two\nlines", "old\rline", "plain"]
    with (tmp_path / "own.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text", "y"], *([f" {name}", "good film", "no, never"] for name in names)])
    task = Classification(
        source=Source(train="own.csv", dev="own.csv"),
        texts=("text",),
        label="y",
        id="id",
        classes=("yes", "no, never"),
        teacher=Teacher(files=(str(tmp_path / "out-probabilities.csv"),)),
    )
    store = dev_store({"own": replace(task, teacher=None)}, tiny_backbone, tmp_path, tmp_path / "cache")
    write_predictions(tmp_path / "out.csv", store, np.arange(5), np.ones(5), np.tile([[0.25, 0.75]], (5, 1)))
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["id", "Prediction"], *([name, "no, never"] for name in names)]
    read = pandas.read_csv(tmp_path / "out.csv", dtype=str)
    assert read.to_numpy().tolist() == [[name, "no, never"] for name in names]
    assert list(read.columns) == ["id", "Prediction"]
    assert (tmp_path / "out.csv").read_text().endswith('\nplain,"no, never"\n')
    assert task.read_teacher("own", names).tolist() == [[0.25, 0.75]] * 5


def test_one_process_gathers_its_own_value():
    assert gather_objects({"a": 1}) == [{"a": 1}]
