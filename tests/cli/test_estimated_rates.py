"""An estimate of transfer moves each shared weight with the learning rate that the run gave it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments.transfer import main


def estimate(run: Path, output: Path) -> dict[tuple[str, str], float]:
    assert main(["--estimate", str(run), "--output", str(output), "--batches", "2"]) == 0
    found = json.loads((output / "estimate.json").read_text())["gains"]
    return {(entry["step on"], entry["target"]): entry["interval"]["estimate"] for entry in found}


def with_rates(run: Path, folder: Path, **settings: Any) -> Path:
    """Copy a run, as if it had been trained with other learning rates."""
    shutil.copytree(run, folder)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["model"]["optimizer"] |= settings
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return folder


def test_lower_layers_move_less_under_layer_decay(fitted, tmp_path):
    lr = yaml.safe_load((fitted / "config.yaml").read_text())["model"]["optimizer"]["lr"]
    plain = estimate(fitted, tmp_path / "plain")
    doubled = estimate(with_rates(fitted, tmp_path / "doubled", lr=2 * lr), tmp_path / "of-doubled")
    assert doubled == pytest.approx({pair: 2 * gain for pair, gain in plain.items()})
    decayed = estimate(with_rates(fitted, tmp_path / "decayed", layer_decay=1e-6), tmp_path / "of-decayed")
    assert decayed != pytest.approx(plain, rel=0.01)
    assert abs(decayed["sst", "sst"]) < abs(plain["sst", "sst"])
