import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis.page import write_report
from analysis.report import main
from analysis.run import Run
from analysis.side_by_side import build_score_section
from analysis.table import Table
from tasks import InputError
from tests.analysis.written import predict_all, write_data, write_run

DRAWN = {
    "sst": {"batches": 2, "examples": 6},
    "same": {"batches": 1, "examples": 4},
    "near": {"batches": 3, "examples": 11},
}


class Page(HTMLParser):
    """What a page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.labels: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.text += " " if tag in ("td", "th", "p", "h4") else ""
        self.tags.append(tag)
        self.ids += [str(values["id"])] if "id" in values else []
        self.links += [str(values[name]) for name in ("href", "src", "xlink:href") if name in values]
        if tag == "svg":
            self.labels.append(str(values["aria-label"]))

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(*folders: Path, output: Path) -> Page:
    write_report(folders, output)
    return Page(output.read_text(encoding="utf-8"))


def stands_in(page: Page, *cells: str) -> bool:
    """Whether these texts stand one after the other in the page."""
    return " ".join(" ".join(cells).split()) in " ".join(page.text.split())


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs; the texts of one, an id and its backbone hold markup."""
    base = tmp_path_factory.mktemp("report")
    write_data(base / "data")
    first = write_run(base / "a", base / "data", predict_all(s2="3", q4="yes, same", t3="4.5"), drawn=DRAWN)
    second = write_run(base / "b", base / "data", predict_all(**{"s5": "0", "s3": "4", "<b>s6": "0"}))
    report = json.loads((second / "report.json").read_text())
    report["backbone"] = "<script>alert(2)</script>"
    (second / "report.json").write_text(json.dumps(report))
    return [first, second]


@pytest.fixture(scope="module")
def page(folders: list[Path]) -> Page:
    """The page of both runs."""
    return page_of(*folders, output=folders[0].parent / "new" / "page.html")


def test_a_page_needs_nothing_else(page: Page):
    assert page.links
    assert all(link.startswith("#") for link in page.links)
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_markup_in_texts_ids_and_settings_is_shown_as_text(page: Page):
    assert not {"script", "b"} & set(page.tags)
    assert "<script>alert(1)</script> film" in page.text
    assert "<script>alert(2)</script>" in page.text
    assert "<b>s6" in page.text


def test_texts_labels_and_ids_of_another_direction_keep_to_themselves(folders: list[Path], page: Page):
    text = (folders[0].parent / "new" / "page.html").read_text(encoding="utf-8")
    assert text.count('<div class="example">') == text.count("<code><bdi>") > 0
    assert text.count('<p dir="auto">') >= text.count('<div class="example">')
    assert text.count("<strong>") == text.count("<strong><bdi>") > 0


def test_every_figure_says_what_it_shows(page: Page):
    assert len(page.labels) == 2 * (2 * 3 + 3)  # confusion, calibration, balance; scatter, residuals, balance
    assert all(len(label) > 20 for label in page.labels)
    assert page.labels[0].startswith("Confusion matrix. true 0: 100% predicted 0")


def test_the_numbers_of_a_task_stand_in_its_tables(page: Page):
    assert stands_in(page, "accuracy", "0.8333")
    assert stands_in(page, "negation", "one text", "1", "0.000", "0.000 to 0.793")
    assert stands_in(page, "at most one class away", "6", "0.833")
    assert "All 12 examples of the dev split." in page.text
    assert page.tags.count("mark") >= 2


def test_what_was_drawn_stands_beside_the_plan(page: Page):
    assert stands_in(page, "sst", "as planned", "12", "2", "2", "6", "6")
    assert stands_in(page, "near", "not as planned", "24", "3", "3", "12", "11")
    assert page.text.count("The run did not record what it drew.") == 1  # the second


def test_two_runs_are_compared_row_by_row(page: Page):
    assert stands_in(page, "fixed: wrong, then right", "1", "broken: right, then wrong", "3")
    assert stands_in(page, "McNemar's exact p", "0.625")
    assert stands_in(page, "not a good film", "label 1 · first 3 · second 1")
    assert stands_in(page, "sst", "accuracy", "0.8333", "0.5000")
    assert "No mistakes." in page.text  # of the second, in one task


