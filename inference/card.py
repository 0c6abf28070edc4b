"""The README.md of an export: what the model is, how good, from which data, and how to run it."""

import importlib.metadata
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData
from jinja2 import Environment

from backbones.packages import PACKAGED_MODELS
from heads import LabelSets
from inference.checkpoint import Checkpoint
from inference.parity import Parity
from inference.written import Written
from tasks import Task

TEMPLATE = Path(__file__).with_name("card.md.jinja")
PACKAGES = ("torch", "transformers", "sentence-transformers", "onnxruntime", "tokenizers")
HUB_TASKS = {"transformers": "text-classification", "onnx": "text-classification"}
UNTESTED = "Other languages, other kinds of text and longer texts than those of its data were not tested."


@dataclass(frozen=True)
class Origin:
    """Where an exported model comes from.

    Args:
        checkpoint: The checkpoint.
        tasks: Its tasks.
        report: What the run's report.json holds; empty where the checkpoint lies in no run.
    """

    checkpoint: Checkpoint
    tasks: Mapping[str, Task]
    report: Mapping[str, Any]

    @property
    def base_model(self) -> str | None:
        """Name of the backbone on the hub; None for a folder, whose path the hub refuses as the name of a model."""
        name = self.checkpoint.backbone
        packaged = PACKAGED_MODELS.get(name.removeprefix("package:"))
        if packaged is not None:
            return packaged.hub_name
        return None if Path(name).expanduser().is_dir() else name

    @property
    def backbone(self) -> str:
        """What the backbone is called; a folder's path may name a person, so its last part is enough."""
        return self.base_model or f"The local backbone {Path(self.checkpoint.backbone).name}"

    @property
    def is_chosen(self) -> bool:
        """Whether the checkpoint was chosen by scores: as a best one, or as merged weights."""
        return self.checkpoint.path.name != "last.ckpt" or "selection" in self.report

    @property
    def limits(self) -> list[str]:
        """What is known to limit what the scores say."""
        packaged = PACKAGED_MODELS.get(self.checkpoint.backbone.removeprefix("package:"))
        seen = (
            [f"The backbone was trained on {packaged.seen}: it may have seen rows of the data above."]
            if packaged
            else []
        )
        cut = f"Sequences of more than {self.checkpoint.max_length} tokens are cut, as in training."
        return [*seen, cut, UNTESTED]


def read_origin(checkpoint: Checkpoint, tasks: Mapping[str, Task]) -> Origin:
    """Return where a model comes from, with what the run reported if the checkpoint lies in one."""
    path = None if checkpoint.run is None else checkpoint.run / "report.json"
    report = json.loads(path.read_text(encoding="utf-8")) if path is not None and path.is_file() else {}
    return Origin(checkpoint, tasks, report)


def describe_thresholds(task: Task) -> list[str]:
    """Say from which probability on a label of a set is predicted; nothing for other tasks."""
    if not isinstance(task.labels, LabelSets):
        return []
    named = zip(task.class_names, task.labels.thresholds or (0.5,) * task.labels.num_classes, strict=True)
    listed = ", ".join(f"{escape(name)} {threshold:.6g}" for name, threshold in named)
    return [f"A label applies where its probability is above its threshold: {listed}."]


def write_card(written: Written, origin: Origin, *, name: str, place: str) -> None:
    """Write the README.md of an export.

    Args:
        written: The exported model.
        origin: Where it comes from.
        name: Its name.
        place: The folder or the hub name that it is loaded by.
    """
    environment = Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False)
    environment.filters["cell"] = escape
    text = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        name=name,
        written=written,
        origin=origin,
        rows=[_score_row(parity, origin.report) for parity in written.parities if parity.metric is not None],
        vectors=[parity for parity in written.parities if parity.metric is None],
        data=_data_rows(written, origin.report),
        recipe=_recipe(origin),
        versions={package: _version(package) for package in PACKAGES},
        usage=written.usage.replace('"DIR"', json.dumps(place, ensure_ascii=False)),
    )
    card = ModelCard(f"---\n{_metadata(written, origin, name).to_yaml()}\n---\n{text}", ignore_metadata_errors=False)
    card.save(written.folder / "README.md")


