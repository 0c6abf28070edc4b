"""The report of an evaluation that saw no label of a task, or a score that is no finite number."""

import json
import math
from pathlib import Path

import torch
from lightning.pytorch.loggers import TensorBoardLogger

from callbacks import PredictionWriter, RunReport, ValidationFigures
from callbacks.report_scores import collect_metrics
from tests.tables import TOPICS, table_tasks, write_table
from tests.tiny import build_module, make_trainer, open_data


def test_a_task_of_which_no_label_was_evaluated_is_left_out(tiny_backbone: Path, tmp_path: Path) -> None:
    write_table(tmp_path)
    lines = (tmp_path / "train.tsv").read_text().splitlines()
    cells = [line.split("\t") for line in lines]
    for row in cells[2:]:  # one example keeps its topic
        row[cells[0].index("topic")] = ""
    (tmp_path / "dev.tsv").write_text("\n".join("\t".join(row) for row in cells) + "\n")
    tasks = {name: task for name, task in table_tasks().items() if name in ("topic", "stars")}
    data = open_data(tiny_backbone, tmp_path, tmp_path / "cache", tasks=tasks, tokens_per_batch=1)
    trainer = make_trainer(
        tmp_path,
        PredictionWriter(),
        ValidationFigures(),
        RunReport(),
        limit_val_batches=2,
        logger=TensorBoardLogger(tmp_path, name="", version=""),
    )
    trainer.fit(build_module(tiny_backbone, tasks=tasks), datamodule=data)
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(TOPICS) == 11
    assert report["evaluated"] == {"topic": [2, 11], "stars": [2, 11]}
    assert set(report["metrics"]) == {"stars", "mean"}
    assert set(report["baseline"]) == {"stars"}
    assert report["classes"] == {}


def test_what_is_no_finite_number_is_none_since_json_has_no_other() -> None:
    logged = {"val/mlm/loss": torch.tensor(200.0), "val/mlm/perplexity": torch.tensor(math.inf)}
    assert collect_metrics(logged, "val") == {"mlm": {"loss": 200.0, "perplexity": None}}
