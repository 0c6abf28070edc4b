"""A checkpoint of `train.py fit`, read without a Trainer, a configuration or data files."""

import re
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from jsonargparse import ArgumentParser
from torch import Tensor

from backbones import Adapter, Backbone, build_encoder, load_encoder
from backbones.digest import digest_tensors
from backbones.parity_probe import check_parity
from heads import Trunk, TrunkSettings
from inference.model import TrainedModel
from runtime.errors import reason_of
from runtime.run_folders import find_trained
from tasks import InputError, Task
from tasks.encoding import refuse_both
from transformers_internals import no_init_weights


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds, as plain data.

    Args:
        path: The file.
        weights: The module's weights by name.
        settings: The module's hyperparameters.
        max_length: Tokens a sequence at most.
        special_tokens_as_text: Whether `[SEP]` and the like in a text were read as text.
        frozen_sha256: Digest of the frozen weights that were left out; None where all weights are there.
        meaning: What the numbers depend on beside the weights (see `tasks.meaning`); empty in earlier checkpoints.
    """

    path: Path
    weights: Mapping[str, Tensor]
    settings: Mapping[str, Any]
    max_length: int
    special_tokens_as_text: bool
    frozen_sha256: str | None
    meaning: Mapping[str, Any]

    @property
    def backbone(self) -> str:
        """Name of the backbone that training started from, whose tokenizer belongs to the model."""
        return str(self.settings["backbone"])

    @property
    def run(self) -> Path | None:
        """Folder of the run that wrote it; None where the file lies elsewhere."""
        folder = self.path.absolute().parent.parent
        return folder if (folder / "config.yaml").is_file() else None


def find_checkpoint(path: Path) -> Path:
    """Return a checkpoint file: the path itself, or of a run its best one by the mean, else its last one.

    Args:
        path: A checkpoint of `train.py fit`, or the folder of a run.

    Raises:
        InputError: If there is none.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError(f"{path}: no such file or folder (expected a run or a checkpoint of train.py fit)")
    found = find_trained(path)
    if found is None:
        raise InputError(f"{path}: holds no checkpoint (expected checkpoints/best….ckpt or last.ckpt of a run)")
    return found


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint as plain data: code inside it never runs.

    Args:
        path: A checkpoint of `train.py fit`.

    Raises:
        InputError: If it cannot be read, or is none of a multitask training.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (OSError, EOFError, RuntimeError, UnpicklingError) as error:
        reason = reason_of(error)
        raise InputError(f"{path}: no readable checkpoint, cut off or not plain data ({reason})") from error
    settings = found.get("hyper_parameters", {}) if isinstance(found, dict) else {}
    if not {"tasks", "backbone", "pooling"} <= settings.keys():
        raise InputError(f"{path}: not a checkpoint of a multitask training (expected a file that train.py fit wrote)")
    data = found.get("MultitaskDataModule", {})
    identity = data.get("identity", {})
    if "max_length" not in identity:
        raise InputError(f"{path}: does not say how long its sequences were (expected a file that train.py fit wrote)")
    return Checkpoint(
        path=path,
        weights=found["state_dict"],
        settings=settings,
        max_length=int(identity["max_length"]),
        special_tokens_as_text=bool(identity.get("special_tokens_as_text", False)),
        frozen_sha256=found.get("frozen_sha256"),
        meaning={**data.get("meaning", {}), **found.get("meaning", {})},
    )


def build_tasks(checkpoint: Checkpoint) -> dict[str, Task]:
    """Build the tasks that a checkpoint was trained on, by name.

    Raises:
        InputError: If a class of theirs cannot be had here, or one was encoded both ways.
    """
    refuse_both(checkpoint.settings["tasks"], checkpoint.path)
    tasks: dict[str, Task] = _instantiate(checkpoint, dict[str, Task], "tasks")
    return tasks


def build_model(checkpoint: Checkpoint, tasks: Mapping[str, Task]) -> TrainedModel:
    """Build the backbone and the heads of a checkpoint with their trained weights, in evaluation mode.

    Args:
        checkpoint: The checkpoint.
        tasks: Its tasks.

    Raises:
        InputError: If its weights are not all there, or a class cannot be had here.
        ValueError: If the backbone's own files are needed and cannot be loaded.
    """
    adapter: Adapter | None = _instantiate(checkpoint, Adapter | None, "adapter")
    trunk: TrunkSettings | None = _instantiate(checkpoint, TrunkSettings | None, "trunk")
    pooling, config = checkpoint.settings["pooling"], checkpoint.settings.get("backbone_config")
    frozen = bool(checkpoint.settings.get("freeze_backbone"))
    with nullcontext() if config is None else no_init_weights():  # every weight is loaded, or loading fails
        has_pooler = pooling == "pooler"
        model = load_encoder(checkpoint.backbone) if config is None else build_encoder(config, with_pooler=has_pooler)
        if not has_pooler and getattr(model, "pooler", None) is not None:
            model.pooler = None  # type: ignore[assignment]
        backbone = Backbone(model, pooling=pooling, frozen=frozen, adapter=adapter, tasks=list(tasks))
        size = backbone.hidden_size
        heads = {name: task.build_head(size + (0 if trunk is None else trunk.size)) for name, task in tasks.items()}
        trained = TrainedModel(backbone, heads, None if trunk is None else Trunk(size, trunk))
    _load_weights(trained, checkpoint)
    if config is not None:  # else its files were checked where they were loaded
        check_parity(backbone.bert)
    return trained.eval()


def _load_weights(model: TrainedModel, checkpoint: Checkpoint) -> None:
    """Load what the model has of the checkpoint's weights; losses' learnt weights are no part of it."""
    parts = {name for name, _ in model.named_children()}
    weights = {name: weight for name, weight in checkpoint.weights.items() if name.split(".")[0] in parts}
    if checkpoint.frozen_sha256 is not None:
        frozen = {name: weight.detach() for name, weight in model.named_parameters() if not weight.requires_grad}
        if digest_tensors(frozen) != checkpoint.frozen_sha256:
            raise InputError(
                f"{checkpoint.path}: holds the trained part only, and the weights of {checkpoint.backbone} are not "
                "those that it was trained on (their SHA-256 is another; expected the same backbone)"
            )
        weights = {**frozen, **weights}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(f"{checkpoint.path}: its weights do not fit its settings ({error})") from None


def _instantiate(checkpoint: Checkpoint, kind: Any, name: str) -> Any:
    """Turn a hyperparameter, plain data as YAML has it, into the object it stands for."""
    value = checkpoint.settings.get(name)
    if value is None:
        return None
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument(f"--{name}", type=kind)
    try:
        return parser.instantiate(parser.parse_object({name: value}))[name]
    except Exception as error:  # jsonargparse's own, or what a class raises
        reason = " ".join(str(error).split())
        if missing := re.search(r"No module named '([\w.]+)'", reason):
            raise InputError(
                f"{checkpoint.path}: its {name} need the module {missing[1]}, which is not found (expected the folder "
                "that holds it in the environment variable PYTHONPATH, or an installed package)"
            ) from error
        raise InputError(f"{checkpoint.path}: its {name} cannot be built here ({reason})") from error
