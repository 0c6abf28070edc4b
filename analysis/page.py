"""The page of some runs: one self-contained HTML document."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis.blocks import Section
from analysis.run import Run
from analysis.run_section import build_run_section
from analysis.side_by_side import build_comparison, build_score_section, name_runs
from runtime.whole_files import replacing_text
from tasks import InputError, Split


def build_sections(runs: Sequence[Run], split: Split) -> list[Section]:
    """Return the sections of a page: runs side by side, two runs row by row, and each run."""
    sections = [build_score_section(runs, split)] if len(runs) > 1 else []
    if len(runs) == 2:
        sections.append(build_comparison(runs[0], runs[1], split))
    for number, (run, name) in enumerate(zip(runs, name_runs(runs), strict=True), start=1):
        sections.append(build_run_section(run, split, title=name, anchor=f"run{number}"))
    return sections


def render(sections: Sequence[Section], *, title: str) -> str:
    """Return the page: one self-contained HTML document. All text is escaped.

    Args:
        sections: What it shows.
        title: Its title.
    """
    environment = Environment(
        loader=PackageLoader("analysis"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(sections=sections, title=title)


def write_report(folders: Sequence[Path], output: Path, *, split: Split = "dev") -> None:
    """Write the page of some runs.

    Args:
        folders: The runs' folders.
        output: The file to write; its folder is created if missing.
        split: The split whose predictions are looked at.

    Raises:
        InputError: If a folder is not a run, test predictions are requested and a run has none, or the file cannot be
            written.
    """
    runs = [Run(folder) for folder in folders]
    for run in runs:
        if split == "test" and not list((run.folder / "predictions").glob("*-test.csv")):
            raise InputError(f"{run.folder}: no test predictions (expected the folder that train.py test wrote)")
    page = render(build_sections(runs, split), title=", ".join(name_runs(runs)))
    try:
        with replacing_text(output) as file:
            file.write(page)
    except OSError as error:
        raise InputError(f"{output}: not written ({error})") from None