def _metadata(written: Written, origin: Origin, name: str) -> ModelCardData:
    results = [
        EvalResult(
            task_type=HUB_TASKS.get(written.library, "sentence-similarity"),
            dataset_type=parity.name.split(",")[0],
            dataset_name=f"{parity.name.split(',')[0]} (dev)",
            metric_type=parity.metric,
            metric_name=", ".join([parity.metric, *parity.name.split(", ")[1:]]),  # an int8 file beside another
            metric_value=round(parity.exported, 4),
        )
        for parity in written.parities
        if parity.metric is not None and parity.exported is not None and not math.isnan(parity.exported)
    ]
    return ModelCardData(
        library_name=written.library,
        pipeline_tag=HUB_TASKS.get(written.library, "sentence-similarity"),
        base_model=origin.base_model,
        model_name=name,
        eval_results=results or None,
    )


def _score_row(parity: Parity, report: Mapping[str, Any]) -> dict[str, str]:
    task = parity.name.split(",")[0]
    dev = report.get("data", {}).get(task, {}).get("dev", {})
    rows = dev.get("labelled", dev.get("rows", parity.rows))
    others = "" if rows == parity.rows == parity.size else f" (of the run's {rows:,} dev rows)"
    baseline = report.get("baseline", {}).get(task, {}).get(parity.metric)
    interval = "undefined" if parity.interval is None else "{:.4f} to {:.4f}".format(*parity.interval)
    return {
        "name": parity.name,
        "metric": str(parity.metric),
        "exported": _number(parity.exported),
        "interval": interval,
        "checkpoint": _number(parity.checkpoint),
        "baseline": _number(baseline) + (others if baseline is not None else ""),
        "difference": f"{parity.difference:.1e}",
        "rows": f"{parity.rows:,} of {parity.size:,}",
    }


def escape(value: object) -> str:
    r"""Return text that Markdown shows as it is, also in a cell of a table.

    Example:
        >>> print(escape("a|b <i>"))
        a\|b \<i\>
    """
    text = " ".join(str(value).split())
    return "".join("\\" + letter if letter in "\\|`*_<>[]" else letter for letter in text)


def _number(value: float | None) -> str:
    return "undefined" if value is None or math.isnan(value) else f"{value:.4f}"


def _data_rows(written: Written, report: Mapping[str, Any]) -> list[tuple[str, str, str, int, str]]:
    """Return task, split, file name, rows and SHA-256 of all that was read for the model's tasks."""
    return [
        (name, split, Path(source["path"]).name, source["rows"], source["sha256"])
        for name in written.tasks
        for split, source in report.get("data", {}).get(name, {}).items()
    ]


def _recipe(origin: Origin) -> Sequence[tuple[str, Any]]:
    """Return the settings that training had beside the data."""
    settings, report = origin.checkpoint.settings, origin.report
    names = ("pooling", "optimizer", "adapter", "regularizer", "weighting", "surgery")
    chosen = [(name, _words(settings[name])) for name in names if settings.get(name) is not None]
    measured = [(name, report.get(name)) for name in ("seed", "steps") if report.get(name) is not None]
    return [("tasks trained together", ", ".join(origin.tasks)), *chosen, *measured]


def _words(value: Any) -> str:
    """Return a setting as one reads it: `lr 0.0001, schedule linear`, without what is not set.

    Example:
        >>> _words({"class_path": "heads.Lora", "init_args": {"rank": 8, "alpha": None}}), _words("mean")
        ('heads.Lora, rank 8', 'mean')
    """
    if isinstance(value, Mapping):
        inner = ((name, _words(each)) for name, each in value.items() if each is not None)
        return ", ".join(each if name in ("class_path", "init_args") else f"{name} {each}" for name, each in inner)
    if isinstance(value, list | tuple):
        return " and ".join(map(_words, value))
    return str(value)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
