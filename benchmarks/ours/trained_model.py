"""Writes a trained model in every form that the inference suite compares.

`python -m benchmarks.ours.trained_model BACKBONE < JOB`: a checkpoint of three tasks about pairs, the same weights for
transformers, and ONNX files in fp32 and int8.
"""

import sys

import lightning.pytorch as L
import torch

from benchmarks.job import Job
from datamodules import MultitaskDataModule
from inference import Predictor
from inference.onnx_format import FILE, INT8_FILE, check_packages, export_heads, group_heads
from inference.onnx_recipes import quantize_by_channel
from inference.transformers_format import build_classifier, save_tokenizer
from lightning_modules import MultitaskModule, OptimizerSettings
from runtime.messages import silence_lightning
from tasks import InputError, Quora, Source, Task

TASKS = ("quora", "second", "third")
STEPS = 12  # of four pairs: speed does not depend on what was learnt, and the weights are no longer those of a package


def write_trained_model(job: Job, backbone: str) -> None:
    """Write the checkpoint, the transformers folder and, where its packages are installed, the ONNX files.

    Args:
        job: Any job of the suite, in its prepared folder.
        backbone: Name of the backbone to train.
    """
    train(job, backbone)
    predictor = Predictor.load(job.checkpoint, device="cpu")
    build_classifier(predictor, TASKS[0]).save_pretrained(job.exported)
    save_tokenizer(predictor, job.exported)
    try:
        check_packages()
    except InputError as error:
        print(error, file=sys.stderr)
        return
    job.onnx.mkdir()
    predictor.tokenizer.save_pretrained(job.onnx)
    export_heads(predictor, group_heads(predictor, list(TASKS[:1]))["cross"], job.onnx / FILE)
    quantize_by_channel(job.onnx / FILE, job.onnx / INT8_FILE)


def train(job: Job, backbone: str) -> None:
    """Train three heads on the pairs for a moment and save the checkpoint."""
    tasks: dict[str, Task] = {name: Quora(source=Source(train=job.pairs.name, dev=job.pairs.name)) for name in TASKS}
    data = MultitaskDataModule(
        tasks,
        backbone,
        root=str(job.folder),
        batch_size=4,
        max_length=job.workload.max_length,
        cache_dir=str(job.folder / "cache"),
        seed=job.workload.seed,
    )
    torch.manual_seed(job.workload.seed)
    module = MultitaskModule(tasks, backbone, optimizer=OptimizerSettings(lr=job.workload.lr))
    trainer = L.Trainer(
        accelerator="cpu",
        devices=1,
        max_steps=STEPS,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.fit(module, datamodule=data)
    trainer.save_checkpoint(job.checkpoint, weights_only=True)


if __name__ == "__main__":
    silence_lightning()
    write_trained_model(Job.from_json(sys.stdin.readline()), sys.argv[1])
