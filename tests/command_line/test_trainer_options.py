"""Each option of Lightning's Trainer is known here: what works passes, what does not is refused in one sentence."""

import inspect
from typing import Any

import lightning.pytorch as L
import lightning.pytorch.callbacks
import pytest
from jsonargparse import Namespace
from lightning.fabric.utilities.exceptions import MisconfigurationException

from command_line.trainer_options import OPTIONS, REFUSED_CALLBACKS, check_trainer, refusing_misconfiguration
from tasks import InputError

PARAMETERS = [name for name in inspect.signature(L.Trainer.__init__).parameters if name != "self"]
WORKING: dict[str, list[Any]] = {
    "accelerator": ["auto", "cpu"],
    "strategy": ["auto", "ddp", "ddp_find_unused_parameters_true", Namespace(class_path="mine.Strategy")],
    "devices": ["auto", 1, "2", -1, "-1", "0,1", "1,", [0]],
    "num_nodes": [1, 2],
    "fast_dev_run": [False, True, 0, 3],
    "max_epochs": [None, -1, 0, 3],
    "min_epochs": [None, 0, 3],
    "max_steps": [-1, 0, 3],
    "min_steps": [None, 3],
    "max_time": [None, "00:12:00:00", {"hours": 1}],
    "limit_train_batches": [None, 1, 1.0, 0.5, 6000],
    "limit_val_batches": [None, 0, 0.0, 1, 1.0, 0.5, 40],
    "limit_test_batches": [None, 0, 0.5, 40],
    "limit_predict_batches": [None, 0, 0.5, 40],
    "overfit_batches": [0, 0.0],
    "val_check_interval": [None, 1, 1.0, 0.5, 40, "00:00:10:00", {"minutes": 10}],
    "check_val_every_n_epoch": [None, 1, 2],
    "num_sanity_val_steps": [None, -1, 0, 2],
    "log_every_n_steps": [None, 0, 10],
    "enable_checkpointing": [None, True],
    "accumulate_grad_batches": [1, 4],
    "gradient_clip_val": [None, 0, 1, 0.5],
    "gradient_clip_algorithm": [None, "norm", "value"],
    "use_distributed_sampler": [False],
    "profiler": [None, "simple", "advanced", "pytorch", Namespace(class_path="mine.Profiler")],
    "barebones": [False],
    "reload_dataloaders_every_n_epochs": [0],
    "model_registry": [None],
}
REFUSED: dict[str, list[Any]] = {
    "accelerator": ["foo", "tpu"],
    "strategy": ["foo", "fsdp", "ddp_notebook", "ddp_find_unused_parameters_false"],
    "devices": [0, "0", -2, "foo", "0.5", ",", []],
    "num_nodes": [0],
    "fast_dev_run": [-1],
    "max_epochs": [-2],
    "min_epochs": [-1],
    "max_steps": [-5],
    "min_steps": [-1],
    "max_time": ["foo", "12:00", "00:00:01:-1"],
    "limit_train_batches": [0, 0.0, -1, 1.5, -0.5, 2.0],
    "limit_val_batches": [-1, 1.5],
    "limit_test_batches": [-1, 1.5],
    "limit_predict_batches": [-1, 1.5],
    "overfit_batches": [2, 0.5],
    "val_check_interval": [0, 0.0, -1, 1.5, "foo", "10:00"],
    "check_val_every_n_epoch": [0, -1],
    "num_sanity_val_steps": [-3],
    "log_every_n_steps": [-1],
    "enable_checkpointing": [False],
    "accumulate_grad_batches": [0, -1],
    "gradient_clip_val": [-1, -0.5],
    "gradient_clip_algorithm": ["foo", "VALUE"],  # which Lightning takes, and `clip` would not know
    "use_distributed_sampler": [True],
    "profiler": ["foo", "xla"],
    "barebones": [True],
    "reload_dataloaders_every_n_epochs": [-1],
    "model_registry": ["mine"],
}
ANY_VALUE = {
    "precision",
    "logger",
    "callbacks",
    "enable_progress_bar",
    "enable_model_summary",
    "deterministic",
    "benchmark",
    "inference_mode",
    "detect_anomaly",
    "plugins",
    "sync_batchnorm",
    "default_root_dir",
    "enable_autolog_hparams",
}
WORKING_CALLBACKS = {
    "BaseFinetuning",
    "BasePredictionWriter",
    "Callback",
    "Checkpoint",
    "DeviceStatsMonitor",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateMonitor",
    "ModelCheckpoint",
    "ModelSummary",
    "OnExceptionCheckpoint",
    "ProgressBar",
    "RichModelSummary",
    "RichProgressBar",
    "SpikeDetection",
    "TQDMProgressBar",
}
CHANGE_WEIGHTS = {  # what a training does with these is tested where weights are averaged or left out
    "BackboneFinetuning",
    "EMAWeightAveraging",
    "ModelPruning",
    "StochasticWeightAveraging",
    "WeightAveraging",
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_an_option_of_the_trainer_is_known_with_what_works_and_what_does_not(name):
    assert name in OPTIONS
    assert (name in ANY_VALUE) != (name in WORKING and name in REFUSED)
    for value in WORKING.get(name, []):
        check_trainer(Namespace({name: value}))
    for value in REFUSED.get(name, []):
        with pytest.raises(InputError, match=rf"^trainer\.{name} is .* \(expected ") as refused:
            check_trainer(Namespace({name: value}))
        assert "\n" not in str(refused.value)


def test_only_options_that_the_trainer_has_are_listed():
    assert len(PARAMETERS) == 41
    assert set(PARAMETERS) == OPTIONS.keys() == ANY_VALUE | WORKING.keys()


def test_every_callback_of_lightning_is_known():
    refused = {kind.__name__ for kind in REFUSED_CALLBACKS}
    assert set(lightning.pytorch.callbacks.__all__) == WORKING_CALLBACKS | CHANGE_WEIGHTS | refused
    assert not refused & (WORKING_CALLBACKS | CHANGE_WEIGHTS)


@pytest.mark.parametrize("kind", REFUSED_CALLBACKS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("as_list", [False, True])
def test_a_callback_that_does_not_work_is_refused_with_what_does(kind, as_list):
    callback = Namespace(class_path=f"lightning.pytorch.callbacks.{kind.__name__}")
    with pytest.raises(InputError, match=rf"^trainer\.callbacks: {kind.__name__} does not work here \(expected "):
        check_trainer(Namespace(callbacks=[callback] if as_list else callback))


def test_a_function_that_builds_a_callback_is_left_alone():
    check_trainer(Namespace(callbacks=Namespace(class_path="os.path.join")))


def test_a_progress_bar_is_refused_only_where_bars_are_off():
    bar = Namespace(class_path="lightning.pytorch.callbacks.RichProgressBar")
    check_trainer(Namespace(callbacks=bar, enable_progress_bar=None))
    with pytest.raises(InputError, match=r"has RichProgressBar, but trainer\.enable_progress_bar is false"):
        check_trainer(Namespace(callbacks=bar, enable_progress_bar=False))


def test_a_share_of_an_epoch_needs_epochs():
    with pytest.raises(InputError, match=r"val_check_interval is 0\.5, a share of an epoch, while check_val_every_n"):
        check_trainer(Namespace(val_check_interval=0.5, check_val_every_n_epoch=None))
    check_trainer(Namespace(val_check_interval=5, check_val_every_n_epoch=None))


def test_what_lightning_refuses_is_one_line():
    with pytest.raises(InputError, match=r"^trainer: It is wrong\. Hint: change it$"), refusing_misconfiguration():
        raise MisconfigurationException("It is wrong.\n  Hint: change it")
    with pytest.raises(KeyError), refusing_misconfiguration(ValueError):
        raise KeyError("our own mistake")
