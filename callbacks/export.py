"""The result of further pre-training as a Hugging Face folder."""

import shlex
from pathlib import Path
from typing import Any

import lightning.pytorch as L
from transformers import BertForMaskedLM

from backbones.masked_lm_head import FamilyMaskedLMHead, join_masked_lm, tie_decoder
from callbacks.run_folder import run_folder
from datamodules import resumable_data
from lightning_modules import MaskedLMModule
from runtime.terminal import plain_console
from runtime.whole_files import check_place, is_filled, replacing_folder
from tasks import InputError


class ExportBackbone(L.Callback):
    """Writes the backbone, its pooler, the masked-LM head and the tokenizer at the end of fit.

    `--model.backbone DIR`, `transformers.AutoModel` and `AutoModelForMaskedLM` load the folder.

    Args:
        folder: The folder to write, new or empty; None for `backbone` in the run's folder.

    Raises:
        InputError: If the folder holds something.
    """

    def __init__(self, folder: str | None = None) -> None:
        self.folder = None if folder is None else Path(folder).expanduser().resolve()
        if self.folder is not None:
            _refuse_filled(self.folder)

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Refuse before the training what would fail after it."""
        folder = self._target(trainer)
        if folder is not None and trainer.is_global_zero:
            _refuse_filled(folder)
            check_place(folder)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the folder."""
        folder = self._target(trainer)
        if folder is None or not trainer.is_global_zero:
            return
        assert isinstance(pl_module, MaskedLMModule)
        export_masked_lm(pl_module, resumable_data(trainer).tokenizer, folder)
        flag = shlex.join(["--model.backbone", str(folder)])
        plain_console().print(f"backbone:   {folder} (fine-tune with {flag})", soft_wrap=True)

    def _target(self, trainer: L.Trainer) -> Path | None:
        run = run_folder(trainer)
        return None if run is None else self.folder or run / "backbone"


def _refuse_filled(folder: Path) -> None:
    if is_filled(folder):
        raise InputError(f"--export_dir {folder}: holds something already (expected a new or empty folder)")


def export_masked_lm(module: MaskedLMModule, tokenizer: Any, folder: Path) -> None:
    """Write a Hugging Face folder; it appears only when whole.

    Args:
        module: The trained module.
        tokenizer: Its tokenizer.
        folder: The folder to write, new or empty.
    """
    with replacing_folder(folder) as partial:
        _join(module.backbone.bert, module.head).save_pretrained(partial)
        tokenizer.backend_tokenizer.no_truncation()  # left behind by the latest call, no part of the tokenizer
        tokenizer.backend_tokenizer.no_padding()
        tokenizer.save_pretrained(partial)


def _join(encoder: Any, head: Any) -> Any:
    """Return transformers' masked-LM model of an encoder and its head, with a tied decoder."""
    if isinstance(head, FamilyMaskedLMHead):
        return join_masked_lm(encoder, head)
    model: Any = BertForMaskedLM(tie_decoder(encoder.config))
    model.bert = encoder
    model.cls.predictions.transform = head.transform
    model.cls.predictions.bias = head.bias
    model.tie_weights()
    return model
