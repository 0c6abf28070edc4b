"""The comparisons as one picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

OURS, PEERS = "#1f6f8b", "#b8b8b8"
ROW_INCHES = 0.32


def draw(path: Path, results: Mapping[str, Sequence[Any]], *, caption: str) -> None:
    """Draw the ratio of every program to the Hugging Face Trainer, with the spread over the rounds.

    Args:
        path: The picture to write; its ending names the format (.png, .svg, .pdf).
        results: Entries by suite; suites without ratios are omitted.
        caption: Text under the picture.

    Raises:
        ValueError: If no suite has a ratio.
    """
    suites = {
        suite: sorted(rated, key=lambda entry: entry.ratio_to_hf_trainer)
        for suite, entries in results.items()
        if (rated := [entry for entry in entries if getattr(entry, "ratio_to_hf_trainer", None) is not None])
    }
    if not suites:
        raise ValueError(f"{path}: nothing to draw (expected a suite that compares with the Hugging Face Trainer)")
    heights = [len(entries) for entries in suites.values()]
    figure, panels = plt.subplots(
        len(suites),
        figsize=(9, ROW_INCHES * sum(heights) + 0.9 * len(suites) + 0.4),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for panel, (suite, entries) in zip(panels[:, 0], suites.items(), strict=True):
        _draw_suite(panel, suite, entries)
    figure.supxlabel(caption, fontsize=8)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _draw_suite(panel: Any, suite: str, entries: Sequence[Any]) -> None:
    ratios = [entry.ratio_to_hf_trainer for entry in entries]
    spread = [
        [entry.ratio_to_hf_trainer - entry.ratio_low for entry in entries],
        [entry.ratio_high - entry.ratio_to_hf_trainer for entry in entries],
    ]
    names = [entry.name for entry in entries]
    colours = [OURS if name.startswith("ours") else PEERS for name in names]
    bars = panel.barh(names, ratios, color=colours, xerr=spread, error_kw={"lw": 1, "ecolor": "#444444"})
    panel.bar_label(bars, [f" {ratio:.2f}×" for ratio in ratios], padding=4, fontsize=8)
    panel.set_title(f"{suite}: times as fast as the Hugging Face Trainer", loc="left", fontsize=10)
    panel.margins(x=0.12)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=8)
