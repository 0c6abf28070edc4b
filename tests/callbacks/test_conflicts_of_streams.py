"""The monitor of conflicts where tasks share batch and step: it sees each task's gradient apart."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.loggers.logger import DummyLogger

from callbacks import ConflictMonitor, StepSeed
from objectives import PcGrad
from tests.tables import pair_tasks, table_tasks, write_table
from tests.tiny import build_module, make_trainer, open_data

TASKS = {**table_tasks(), **pair_tasks(id="id")}


class Log(DummyLogger):
    """A logger that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.points: dict[int, dict[str, float]] = {}

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        self.points.setdefault(step, {}).update(metrics)


@pytest.mark.parametrize("surgery", [None, PcGrad()], ids=["sum", "surgery"])
def test_a_joint_step_is_probed_by_task(word_backbone: Path, tmp_path: Path, surgery: Any) -> None:
    for name in ("train.tsv", "dev.tsv"):
        write_table(tmp_path, name)
    torch.manual_seed(0)
    data = open_data(word_backbone, tmp_path, tmp_path / "cache", tasks=TASKS)
    module, log = build_module(word_backbone, tasks=TASKS, surgery=surgery), Log()
    monitor = ConflictMonitor(every_n_steps=2, examples=5)
    make_trainer(tmp_path, StepSeed(1), monitor, logger=log, max_steps=4).fit(module, datamodule=data)
    pairs = ["topic-stars", "topic-tags", "topic-cross", "topic-bi", "stars-tags"]
    pairs += ["stars-cross", "stars-bi", "tags-cross", "tags-bi", "cross-bi"]
    summary = monitor.summarize()
    assert list(summary) == pairs
    assert {found["probes"] for found in summary.values()} == {2}
    module.eval()
    by_task = {}
    for name, probe in monitor._probes.items():
        store = data.stores["train"][name]
        assert probe.task == name
        assert store.has_label[probe.rows.numpy()].all()
        loss = module.heads[name].loss(module(probe), probe.labels)
        weights = list(module.backbone.parameters())
        by_task[name] = torch.cat([each.flatten() for each in torch.autograd.grad(loss, weights)])
    for pair in pairs:
        one, other = (by_task[name] for name in pair.split("-"))
        cosine = torch.nn.functional.cosine_similarity(one, other, dim=0).item()
        assert log.points[4][f"conflicts/{pair}/cosine/all"] == pytest.approx(cosine, abs=1e-4)
