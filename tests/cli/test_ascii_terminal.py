"""A configuration in UTF-8 where the locale and the terminal know ASCII alone."""

import os
import subprocess
import sys

import pytest
import yaml

from tests.cli.command_line import ROOT, read_report

CLASSES = ["größer", "klein"]


@pytest.fixture
def configuration(tmp_path, word_backbone):
    rows = "".join(f"{number},the film,{CLASSES[number % 2]}\n" for number in range(8))
    (tmp_path / "größen.csv").write_text("id,text,size\n" + rows, encoding="utf-8")
    source = {"train": "größen.csv", "dev": "größen.csv"}
    options = {"source": source, "texts": ["text"], "label": "size", "classes": CLASSES}
    config = {
        "tasks": {"own": {"class_path": "Classification", "init_args": options}},
        "model": {"backbone": str(word_backbone)},
        "data": {"root": str(tmp_path), "cache_dir": str(tmp_path / "cache"), "max_length": 16},
        "fp32_matmul": "default",
        "trainer": {"accelerator": "cpu", "max_steps": 1},
        "figures": {"every_n_validations": 0},
    }
    path = tmp_path / "prüfung.yaml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment", [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "ascii"}]
)
def test_a_run_reads_and_writes_utf8_and_prints_what_it_can(configuration, environment):
    folder = configuration.parent
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    ended = subprocess.run(
        [sys.executable, str(ROOT / "train.py"), "fit", "-c", configuration.name],
        cwd=folder,
        env={**clean, **environment},
        capture_output=True,
        timeout=200,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    assert b"run folder: runs/pr?fung/version_0\n" in ended.stdout
    run = folder / "runs" / "prüfung" / "version_0"
    assert read_report(run)["steps"] == 1
    head, *rows = (run / "predictions" / "own-dev-probabilities.csv").read_text(encoding="utf-8").splitlines()
    assert (head, len(rows)) == ("id,größer,klein", 8)
    saved = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    assert saved["tasks"]["own"]["init_args"]["classes"] == CLASSES
