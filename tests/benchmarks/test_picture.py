from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.picture import draw
from benchmarks.ratios import summarise
from tests.benchmarks.rounds import make_round


def test_every_program_with_a_ratio_is_drawn_with_its_ratio(tmp_path: Path) -> None:
    reference = [make_round(3.0)]
    ours = summarise("ours fp32", [make_round(1.0)], reference, clock="cpu")
    entries = [ours, replace(ours, name="HF Trainer default", ratio_to_hf_trainer=1.0, ratio_low=1.0, ratio_high=1.0)]
    path = tmp_path / "ratios.svg"
    draw(path, {"training": entries, "parts": [{"name": "ours collate", "ms_per_step": 0.5}]}, caption="a machine")
    drawn = path.read_text()
    for text in ("ours fp32", "HF Trainer default", "3.00", "1.00", "training", "a machine"):
        assert f"<!-- {text}" in drawn or text in drawn
    assert "collate" not in drawn


def test_nothing_to_draw_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw(tmp_path / "ratios.png", {"parts": [{"name": "ours collate", "ms_per_step": 0.5}]}, caption="")
