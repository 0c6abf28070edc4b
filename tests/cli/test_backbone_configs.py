"""The layers of configs/backbones/: each names a backbone and how it is trained, and nothing else."""

import re

import pytest
import yaml

from tests.cli.command_line import CS224N, ROOT
from tests.cli.row_configs import read_config

LAYERS = sorted((ROOT / "configs" / "backbones").glob("*.yaml"))
POOLINGS = {"pooler", "cls", "mean"}


def test_there_is_a_layer_for_each_family():
    assert {path.stem.partition("-")[0] for path in LAYERS} == {
        *("roberta", "xlm", "deberta", "modernbert", "ettin", "mmbert", "electra", "distilbert", "mpnet")
    }


@pytest.mark.parametrize("layer", LAYERS, ids=lambda path: path.stem)
def test_a_layer_says_its_command_and_where_its_values_come_from(layer):
    command, *reasons = [line for line in layer.read_text().splitlines() if line.startswith("#")]
    name = f"configs/backbones/{layer.name}"
    assert command == f"# python train.py fit -c configs/cs224n.yaml -c {name} --data.root DIR"
    text = " ".join(line.removeprefix("# ") for line in reasons)
    assert re.search(r"https://\S+", text)
    assert re.search(r"\b(Apache-2\.0|MIT)\b", text)
    chosen = yaml.safe_load(layer.read_text())
    assert list(chosen) == ["model"]
    assert {"backbone", "pooling"} <= set(chosen["model"]) <= {"backbone", "pooling", "optimizer"}
    assert "lr" in chosen["model"].get("optimizer", {}) or "learning rate is ours" in text


@pytest.mark.parametrize("layer", LAYERS, ids=lambda path: path.stem)
def test_a_layer_parses_over_the_base_and_keeps_the_rest_of_it(layer, train):
    base, config = (read_config(train, "-c", str(CS224N), *more) for more in ([], ["-c", str(layer)]))
    chosen = yaml.safe_load(layer.read_text())["model"]
    assert config["model"]["backbone"] == chosen["backbone"] != base["model"]["backbone"]
    assert config["model"]["pooling"] == chosen["pooling"] in POOLINGS
    assert config["model"]["optimizer"] == {**base["model"]["optimizer"], **chosen.get("optimizer", {})}
    followed = {"tokenizer": config["data"].get("tokenizer")} if "tokenizer" in base["data"] else {}
    assert {**config, "model": base["model"]} == {**base, "data": {**base["data"], **followed}}
