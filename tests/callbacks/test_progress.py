import io
from typing import Any

import lightning.pytorch as L
import pytest
from rich.console import Console

from callbacks import TaskLosses, TaskProgressBar
from tests.tiny import build_module, make_trainer, open_data


def test_the_bar_shows_each_tasks_latest_loss_and_the_dev_mean(tiny_backbone, cs224n_root, tmp_path, capsys):
    losses, bar = TaskLosses(), TaskProgressBar()
    module = build_module(tiny_backbone)
    trainer = make_trainer(tmp_path, losses, bar, enable_progress_bar=True, log_every_n_steps=1)
    trainer.fit(module, datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
    shown = bar.get_metrics(trainer, module)
    assert set(shown) == {"loss sst", "loss quora", "loss sts", "val/mean"}
    assert {task: shown[f"loss {task}"] for task in losses.latest} == losses.latest
    assert shown["val/mean"] == pytest.approx(float(trainer.callback_metrics["val/mean"]))
    assert "9/9" in capsys.readouterr().out


def test_the_bar_works_without_losses(tiny_backbone, cs224n_root, tmp_path):
    bar = TaskProgressBar()
    module = build_module(tiny_backbone)
    trainer = make_trainer(tmp_path, bar, enable_progress_bar=True, max_steps=1)
    trainer.fit(module, datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
    assert not any(name.startswith("loss") for name in bar.get_metrics(trainer, module))


class Looker(L.Callback):
    """Keeps the lines of the training bar after each step, at a width in characters."""

    def __init__(self, bar: TaskProgressBar, width: int) -> None:
        self.bar, self.width, self.seen = bar, width, list[list[str]]()

    def on_train_batch_end(self, *_: Any) -> None:
        console = Console(width=self.width, file=io.StringIO(), record=True)
        assert self.bar.progress is not None
        console.print(self.bar.progress.make_tasks_table(self.bar.progress.tasks[:1]))
        self.seen.append(console.export_text().splitlines())


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_bar_is_one_line_in_a_narrow_terminal(tiny_backbone, cs224n_root, tmp_path, width):
    losses, bar = TaskLosses(), TaskProgressBar()
    looker = Looker(bar, width)
    settings = {"enable_progress_bar": True, "log_every_n_steps": 1, "max_epochs": 2}
    trainer = make_trainer(tmp_path, losses, bar, looker, **settings)
    trainer.fit(build_module(tiny_backbone), datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
    assert [len(lines) for lines in looker.seen] == [1] * 18
    assert looker.seen[-1][0].startswith("Epoch 2/2  9/9 0:00:0")
    assert "val/mean: " in looker.seen[-1][0]
