"""A trained backbone as a Hugging Face folder: `python -m lightning_modules.export CHECKPOINT DIR`."""

import argparse
import sys
from pathlib import Path

from backbones import load_tokenizer
from backbones.lora import merge_lora
from lightning_modules.multitask import MultitaskModule
from runtime.whole_files import is_filled, replacing_folder
from tasks import InputError


def export_backbone(checkpoint: Path, folder: Path) -> None:
    """Write the backbone of a multitask checkpoint and its tokenizer; the folder appears only when whole.

    LoRA's updates are added to the matrices. `--model.backbone DIR` and `transformers.AutoModel` load the folder.

    Args:
        checkpoint: A checkpoint of `train.py fit`.
        folder: The folder to write, new or empty.

    Raises:
        InputError: If the folder holds something, or the backbone has PALs, which are no part of a BERT.
    """
    if is_filled(folder):
        raise InputError(f"{folder}: holds something already (expected a new or empty folder)")
    if not checkpoint.is_file():
        raise InputError(f"{checkpoint}: no such file (expected a checkpoint of train.py fit)")
    module = MultitaskModule.load_from_checkpoint(checkpoint, map_location="cpu")
    if module.backbone.task_layers is not None:
        raise InputError(f"{checkpoint}: its backbone has PALs, which a Hugging Face BERT cannot hold")
    merge_lora(module.backbone.bert)
    with replacing_folder(folder) as partial:
        module.backbone.bert.save_pretrained(partial)
        load_tokenizer(str(module.hparams["backbone"])).save_pretrained(partial)


def main() -> None:
    """Read the command line; what the user got wrong ends it with one sentence and exit status 2."""
    parser = argparse.ArgumentParser(description="Write the backbone of a checkpoint as a Hugging Face folder.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    try:
        export_backbone(arguments.checkpoint, arguments.folder)
    except (InputError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(f"backbone: {arguments.folder} (fine-tune with --model.backbone {arguments.folder})")


if __name__ == "__main__":
    main()
