from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard

from inference.export import main
from tests.inference.exports import PAIR_TASKS


def test_a_baseline_of_other_rows_than_the_scores_says_so(whole_run: Any, tmp_path: Path) -> None:
    run = whole_run(**PAIR_TASKS).version(0)
    main([str(run), str(tmp_path / "out"), "--format", "transformers", "--tasks", "sst", "--dev_rows", "6"])
    text = ModelCard.load(tmp_path / "out" / "sst" / "README.md").text
    row = next(line for line in text.splitlines() if line.startswith("| sst | accuracy |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]

    assert cells[7] == "6 of 12"
    assert cells[5].endswith(" (of the run's 12 dev rows)")
