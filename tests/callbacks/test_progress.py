import pytest

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
