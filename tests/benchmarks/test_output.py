import io
import json
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmarks.output import describe_machine, print_entries, print_operators, print_values, write_json
from benchmarks.ratios import summarise
from tests.benchmarks.rounds import make_round


def test_json_has_one_list_a_suite_with_name_rate_and_ratio(tmp_path: Path) -> None:
    reference = [make_round(2.0)]
    entries = [
        summarise("ours fp32", [make_round(1.0)], reference, clock="cpu"),
        summarise("HF Trainer default", reference, reference, clock="cpu"),
    ]
    path = tmp_path / "results.json"
    write_json(path, {"training": entries, "startup": [{"name": "ours help", "cpu_s": 0.5}]}, {"rounds": 1})
    written = json.loads(path.read_text())
    keys = ("name", "examples_per_s", "ratio_to_hf_trainer")
    assert [tuple(entry[key] for key in keys) for entry in written["training"]] == [
        ("ours fp32", 10.0, 2.0),
        ("HF Trainer default", 5.0, 1.0),
    ]
    assert written["startup"] == [{"name": "ours help", "cpu_s": 0.5}]
    assert written["about"] == {"rounds": 1}


def test_tables_show_every_program_and_a_dash_without_a_reference() -> None:
    console = Console(width=140, record=True, file=io.StringIO())
    entry = summarise("ours fp32", [make_round(1.0)], None, clock="cpu")
    print_entries("training", [entry], clock="cpu", console=console)
    print_values("startup", [{"name": "ours help", "cpu_s": 0.5}], console=console)
    text = console.export_text()
    row = next(line for line in text.splitlines() if "ours fp32" in line)
    assert [cell.strip() for cell in row.split("│")[2:5]] == ["10.0", "-", "-"]
    assert "0.500" in text
    print_values("table", [{"name": "ours anew", "rows": 500_000, "wall_s": 1.0}], console=console)
    assert [cell.strip() for cell in console.export_text().splitlines()[-2].split("│")[1:4]] == [
        *("ours anew", "500,000", "1.000")
    ]


def test_a_table_shows_the_share_of_products_and_where_the_time_goes() -> None:
    console = Console(width=140, record=True, file=io.StringIO())
    entry = replace(
        summarise("ours fp32", [make_round(1.0)], None, clock="cpu"),
        gflops_per_s=60.0,
        products_gflops_per_s=80.0,
        share_of_products=0.75,
        operators={"products": 0.7, "Python and autograd": 0.3},
    )
    print_entries("training", [entry], clock="cpu", console=console)
    print_operators("training", [entry], console=console)
    lines = console.export_text().splitlines()
    row = next(line for line in lines if "ours fp32" in line)
    assert [cell.strip() for cell in row.split("│")[-4:-1]] == ["60.0", "80.0", "75%"]
    assert next(line for line in lines if "Python and" in line).split("│")[2].strip() == "30.0%"


def test_the_machine_is_described_by_processor_and_versions() -> None:
    about = describe_machine()
    assert about["processor"]
    assert about["versions"]["torch"].startswith("2.")
