"""The section of a report on one run."""

from collections.abc import Mapping

import yaml

from analysis.blocks import Block, Code, Section, Sentence, number, picture
from analysis.curves import read_curves, run_panels
from analysis.plan import Amount, plan_first, plan_training
from analysis.run import Run
from analysis.table import Table
from analysis.task_section import build_task_section
from figures import draw_curves
from runtime.counts import counted
from runtime.evaluated import describe_part
from tasks import InputError, Split


def build_run_section(run: Run, split: Split, *, title: str, anchor: str) -> Section:
    """Return the section of a run: its scores, its tasks, what it drew and how it was made.

    Args:
        run: The run.
        split: The split whose predictions are looked at.
        title: The run's name in the page.
        anchor: The section's place in links.
    """
    curves = read_curves(run.folder)
    parts = [build_task_section(run, task, split, anchor=f"{anchor}-task-{task}", curves=curves) for task in run.tasks]
    evaluated = run.report.get("evaluated")
    blocks: list[Block] = [Sentence(f"Scores are {describe_part(evaluated, run.scored_split)}.")] if evaluated else []
    blocks.append(_overview(run))
    resumed = run.report.get("resumed_from")
    if resumed:
        blocks.append(Sentence(f"Resumed from {resumed}; the curves start there."))
    panels = run_panels(curves)
    if panels:
        said = "; ".join(f"{title}: {lines[0].values[-1]:.3g} at the end" for title, lines in panels)
        label = f"Curves of the run over optimiser steps. {said}"
        blocks.append(picture(draw_curves(panels), title="Curves", name=f"{anchor}-run", label=label))
    elif not run.report.get("members"):
        blocks.append(Sentence("The run's folder holds no curves of a training (TensorBoard events)."))
    made = Section("How it was made", f"{anchor}-made", [*_drawn(run), *_facts(run)])
    return Section(title, anchor, blocks, [*parts, made])


def _overview(run: Run) -> Table:
    rows = []
    baselines = run.report.get("baseline", {})
    metrics = run.report.get("metrics", {})
    for task, scores in metrics.items():
        if not isinstance(scores, Mapping):
            continue  # the mean and the score, added below
        for metric, value in scores.items():
            constant = baselines.get(task, {}).get(metric, "")
            rows.append([task, metric, number(value), "" if constant == "" else number(constant)])
    rows.append(["mean", "", number(metrics.get("mean")), ""])
    if "score" in metrics and not isinstance(metrics["score"], Mapping):
        rows.append(["score", "", number(metrics["score"]), ""])
    columns = ("task", "metric", "score", "majority baseline")
    note = (
        "As the run reported them. Mean: of each task's first metric. Score: the run's own weighted sum, if it has one."
    )
    title = "Test scores" if run.scored_split == "test" else "Scores"
    return Table(title, columns, rows, num_text_columns=2, note=note)


def _drawn(run: Run) -> list[Block]:
    """Compare what the schedule plans with what the training drew."""
    try:
        epochs = plan_training(run)
    except (InputError, ValueError) as error:
        return [Sentence(f"No sampler plan: {error}.")]
    rows = [
        [str(epoch), task, f"{amount.batches:,}", f"{amount.examples:,}"]
        for epoch, amounts in enumerate(epochs)
        for task, amount in amounts.items()
    ]
    plan = Table(
        f"Sampler plan, {counted(len(epochs), 'epoch')}",
        ("epoch", "task", "batches", "examples"),
        rows,
        num_text_columns=2,
    )
    drawn = run.report.get("drawn")
    if not drawn:
        return [plan, Sentence("The run did not record what it drew.")]
    return [plan, _compare_drawn(run, {task: Amount(**amount) for task, amount in drawn.items()}, epochs)]


def _compare_drawn(run: Run, drawn: dict[str, Amount], epochs: list[dict[str, Amount]]) -> Table:
    total = sum(amount.batches for amount in drawn.values())
    first = plan_first(run, total)
    rows = []
    for task, planned in first.items():
        found = drawn.get(task, Amount(0, 0))
        whole = sum(amounts[task].examples for amounts in epochs)
        verdict = "as planned" if found == planned else "not as planned"
        cells = (whole, planned.batches, found.batches, planned.examples, found.examples)
        rows.append([task, verdict, *(f"{value:,}" for value in cells)])
    columns = (
        "task",
        "verdict",
        f"plan of {counted(len(epochs), 'epoch')}, examples",
        "planned batches",
        "drawn",
        "planned examples",
        "drawn",
    )
    note = (
        f"The training drew {total:,} batches, over all its processes and resumes. Planned: what the first {total:,} "
        "batches of the plan hold."
    )
    return Table("Plan and what was drawn", columns, rows, num_text_columns=2, note=note)


def _facts(run: Run) -> list[Block]:
    report = run.report
    values = {
        "backbone": report.get("backbone"),
        "seed": report.get("seed"),
        "optimiser steps": report.get("steps"),
        "wall time, seconds": report.get("wall_seconds"),
        "examples per second": report.get("examples_per_second"),
        "peak memory, MiB": None if not report.get("peak_memory_bytes") else report["peak_memory_bytes"] // 2**20,
        "CPU threads": report.get("threads"),
        "weights, SHA-256": report.get("weights_sha256"),
        "stopped early": report.get("stopped_early"),
        "best checkpoint": report.get("best_checkpoint"),
        "best score": report.get("best_score"),
        "members": ", ".join(report.get("members", [])) or None,
        "method": report.get("method"),
        "folder": str(run.folder),
    }
    facts = [
        [name, f"{value:,}" if isinstance(value, int | float) and name != "seed" else str(value)]
        for name, value in values.items()
        if value is not None
    ]
    files = [
        [task, split, str(source["path"]), f"{source['rows']:,}", str(source["sha256"])[:16]]
        for task, splits in report["data"].items()
        for split, source in splits.items()
    ]
    versions = [[package, version] for package, version in report.get("versions", {}).items()]
    return [
        Table("Training", ("what", "value"), facts, num_text_columns=2),
        Table("Data", ("task", "split", "file", "rows", "SHA-256 begins"), files, num_text_columns=3),
        Table("Versions", ("package", "version"), versions, num_text_columns=2),
        Code("Configuration", yaml.safe_dump(dict(run.config), sort_keys=False, allow_unicode=True)),
    ]