def test_equal_runs_give_equal_pages(folders: list[Path], page: Page, tmp_path: Path):
    write_report(folders, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == (folders[0].parent / "new" / "page.html").read_bytes()


def test_missing_and_partial_predictions_are_sentences(tmp_path: Path, root: Path):
    some = predict_all()
    del some["near"], some["same"]
    some["sst"] = {"s2": some["sst"]["s2"]}
    run = write_run(tmp_path / "run", root, some)
    page = page_of(run, output=tmp_path / "page.html")
    assert "Only 1 of the 6 examples of the dev split were predicted" in page.text
    assert page.text.count("No predictions to look at") == 2
    assert "near-dev.csv: no such file" in page.text


def test_a_run_without_test_predictions_is_refused(folder: Path, tmp_path: Path):
    said = rf"{folder}: no test predictions \(expected the folder that train.py test wrote\)"
    with pytest.raises(InputError, match=said):
        write_report([folder], tmp_path / "page.html", split="test")
    assert not (tmp_path / "page.html").exists()


def test_changed_data_is_a_sentence(folder: Path, tmp_path: Path):
    write_data(tmp_path / "data", {task: [("s1", ("another", "text"), "3")] for task in ("sst", "same", "near")})
    page = page_of(folder, output=tmp_path / "page.html")
    assert page.text.count("has changed since mine/version_0 read it") == 3


def test_several_runs_stand_side_by_side(folders: list[Path]):
    runs = [Run(folders[number]) for number in (0, 1, 0)]
    (table,) = build_score_section(runs, "dev").blocks
    assert isinstance(table, Table)
    assert table.columns == ("task", "metric", *(str(run.folder) for run in runs))
    assert ["same", "accuracy", "0.7500", "1.0000", "0.7500"] in table.rows


def test_a_mistake_ends_with_one_sentence(folder: Path, tmp_path: Path, capsys):
    assert main([str(tmp_path), "--output", str(tmp_path / "page.html")]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path}: has no config.yaml")
    (tmp_path / "config.yaml").touch()
    assert main([str(tmp_path), "--output", str(tmp_path / "page.html")]) == 2
    assert "has no report.json (expected the folder of a finished run; predict runs and" in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_an_error(tmp_path: Path, root: Path):
    run = write_run(tmp_path / "run", root, {})
    with pytest.raises(InputError, match="not written"):
        write_report([run], run)


def test_a_run_with_a_score_of_its_own_shows_it(folder: Path, tmp_path: Path):
    report = json.loads((folder / "report.json").read_text())
    report["metrics"] = {"sst": {"accuracy": 0.5}, "mean": 0.5, "score": 0.625}
    (folder / "report.json").write_text(json.dumps(report))
    assert stands_in(page_of(folder, output=tmp_path / "page.html"), "mean", "0.5000", "score", "0.6250")


def change_report(folder: Path, **changes: object) -> None:
    report = json.loads((folder / "report.json").read_text())
    (folder / "report.json").write_text(json.dumps({**report, **changes}))


def test_a_part_of_the_split_is_said_above_the_scores(folder: Path, tmp_path: Path):
    change_report(folder, evaluated={"sst": [5, 6], "same": [4, 4], "near": [0, 12]})
    page = page_of(folder, output=tmp_path / "page.html")
    said = "Scores are on a part of dev (--trainer.limit_val_batches): sst 5 of 6, same 4 of 4, near none; mean is over"
    assert page.text.index(said) < page.text.index("majority baseline")


def test_scores_of_a_test_are_named_so(folder: Path, tmp_path: Path):
    assert "Test scores" not in page_of(folder, output=tmp_path / "page.html").text
    data = json.loads((folder / "report.json").read_text())["data"]
    change_report(folder, data={task: {"test": splits["dev"]} for task, splits in data.items()})
    for path in sorted((folder / "predictions").iterdir()):
        path.rename(path.with_name(path.name.replace("-dev", "-test")))
    config = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(config.replace("dev:", "test:"))
    write_report([folder, folder], tmp_path / "page.html", split="test")
    assert Page((tmp_path / "page.html").read_text()).text.count("Test scores") == 3


def test_a_root_in_the_home_folder_is_found(folder: Path, root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(root.parent))
    config = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(config.replace(str(root), f"~/{root.name}"))
    assert len(Run(folder).read_examples("sst")) == 6


def test_no_task_takes_the_place_of_another_part_of_the_page(folder: Path, tmp_path: Path):
    for name in ("config.yaml", "report.json"):
        text = (folder / name).read_text()
        (folder / name).write_text(text.replace("same:", "made:").replace('"same"', '"made"'))
    for path in (folder / "predictions").glob("same-*"):
        path.rename(path.with_name(path.name.replace("same", "made")))
    ids = page_of(folder, output=tmp_path / "page.html").ids
    assert "run1-task-made" in ids
    assert len(ids) == len(set(ids))


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium to render the page")
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_the_page_without_overflow(folder: Path, tmp_path: Path, root: Path, width: int):
    other = write_run(tmp_path / ("long" * 12), root, predict_all(s5="0"))
    write_report([folder, other], tmp_path / "page.html")
    measured = (
        "<iframe id=f src=page.html style='width:%dpx;height:900px;border:0'></iframe><script>"
        "f.onload=()=>{const d=f.contentDocument;document.title=[d.documentElement.clientWidth>%d-20,"
        "d.documentElement.scrollWidth<=d.documentElement.clientWidth,"
        "d.querySelectorAll('figure svg').length,d.querySelectorAll('script').length,"
        "[...d.querySelectorAll('figure svg')].every(s=>s.getBoundingClientRect().height>100)].join()}</script>"
    )
    (tmp_path / "frame.html").write_text(measured % (width, width))
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    ended = subprocess.run(
        [
            str(CHROMIUM),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            *quiet,
            "--allow-file-access-from-files",
            "--virtual-time-budget=4000",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            (tmp_path / "frame.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "<title>true,true,18,0,true</title>" in ended.stdout
