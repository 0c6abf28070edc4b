"""Callbacks that change the weights: the scores of a run are those of the weights that it ends with."""

import sys

import lightning.pytorch as L
import pytest
import torch

from backbones.digest import digest_weights
from cli import PretrainCLI, run
from datamodules import MaskedLMDataModule
from lightning_modules import MaskedLMModule, MultitaskModule
from tests.cli.command_line import ROOT, read_report

LIGHTNING = "lightning.pytorch.callbacks"


class Halve(L.Callback):
    """Halves all weights at the end of training, and saves them."""

    @torch.no_grad()
    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        for weight in pl_module.parameters():
            weight.mul_(0.5)
        trainer.save_checkpoint("halved.ckpt", weights_only=True)


def test_weights_that_a_callback_changed_at_the_end_are_those_that_are_scored(train, caplog):
    folder = train("fit", "--trainer.callbacks+", f"{__name__}.Halve")
    assert "a callback changed the weights after the last validation" in caplog.text
    report = read_report(folder)
    halved = train.folder / "halved.ckpt"
    assert report["weights_sha256"] == digest_weights(MultitaskModule.load_from_checkpoint(halved))
    assert report["metrics"] == read_report(train("validate", "--ckpt_path", halved))["metrics"]
    assert (
        report["metrics"] != read_report(train("validate", "--ckpt_path", folder / "checkpoints/last.ckpt"))["metrics"]
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            [f"{LIGHTNING}.StochasticWeightAveraging", "--trainer.callbacks.swa_lrs", "0.01"],
            "StochasticWeightAveraging changes the weights after their validation, the scores would be those of others"
            "; use --averaging Swa",
        ),
        ([f"{LIGHTNING}.EMAWeightAveraging"], "EMAWeightAveraging changes the weights after their validation, "),
        ([f"{LIGHTNING}.WeightAveraging"], "of others; use --averaging Ema or Swa"),
        (
            [f"{LIGHTNING}.ModelPruning", "--trainer.callbacks.pruning_fn", "l1_unstructured"],
            "ModelPruning changes the",
        ),
        (["callbacks.Ema", "--averaging", "Swa"], "Ema and Swa both average the weights"),
    ],
)
def test_callbacks_that_leave_other_weights_than_were_validated_are_refused(flags, message, train, capsys):
    train.refuse("fit", "--trainer.callbacks+", *flags)
    assert message in capsys.readouterr().err
    assert not (train.folder / "runs").exists()


def test_pretraining_refuses_them_without_naming_an_option_that_it_has_not(
    tiny_backbone, root, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    flags = ["--model.backbone", str(tiny_backbone), "--data.root", str(root), "--data.cache_dir", str(tmp_path)]
    callback = ["--trainer.callbacks+", f"{LIGHTNING}.StochasticWeightAveraging", "--trainer.callbacks.swa_lrs", "0.01"]
    config = str(ROOT / "configs" / "pretrain.yaml")
    monkeypatch.setattr(sys, "argv", ["pretrain.py", "fit", "-c", config, *flags, *callback])
    with pytest.raises(SystemExit) as ended:
        run(PretrainCLI, MaskedLMModule, MaskedLMDataModule)
    assert ended.value.code == 2
    assert capsys.readouterr().err.strip().endswith("the scores would be those of others")
