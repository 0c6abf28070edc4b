"""ONNX files, one for all heads of an encoding, with pooling and heads inside."""

import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import BertModel

from backbones import Pooling
from backbones.lora import merge_lora
from heads import Head, LabelSets, LabelSpace, Trunk
from inference.parity import DevSplit, answer, compare, score_range
from inference.predictor import Predictor
from inference.written import Written
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
        heads: The heads by the name of their answer, all of which read as many vectors.
    """

    def __init__(self, bert: BertModel, pooling: Pooling, trunk: Trunk | None, heads: Mapping[str, Head]) -> None:
        super().__init__()
        self.bert = bert
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
        return tuple(answer(head, head(read)) for head in heads)

    def _pool(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        found = self.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        if self.pooling == "mean":
            weights = attention_mask[..., None].to(found.last_hidden_state.dtype)
            mean: Tensor = (found.last_hidden_state * weights).sum(dim=1) / weights.sum(dim=1)
            return mean
        pooled: Tensor = found.pooler_output if self.pooling == "pooler" else found.last_hidden_state[:, 0]
        return pooled


def why_not(predictor: Predictor, name: str) -> str | None:
    """Say why an ONNX file cannot hold a task; None if it can."""
    if predictor.model.backbone.task_layers is not None:
        return "its backbone has PALs, layers of each task (no format but the checkpoint holds them)"
    if predictor.tasks[name].average_orders:
        return "it averages both orders of a pair, which takes two passes (Predictor does it)"
    return None


def group_heads(predictor: Predictor, names: Sequence[str]) -> dict[str, dict[str, Head]]:
    """Return the heads by their answers' names, for each encoding that needs a file: single, cross or bi.

    A pair that is encoded both ways has its cross head in one file and its bi head, `<task>_bi`, in another.
    """
    groups: dict[str, dict[str, Head]] = {}
    for name in names:
        for view, head in predictor.model.head(name).parts.items():
            encoding = (
                "single" if len(predictor.tasks[name].texts) == 1 else "cross" if head.num_sequences == 1 else "bi"
            )
            groups.setdefault(encoding, {})[name + view] = head
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
        heads: The heads of the encoding by their answers' names.
        splits: The dev split of each task.
        references: The checkpoint's answers by name.
        folder: The folder to make.
        encoding: single, cross or bi.
        max_loss: Write an int8 file beside it, whose metrics may be so much smaller; None for none.

    Raises:
        InputError: If the packages of requirements-export.txt are missing, or the int8 file loses more.
    """
    check_packages()
    folder.mkdir(parents=True)
    export_heads(predictor, heads, folder / FILE)
    if max_loss is not None:
        quantize(folder / FILE, folder / INT8_FILE)
    tasks = {name: name.removesuffix("_bi") if name not in predictor.tasks else name for name in heads}
    (folder / "labels.json").write_text(
        json.dumps({"encoding": encoding, **_labels(predictor, tasks)}, indent=2) + "\n", encoding="utf-8"
    )
    tokenizer = deepcopy(predictor.tokenizer.backend_tokenizer)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.save(str(folder / "tokenizer.json"))
    parities = []
    for file in sorted(folder.glob("*.onnx"), reverse=True):
        answers: dict[str, dict[str, Tensor]] = {}
        for name, task in tasks.items():
            if task not in answers:
                answers[task] = answer_texts(folder, splits[task].texts, file=file.name)
            found = compare(
                f"{name}, {file.name}", predictor.tasks[task], splits[task], references[name], answers[task][name]
            )
            parities.append(found.check() if file.name == FILE or max_loss is None else found.check_loss(max_loss))
    example = '"A warm, funny film."' if encoding == "single" else '("How do I cook rice?", "How is rice cooked?")'
    usage = f'{USAGE.read_text(encoding="utf-8")}\n\nprint(predict("DIR", [{example}]))'
    return Written(folder, "onnx", tuple(tasks), usage, tuple(parities))


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
    assert program is not None
    program.save(str(file))


def quantize(file: Path, target: Path) -> None:
    """Write a file whose weights are int8, one scale a channel, and whose activations become int8 as they come.

    Weights have seven bits: without VNNI a CPU adds products of eight bits in sixteen, which overflow.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    level = logging.root.level
    logging.root.setLevel(logging.ERROR)  # it advises a step that dynamic quantisation does without
    try:
        quantize_dynamic(str(file), str(target), weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    finally:
        logging.root.setLevel(level)


def answer_texts(folder: Path, texts: Sequence[tuple[str, ...]], *, file: str) -> dict[str, Tensor]:
    """Return the answers of an ONNX file by name, in the order of the texts, computed by onnxruntime.

    Args:
        folder: An exported folder.
        texts: The texts of each example.
        file: Name of the file in it.
    """
    usage: dict[str, Any] = {}
    exec(compile(USAGE.read_text(encoding="utf-8"), str(USAGE), "exec"), usage)  # what the model card shows
    found: Mapping[str, NDArray[np.float32]] = usage["predict"](folder, texts, file=file)
    return {name: torch.from_numpy(values) for name, values in found.items()}


def _labels(predictor: Predictor, tasks: Mapping[str, str]) -> dict[str, Any]:
    """Return what an answer's values mean."""
    meanings: dict[str, Any] = {}
    for name, task in tasks.items():
        kind = predictor.tasks[task]
        meanings[name] = (
            {"classes": list(kind.class_names), **_thresholds(kind.labels)}
            if kind.labels.num_classes
            else dict(zip(("low", "high"), score_range(kind.labels), strict=True))
        )
    return {"max_length": predictor.max_length, "answers": meanings}


def _thresholds(labels: LabelSpace) -> dict[str, Any]:
    """Return from which probability on each label of a set is predicted; nothing for one class."""
    if not isinstance(labels, LabelSets):
        return {}
    return {"thresholds": list(labels.thresholds or (0.5,) * labels.num_classes)}
