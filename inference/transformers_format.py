"""A folder for each task that transformers loads as the classifier of its family: `BertForSequenceClassification`."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

from backbones.lora import merge_lora
from inference.card import describe_thresholds
from inference.classifier import class_name, join_classifier, why_not_this_family
from inference.parity import DevSplit, compare, score_range
from inference.predictor import Predictor
from inference.written import Written
from tasks import Task

BATCH_SIZE = 32


def why_not(predictor: Predictor, name: str) -> str | None:
    """Say why transformers has no class for a task; None if it has one."""
    task, head = predictor.tasks[name], predictor.model.head(name)
    if task.encoding == "bi":
        return "its sides are encoded one by one (--format sentence-transformers or onnx can hold that)"
    if predictor.model.backbone.task_layers is not None:
        return "its backbone has PALs, layers of each task (no format but the checkpoint holds them)"
    kind = type(head).__name__
    if predictor.model.trunk is not None:
        return "there is a trunk between backbone and head (--format onnx can hold that)"
    if head.readout is None:
        return f"its {kind} is more than one linear layer (--format onnx can hold that)"
    if head.output.squashing is None:
        output = type(head.output).__name__
        return f"its {output} makes probabilities otherwise than softmax and sigmoid (--format onnx can hold that)"
    config, pooling = predictor.model.backbone.bert.config, predictor.model.backbone.pooling
    reason = why_not_this_family(config)
    if reason is not None:
        return reason
    if pooling != "pooler":
        return f"its pooling is {pooling}, and {class_name(config)} has a pooler (--format onnx does without)"
    if task.average_orders:
        return "it averages both orders of a pair, which takes two passes (Predictor does it)"
    return None


def write_transformers(predictor: Predictor, name: str, split: DevSplit, reference: Tensor, folder: Path) -> Written:
    """Write a task's folder and compare what transformers makes of it with the checkpoint.

    Yes/no becomes two classes, whose logits are 0 and the head's: their softmax is its sigmoid. A score is one logit
    whose sigmoid is the score's share of its range.

    Args:
        predictor: The trained model.
        name: Name of a task, of which `why_not` says nothing.
        split: Its dev split.
        reference: The checkpoint's answers.
        folder: The folder to make.
    """
    task = predictor.tasks[name]
    model = build_classifier(predictor, name)
    model.save_pretrained(folder)
    save_tokenizer(predictor, folder)
    found = answer_padded(folder, task, split.texts)
    notes = []
    if not task.labels.num_classes:
        low, high = score_range(task.labels)
        notes.append(
            "pipeline and CrossEncoder turn the model's one logit into a share of the range by a sigmoid, 0 to 1: "
            f"score = {low:.15g} + {high - low:.15g} * share. No linear layer can hold that scale."
        )
    notes += describe_thresholds(task)
    return Written(
        folder=folder,
        library="transformers",
        tasks=(name,),
        packages=("torch", "transformers") if len(task.texts) == 1 else ("sentence-transformers",),
        usage=_usage(task),
        parities=(compare(name, task, split, reference, found).check(),),
        notes=tuple(notes),
    )


def build_classifier(predictor: Predictor, name: str) -> PreTrainedModel:
    """Build transformers' model with the weights of the backbone and of a task's head."""
    task, head = predictor.tasks[name], predictor.model.head(name)
    bert = deepcopy(predictor.model.backbone.bert)
    merge_lora(bert)
    assert head.readout is not None, "why_not lets no such head through"
    weight, bias = head.readout.weight.detach(), head.readout.bias.detach()
    options: dict[str, Any] = {"num_labels": 1, "id2label": {0: task.label}, "label2id": {task.label: 0}}
    if task.labels.num_classes:
        classes = task.class_names
        options = {
            "problem_type": f"{'multi' if task.labels.is_set else 'single'}_label_classification",
            "id2label": dict(enumerate(classes)),
            "label2id": {label: number for number, label in enumerate(classes)},
        }
        if head.output.num_values == 1:
            weight, bias = (torch.cat([torch.zeros_like(part), part]) for part in (weight, bias))
    return join_classifier(bert, {"weight": weight, "bias": bias}, options)


def save_tokenizer(predictor: Predictor, folder: Path) -> None:
    """Write the tokenizer, which cuts at the training's longest sequence and reads special tokens as in training."""
    tokenizer = deepcopy(predictor.tokenizer)
    tokenizer.model_max_length = predictor.max_length
    tokenizer.init_kwargs["split_special_tokens"] = tokenizer.split_special_tokens  # else it is not saved
    tokenizer.backend_tokenizer.no_truncation()  # left behind by the latest call, no part of the tokenizer
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(folder)


