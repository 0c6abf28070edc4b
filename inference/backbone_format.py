"""The trained backbone alone, to fine-tune further."""

from pathlib import Path

from backbones import load_tokenizer
from backbones.lora import merge_lora
from backbones.saving import save_encoder
from backbones.vocabulary import describe_tokenizer
from inference.checkpoint import build_model, build_tasks, read_checkpoint
from runtime.new_folder import new_folder
from tasks import InputError
from tasks.meaning import compare_meaning


def export_backbone(path: Path, folder: Path) -> None:
    """Write the backbone of a checkpoint and its tokenizer as a Hugging Face folder, without the heads.

    LoRA's updates are added to the matrices. `--model.backbone DIR` and `transformers.AutoModel` load the folder.

    Args:
        path: A checkpoint of `train.py fit`.
        folder: The folder to write, new or empty.

    Raises:
        InputError: If the folder holds something, the checkpoint cannot be read, the backbone's tokenizer is no longer
            that of the training, or the backbone has PALs, which are no part of a Hugging Face encoder.
    """
    with new_folder(folder) as partial:
        checkpoint = read_checkpoint(path)
        backbone = build_model(checkpoint, build_tasks(checkpoint)).backbone
        if backbone.task_layers is not None:
            raise InputError(f"{path}: its backbone has PALs, which a Hugging Face encoder cannot hold")
        tokenizer = load_tokenizer(checkpoint.backbone)
        compare_meaning(
            checkpoint.meaning, {"tokenizer": describe_tokenizer(tokenizer), "backbone": backbone.meaning()}
        )
        merge_lora(backbone.bert)
        save_encoder(backbone.bert, partial)
        tokenizer.save_pretrained(partial)
