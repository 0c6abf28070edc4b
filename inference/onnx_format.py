"""ONNX files, one for all heads of an encoding, with pooling and heads inside."""

import json
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.onnx import OnnxExporterError
from transformers import PreTrainedModel

from backbones import Pooling
from backbones.families import apply_pooler, pooler_reads
from backbones.inputs import InputForm
from backbones.lora import merge_lora
from heads import Head, LabelSets, LabelSpace, Trunk
from inference.card import describe_thresholds
from inference.onnx_recipes import RECIPES
from inference.parity import DevSplit, Parity, compare, score_range
from inference.predictor import Predictor
from inference.written import Written
from runtime.errors import reason_of
from tasks import InputError

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
FILE, INT8_FILE = "model.onnx", "model-int8.onnx"
OPSET = 20
USAGE = Path(__file__).with_name("onnx_usage.py")


class PaddedHeads(nn.Module):
    """The answers of some heads on padded sequences: what an ONNX file computes.

    Args:
        bert: The backbone's model.
        pooling: How a sequence becomes one vector.
        trunk: What heads read beside the pooled vector; None for nothing.
        heads: The heads by task, all of which read as many vectors.
    """

    def __init__(self, bert: PreTrainedModel, pooling: Pooling, trunk: Trunk | None, heads: Mapping[str, Head]) -> None:
        super().__init__()
        self.bert = bert
        self._form = InputForm.of(bert)
        self.pooling = pooling
        self.trunk = trunk
        self.heads = nn.ModuleDict(heads)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, ...]:
        """Return probabilities (B, C) or scores (B,) of each head.

        Args:
            input_ids: Token ids, (S * B, L): for S = 2 all first sides, then all second ones.
            attention_mask: 1 for a token, 0 for padding, (S * B, L).
            token_type_ids: Segments, (S * B, L).
        """
        heads: list[Any] = list(self.heads.values())
        flat = self._pool(input_ids, attention_mask, token_type_ids)
        count = heads[0].num_sequences
        size = flat.shape[0] // count
        pooled = torch.stack([flat[side * size : (side + 1) * size] for side in range(count)], dim=1)  # (B, S, H)
        read = pooled if self.trunk is None else self.trunk(pooled)
        return tuple(head.answer(head(read)) for head in heads)

    def _pool(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        segments = self._form.segment_ids(token_type_ids)
        hidden: Tensor = self.bert(input_ids=input_ids, attention_mask=attention_mask, **segments)[0]
        vectors = hidden[:, 0]
        if self.pooling == "mean" or (self.pooling == "pooler" and pooler_reads(self.bert.config) == "mean"):
            weights = attention_mask[..., None].to(hidden.dtype)
            vectors = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
        return apply_pooler(self.bert, vectors) if self.pooling == "pooler" else vectors


def why_not(predictor: Predictor, name: str) -> str | None:
    """Say why an ONNX file cannot hold a task; None if it can."""
    if predictor.model.backbone.task_layers is not None:
        return "its backbone has PALs, layers of each task (no format but the checkpoint holds them)"
    if predictor.tasks[name].average_orders:
        return "it averages both orders of a pair, which takes two passes (Predictor does it)"
    return None


def group_heads(predictor: Predictor, names: Sequence[str]) -> dict[str, dict[str, Head]]:
    """Return the heads by task, for each encoding that needs a file: single, cross or bi."""
    groups: dict[str, dict[str, Head]] = {}
    for name in names:
        groups.setdefault(predictor.tasks[name].encoding, {})[name] = predictor.model.head(name)
    return groups


def write_onnx(
    predictor: Predictor,
    heads: Mapping[str, Head],
    splits: Mapping[str, DevSplit],
    references: Mapping[str, Tensor],
    folder: Path,
    *,
    encoding: str,
    max_loss: float | None,
) -> Written:
    """Write the file of an encoding, its tokenizer and labels, and compare its answers with the checkpoint's.

    Args:
        predictor: The trained model.
        heads: The heads of the encoding by task.
        splits: The dev split of each task.
        references: The checkpoint's answers by task.
        folder: The folder to make.
        encoding: single, cross or bi.
        max_loss: Write an int8 file beside it, whose metrics may be so much smaller; None for none.

    Raises:
        InputError: If the packages of requirements-export.txt are missing, or the int8 file loses more.
    """
    check_packages()
    folder.mkdir(parents=True)
    export_heads(predictor, heads, folder / FILE)
    _write_labels(predictor, list(heads), folder, encoding)

    def compare_file(file: str) -> list[Parity]:
        answers = {name: answer_texts(folder, splits[name].texts, file=file)[name] for name in heads}
        return [
            compare(f"{name}, {file}", predictor.tasks[name], splits[name], references[name], found)
            for name, found in answers.items()
        ]

    parities = [parity.check() for parity in compare_file(FILE)]
    notes = [f"{name}: {note}" for name in heads for note in describe_thresholds(predictor.tasks[name])]
    if max_loss is not None:
        found, recipe = write_int8(folder, compare_file, max_loss)
        parities.extend(found)
        notes.append(f'`predict(…, file="{INT8_FILE}")` is faster, with numbers that differ: int8 with {recipe}.')
    return Written(
        folder=folder,
        library="onnx",
        tasks=tuple(heads),
        packages=("numpy", "onnxruntime", "tokenizers"),
        usage=_usage(encoding),
        parities=tuple(parities),
        notes=tuple(notes),
    )


def write_int8(folder: Path, compare_file: Callable[[str], list[Parity]], max_loss: float) -> tuple[list[Parity], str]:
    """Write the int8 file by the first recipe that loses no more than is allowed.

    Args:
        folder: The exported folder, with the fp32 file.
        compare_file: Compares the answers of a file in it with the checkpoint's.
        max_loss: What each task's metric may lose.

    Returns:
        The comparisons of the file, and the recipe in words.

    Raises:
        InputError: If every recipe loses more.
    """
    for recipe, quantize in RECIPES.items():
        quantize(folder / FILE, folder / INT8_FILE)
        found = compare_file(INT8_FILE)
        losing = [parity for parity in found if parity.loss > max_loss]
        if not losing:
            return found, recipe
        print(f"int8 with {recipe} loses more than {max_loss:g}: {losing[0].describe()}")
    raise InputError(
        f"{losing[0].describe()} (expected a loss of {max_loss:g} at most, see --max_loss; nothing was written)"
    )


def check_packages() -> None:
    """Raise an InputError if the packages for ONNX are not installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise InputError(f"--format onnx: {error} (pip install -r requirements-export.txt)") from None


def export_heads(predictor: Predictor, heads: Mapping[str, Head], file: Path) -> None:
    """Write an ONNX file whose batch size and length are free."""
    bert = deepcopy(predictor.model.backbone.bert).cpu()
    merge_lora(bert)
    model = PaddedHeads(bert, predictor.model.backbone.pooling, predictor.model.trunk, heads).eval().cpu()
    mask = torch.ones(4, 7, dtype=torch.long)
    mask[1, 5:] = 0
    free = torch.export.Dim.DYNAMIC
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"), torch.no_grad():
        try:
            program = torch.onnx.export(
                model,
                (torch.ones_like(mask), mask, torch.zeros_like(mask)),
                dynamo=True,
                input_names=INPUTS,
                output_names=list(heads),
                dynamic_shapes=tuple({0: free, 1: free} for _ in INPUTS),
                opset_version=OPSET,
                verbose=False,
            )
        except OnnxExporterError as error:
            family, reason = bert.config.model_type, reason_of(error)
            raise InputError(f"--format onnx: torch.onnx cannot export {family} models ({reason})") from error
    assert program is not None
    program.save(str(file))


def answer_texts(folder: Path, texts: Sequence[tuple[str, ...]], *, file: str) -> dict[str, Tensor]:
    """Return the answers of an ONNX file by name, in the order of the texts, computed by onnxruntime.

    Args:
        folder: An exported folder.
        texts: The texts of each example.
        file: Name of the file in it.
    """
    usage: dict[str, Any] = {}
    exec(compile(USAGE.read_text(encoding="utf-8"), str(USAGE), "exec"), usage)  # what the model card shows
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that long texts are cut, as the checkpoint cuts them too
        found: Mapping[str, NDArray[np.float32]] = usage["predict"](folder, texts, file=file)
    return {name: torch.from_numpy(values) for name, values in found.items()}


def _usage(encoding: str) -> str:
    """Return the page of code that runs a file, and an example."""
    example = '"A warm, funny film."' if encoding == "single" else '("How do I cook rice?", "How is rice cooked?")'
    return f'{USAGE.read_text(encoding="utf-8")}\n\nprint(predict("DIR", [{example}]))'


def _write_labels(predictor: Predictor, names: Sequence[str], folder: Path, encoding: str) -> None:
    """Write the tokenizer, and what the answers mean.

    Args:
        predictor: The trained model.
        names: The tasks that it answers.
        folder: Where they go.
        encoding: single, cross or bi.
    """
    tokenizer = deepcopy(predictor.tokenizer.backend_tokenizer)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.save(str(folder / "tokenizer.json"))
    labels = {"encoding": encoding, **_labels(predictor, names)}
    (folder / "labels.json").write_text(json.dumps(labels, indent=2) + "\n", encoding="utf-8")


def _labels(predictor: Predictor, names: Sequence[str]) -> dict[str, Any]:
    """Return what an answer's values mean."""
    meanings: dict[str, Any] = {}
    for name in names:
        kind = predictor.tasks[name]
        meanings[name] = (
            {"classes": list(kind.class_names), **_thresholds(kind.labels)}
            if kind.labels.num_classes
            else dict(zip(("low", "high"), score_range(kind.labels), strict=True))
        )
    as_text = bool(predictor.tokenizer.split_special_tokens)
    return {"max_length": predictor.max_length, "special_tokens_as_text": as_text, "answers": meanings}


def _thresholds(labels: LabelSpace) -> dict[str, Any]:
    """Return from which probability on each label of a set is predicted; nothing for one class."""
    if not isinstance(labels, LabelSets):
        return {}
    return {"thresholds": list(labels.thresholds or (0.5,) * labels.num_classes)}