def answer_padded(folder: Path, task: Task, texts: Sequence[tuple[str, ...]]) -> Tensor:
    """Return probabilities (n, C) or scores (n,) as transformers computes them from a folder.

    Padded batches hold texts of similar length; the answers are in the order of the texts.
    """
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    order, logits = sorted(range(len(texts)), key=lambda row: sum(map(len, texts[row]))), []
    for start in range(0, len(texts), BATCH_SIZE):
        rows = [texts[row] for row in order[start : start + BATCH_SIZE]]
        columns = [list(column) for column in zip(*rows, strict=True)]
        with torch.inference_mode():
            logits.append(model(**tokenizer(*columns, padding=True, truncation=True, return_tensors="pt")).logits)
    joined = torch.cat(logits)[torch.tensor(order).argsort()]
    if task.labels.num_classes:
        return joined.sigmoid() if task.labels.is_set else joined.softmax(dim=1)
    low, high = score_range(task.labels)
    return low + (high - low) * joined[:, 0].sigmoid()


def _usage(task: Task) -> str:
    if not task.labels.num_classes:
        return usage_of_scores(task)
    if len(task.texts) == 1:
        return (
            "from transformers import pipeline\n\n"
            'classify = pipeline("text-classification", "DIR", truncation=True)\n'
            'print(classify(["A warm, funny film."], top_k=None))  # all classes; without top_k the most probable one'
        )
    softmax = "" if task.labels.is_set else ", apply_softmax=True"
    squashing = ", activation_fn=torch.nn.Sigmoid()" if task.labels.is_set else ""
    return (
        f"{'import torch' + chr(10) if squashing else ''}from sentence_transformers import CrossEncoder\n\n"
        f'model = CrossEncoder("DIR"{squashing})\n'
        f'print(model.predict([("How do I cook rice?", "How is rice cooked?")]{softmax}))\n\n'
        "# or with transformers alone\n"
        "from transformers import pipeline\n\n"
        'classify = pipeline("text-classification", "DIR", truncation=True)\n'
        'print(classify([{"text": "How do I cook rice?", "text_pair": "How is rice cooked?"}]))'
    )


def usage_of_scores(task: Task) -> str:
    """Return code that prints scores of the labels' range."""
    low, high = score_range(task.labels)
    lines = f"low, high = {low:.15g}, {high:.15g}  # the range of the labels; the model answers shares of it\n"
    classify = 'classify = pipeline("text-classification", "DIR", truncation=True)\n'
    examples = '["A warm, funny film."]'
    if len(task.texts) == 2:
        examples = '[{"text": "How do I cook rice?", "text_pair": "How is rice cooked?"}]'
    scores = f'{classify}print([low + (high - low) * answer["score"] for answer in classify({examples})])'
    if len(task.texts) == 1:
        return f"from transformers import pipeline\n\n{lines}{scores}"
    return (
        f"from sentence_transformers import CrossEncoder\n\n{lines}"
        'model = CrossEncoder("DIR")\n'
        'print(low + (high - low) * model.predict([("How do I cook rice?", "How is rice cooked?")]))\n\n'
        "# or with transformers alone\n"
        f"from transformers import pipeline\n\n{scores}"
    )
