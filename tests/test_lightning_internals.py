"""Every answer against the pinned Lightning, so that an upgrade that changes one of them is seen here."""

import importlib.metadata
import os
import signal
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from lightning.pytorch.callbacks import RichProgressBar, WeightAveraging
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.demos.boring_classes import BoringDataModule, BoringModel
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

import lightning_internals
from cli import MultitaskCLI
from datamodules import MultitaskDataModule
from lightning_modules import MultitaskModule
from tests.tiny import build_module, make_trainer, open_data


@pytest.fixture
def data(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> MultitaskDataModule:
    return open_data(tiny_backbone, cs224n_root, tmp_path / "cache")


class Asking(L.Callback):
    """Asks at the end of each batch, and notes where a validation began."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.validated_after: list[int] = []

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        if trainer.fit_loop.epoch_loop.global_step == trainer.max_steps:
            trainer.should_stop = True
        self.answers.append(
            {
                "step": trainer.global_step,
                "window_ends": lightning_internals.window_ends(trainer),
                "lightning's": not trainer.fit_loop.epoch_loop._should_accumulate(),
                "validation_follows": lightning_internals.validation_follows(trainer),
                "stops_here": lightning_internals.stops_here(trainer),
            }
        )

    def on_validation_start(self, *_: Any) -> None:
        self.validated_after.append(len(self.answers))


def test_the_version_is_the_pinned_one():
    pins = (Path(lightning_internals.__file__).parent / "requirements.txt").read_text(encoding="utf-8")
    assert f"lightning=={importlib.metadata.version('lightning')}" in pins


@pytest.mark.parametrize("settings", [{}, {"accumulate_grad_batches": 4}, {"val_check_interval": 3}], ids=str)
def test_windows_and_validations_are_foreseen(settings, tiny_backbone, data, tmp_path):
    asking = Asking()
    make_trainer(tmp_path, asking, max_epochs=2, **settings).fit(build_module(tiny_backbone), datamodule=data)
    steps = [answer["step"] for answer in asking.answers]
    stepped = [now > before for before, now in zip([0, *steps], steps, strict=False)]
    assert [answer["window_ends"] for answer in asking.answers] == stepped
    assert stepped == [answer["lightning's"] for answer in asking.answers]
    followed = [number for number, answer in enumerate(asking.answers, start=1) if answer["validation_follows"]]
    assert followed == asking.validated_after
    assert len(followed) >= 2


def test_a_stop_is_foreseen_unless_more_steps_are_asked_for(tiny_backbone, data, tmp_path):
    asking = Asking()
    make_trainer(tmp_path, asking, max_steps=4).fit(build_module(tiny_backbone), datamodule=data)
    assert [answer["stops_here"] for answer in asking.answers] == [False, False, False, True]
    waiting = make_trainer(tmp_path, max_epochs=1, min_steps=5)
    waiting.should_stop = True
    assert not lightning_internals.stops_here(waiting)


def test_a_validation_after_training_is_logged_on_the_step_of_the_last_batch(tiny_backbone, data, tmp_path):
    logged: list[tuple[int, int]] = []

    class Late(L.Callback):
        def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
            lightning_internals.validate_after_training(trainer)
            assert trainer.training

        def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
            logged.append((trainer.global_step, lightning_internals.logged_step(trainer)))

    module = build_module(tiny_backbone)
    make_trainer(tmp_path, Late(), max_steps=4, check_val_every_n_epoch=None, val_check_interval=2).fit(
        module, datamodule=data
    )
    assert logged == [(2, 1), (4, 3), (4, 3)]


def test_a_sigterm_from_before_the_training_is_taken_once(tiny_backbone, data, tmp_path):
    taken: list[bool] = []

    class Early(L.Callback):
        def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            taken.extend(lightning_internals.take_sigterm(trainer) for _ in range(2))

    trainer = make_trainer(tmp_path, Early(), max_steps=2)
    trainer.fit(build_module(tiny_backbone), datamodule=data)
    assert taken == [True, False]
    assert trainer.global_step == 2


def test_a_loaded_position_is_moved_before_the_loops_take_it(tiny_backbone, data, tmp_path):
    path = tmp_path / "begun.ckpt"

    class Saving(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
            if trainer.global_step == 4:
                trainer.save_checkpoint(path)

    class Moving(L.Callback):
        def __init__(self, batches: int) -> None:
            self.batches = batches

        def on_load_checkpoint(self, trainer: L.Trainer, *_: Any) -> None:
            lightning_internals.move_loaded_position(trainer, self.batches)

        def on_train_start(self, trainer: L.Trainer, *_: Any) -> None:
            begun.append(trainer.fit_loop.epoch_loop.batch_progress.current.completed)

    begun: list[int] = []
    make_trainer(tmp_path, Saving(), max_steps=5).fit(build_module(tiny_backbone), datamodule=data)
    for batches in (-3, 0):
        trainer = make_trainer(tmp_path, Moving(batches), max_steps=5)
        trainer.fit(build_module(tiny_backbone), datamodule=data, ckpt_path=path, weights_only=True)
    moved, unmoved = begun
    assert unmoved - moved == 3


def test_a_module_knows_its_trainer_once_it_has_one(tiny_backbone, tmp_path):
    module, trainer = build_module(tiny_backbone), make_trainer(tmp_path)
    with pytest.raises(RuntimeError, match="not attached"):
        _ = module.trainer
    assert lightning_internals.attached_trainer(module) is None
    module.trainer = trainer
    assert lightning_internals.attached_trainer(module) is trainer


def test_the_averaged_model_is_there_in_fit(tiny_backbone, tmp_path):
    module, averaging = build_module(tiny_backbone), WeightAveraging()
    assert lightning_internals.averaged_model(averaging) is None
    averaging.setup(make_trainer(tmp_path), module, "fit")
    model = lightning_internals.averaged_model(averaging)
    assert model is not None
    torch.testing.assert_close(model.module.state_dict(), module.state_dict())


def test_the_numbers_of_a_bar_are_cut_off(tiny_backbone, data, tmp_path):
    class Bar(RichProgressBar):
        def configure_columns(self, trainer: L.Trainer) -> list[Any]:
            lightning_internals.keep_numbers_on_one_line(self)
            return super().configure_columns(trainer)

    bar = Bar()
    overflows: list[str] = []

    class Looking(L.Callback):
        def on_train_batch_end(self, *_: Any) -> None:
            assert bar.progress is not None
            overflows.append(bar.progress.columns[-1].get_table_column().overflow)

    trainer = make_trainer(tmp_path, bar, Looking(), max_steps=2, enable_progress_bar=True)
    trainer.fit(build_module(tiny_backbone), datamodule=data)
    assert overflows == ["ignore", "ignore"]


def test_lightning_loads_a_module_by_the_name_of_what_built_it(tiny_backbone):
    assert build_module(tiny_backbone).hparams[lightning_internals.INSTANTIATOR] == (
        "lightning.pytorch.cli.instantiate_module"
    )


def test_a_module_takes_the_hyperparameters_that_a_command_line_would_give_it(tiny_backbone):
    with lightning_internals.built_by_cli({"surgery": {"class_path": "mine.Method"}}):
        module = build_module(tiny_backbone)
    assert module.hparams["surgery"] == {"class_path": "mine.Method"}
    assert "backbone" not in module.hparams
    assert "backbone" in build_module(tiny_backbone).hparams


@pytest.mark.parametrize("kind", [TensorBoardLogger, CSVLogger])
def test_a_logger_writes_to_the_version_that_is_set(kind: type[TensorBoardLogger | CSVLogger], tmp_path):
    logger = kind(tmp_path, name="mine")
    lightning_internals.set_version(logger, "predict_3")
    logger.log_metrics({"score": 1.0}, step=1)
    logger.save()
    assert logger.log_dir == str(tmp_path / "mine" / "predict_3")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["predict_3"]


class Watched(lightning_internals.OpenCLI):
    """Notes what its hooks are asked."""

    def __init__(self, *arguments: str) -> None:
        self.own: dict[str, list[str]] = {}
        self.order: list[str] = []
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        defaults = {**quiet, "accelerator": "cpu", "fast_dev_run": True}
        super().__init__(BoringModel, BoringDataModule, args=list(arguments), trainer_defaults=defaults)

    def add_command_arguments(self, parser: LightningArgumentParser, command: str, *, own: Collection[str]) -> None:
        parser.add_argument("--mine", default=f"of {command}")
        self.own[command] = sorted(own)

    @contextmanager
    def running(self, command: str) -> Iterator[None]:
        self.order += ["begin", command]
        yield
        self.order.append("end")

    def before_fit(self) -> None:
        self.order.append("before")

    def after_fit(self) -> None:
        self.order.append("after")


def test_a_command_has_its_own_options_and_runs_inside_its_hook():
    command = Watched("fit", "--mine", "given")
    assert command.order == ["begin", "fit", "before", "after", "end"]
    assert command.own.keys() == {"fit", "validate", "test", "predict"}
    assert "ckpt_path" in command.own["fit"]
    assert {"ckpt_path", "verbose"} <= set(command.own["validate"])
    assert command.built["mine"] == "given"
    assert type(command.built["model"]) is BoringModel
    assert "validate" not in command.config


def test_hyperparameters_of_a_checkpoint_do_not_change_the_settings(tmp_path):
    path = tmp_path / "other.ckpt"
    module = BoringModel()
    trainer = make_trainer(tmp_path)
    trainer.strategy.connect(module)
    trainer.save_checkpoint(path, weights_only=True)
    saved = torch.load(path, weights_only=True)
    torch.save({**saved, "hyper_parameters": {"no_such_setting": 1}}, path)
    command = Watched("validate", "--ckpt_path", str(path))  # which Lightning's own would refuse
    assert command.order == ["begin", "validate", "end"]


def test_the_settings_of_a_checkpoint_are_noted_as_lightning_notes_them(monkeypatch):
    class Noting(MultitaskCLI):
        def instantiate_classes(self) -> None:
            self._dump_config()
            noted.append(self.config_dump)
            del self.config_dump
            LightningCLI._dump_config(self)
            noted.append(self.config_dump)
            raise InterruptedError

    noted: list[dict[str, Any]] = []
    config = Path(lightning_internals.__file__).parent / "configs" / "cs224n.yaml"
    flags = ["--model.adapter", "Lora", "--model.optimizer.lr", "1e-5", "--fp32_matmul", "default"]
    monkeypatch.setattr(sys, "argv", ["train.py", "fit", "-c", str(config), *flags])
    with pytest.raises(InterruptedError):
        Noting(MultitaskModule, MultitaskDataModule)
    ours, lightnings = noted
    assert ours == lightnings
    assert {"tasks", "model", "data", "trainer"} <= ours.keys()
    assert ours["model"]["optimizer"]["lr"] == 1e-5
    assert set(ours["model"]["tasks"]) == {"sst", "quora", "sts"}
