"""Predictions of a train split of which some rows lack a label."""

from pathlib import Path

import yaml

from analysis.forgotten import main
from tests.analysis.written import PAIRS, Row, predict_all, write_data, write_run

GAP: Row = ("q9", ("what is chess", "what is go"), "NA")


def write_run_with_a_gap(folder: Path, root: Path, **said: str) -> Path:
    """Write a run over pairs, the second of which has no label; a prediction file holds it all the same."""
    cells = predict_all(**said)["same"]
    names = list(cells)
    every = {name: cells[name] for name in names[:1]} | {GAP[0]: ("no", [0.8, 0.2])}
    run = write_run(folder, root, {"same": every | {name: cells[name] for name in names[1:]}}, tasks=["same"])
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["tasks"]["same"]["init_args"]["missing_labels"] = ["NA"]
    (run / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return run


def test_rows_without_a_label_are_neither_forgotten_nor_in_the_way(tmp_path, capsys):
    write_data(tmp_path / "data", {"same": [PAIRS[0], GAP, *PAIRS[1:]]})
    times = [{"q1": "yes, same"}, {"q1": "yes, same", "q3": "no"}]
    runs = [write_run_with_a_gap(tmp_path / f"run{n}", tmp_path / "data", **said) for n, said in enumerate(times)]
    files = [str(run / "predictions" / "same-dev.csv") for run in runs]  # the same rows are train and dev
    output = tmp_path / "rows.csv"
    command = [str(runs[0]), "--task", "same", "--output", str(output), "--predictions", *files]
    assert main(command) == 0, capsys.readouterr().err
    assert output.read_text().splitlines() == ["id,reason", "q1,never learnt", "q3,forgotten"]
    assert "of 4 training rows" in capsys.readouterr().out


def test_a_file_may_lack_rows_without_a_label_alone(tmp_path, capsys):
    write_data(tmp_path / "data", {"same": [PAIRS[0], GAP, *PAIRS[1:]]})
    run = write_run_with_a_gap(tmp_path / "run", tmp_path / "data", q1="yes, same")
    path, output = run / "predictions" / "same-dev.csv", tmp_path / "rows.csv"
    whole = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in whole if not line.startswith(GAP[0])))
    command = [str(run), "--task", "same", "--output", str(output), "--predictions", str(path)]
    assert main(command) == 0, capsys.readouterr().err
    path.write_text("".join(line for line in whole if not line.startswith("q4")))
    assert main(command) == 2
    assert "same-dev.csv: holds 3 of 4 training examples (expected all)" in capsys.readouterr().err
