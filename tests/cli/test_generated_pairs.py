"""Generated pairs on the command line: trained on, counted, planned for, left out of what is checked, printed."""

import json
from pathlib import Path

import pytest

from analysis.generated_pairs import main
from augmentation import PREFIX
from tests.cli.command_line import ROOT, CommandLine, read_report

SAMPLE = str(ROOT / "sample_data")
ROWS = 480
ON = ["--tasks.quora.generated_pairs.share", "0.1"]
METHOD = ROOT / "configs" / "methods" / "generated-pairs.yaml"


def run(train: CommandLine, command: str, *flags: str) -> None:
    limits = ["--data.max_length", "32"]
    train.raw(command, "-c", str(ROOT / "configs" / "cs224n.yaml"), *train.tiny, "--data.root", SAMPLE, *limits, *flags)


def test_a_training_counts_them(train, caplog):
    run(train, "fit", *ON, "--trainer.max_steps", "2", "--trainer.enable_progress_bar", "false")
    report = read_report(train.newest("cs224n"))
    found = report["data"]["quora"]
    assert found["train"]["rows"] == ROWS + 48
    assert found["train"]["generated"]["rows"] == 48
    assert sum(found["train"]["generated"]["kinds"].values()) == 48
    assert "generated" not in found["dev"]
    assert "48 pairs made by rule and trained on beside 480 rows" in caplog.text


def test_a_plan_says_how_many_there_are(train, tmp_path, capsys):
    run(train, "plan", *ON, "--json", str(tmp_path / "plan.json"))
    assert "note:         48 of the 528 training rows of quora are pairs made by rule" in capsys.readouterr().out
    (plan,) = json.loads((tmp_path / "plan.json").read_text())["plans"]
    assert plan["tasks"]["quora"]["rows"] == ROWS + 48


def test_a_check_looks_at_the_rows_of_the_file(train, tmp_path, capsys):
    for name, flags in (("with", ON), ("without", [])):
        run(train, "check", *flags, "--json", str(tmp_path / f"{name}.json"))
    found = [json.loads((tmp_path / f"{name}.json").read_text()) for name in ("with", "without")]
    assert found[0] == found[1]
    assert capsys.readouterr().out


def test_predictions_of_dev_know_nothing_of_them(train):
    run(train, "fit", *ON, "--trainer.max_steps", "2", "--trainer.enable_progress_bar", "false")
    text = (train.newest("cs224n") / "predictions" / "quora-dev.csv").read_text()
    assert text
    assert PREFIX not in text


def test_pairs_are_printed_for_reading(capsys):
    main(["-c", str(METHOD), "--data.root", SAMPLE, "--task", "quora", "--print", "2"])
    shown = capsys.readouterr().out
    assert "direction: " in shown
    assert "   2 0  " in shown
    assert "   3 0  " not in shown
    assert "48 pairs made by rule and trained on beside 480 rows" in shown


def test_a_task_without_them_is_shown_with_the_defaults(capsys):
    main(["-c", str(METHOD), "--data.root", SAMPLE, "--task", "sts", "--print", "1"])
    assert "voice: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["-c", str(METHOD), "--task", "nli"], "--task is 'nli' (expected one of sst, quora, sts)"),
        (["-c", str(METHOD), "--task", "sst"], "generated_pairs is set, but an example is one sentence"),
        (["-c", str(ROOT / "configs" / "backbones" / "roberta-base.yaml"), "--task", "sst"], "no tasks"),
        (["-c", "absent.yaml", "--task", "sst"], "absent.yaml"),
    ],
)
def test_what_cannot_be_printed_is_said(flags: list[str], message: str, capsys):
    assert main(flags) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--tasks.quora.generated_pairs.share", "0"], "generated_pairs.share is 0"),
        (["--tasks.quora.generated_pairs.kinds", "[direction]"], "generated_pairs.kinds is direction"),
        (["--tasks.quora.generated_pairs.kinds", "[turning]"], "kinds"),
        (["--tasks.sst.generated_pairs.share", "0.1"], "generated_pairs is set, but an example is one sentence"),
        (["--tasks.quora.generated_pairs.same", "7"], "generated_pairs.same is '7' (expected 0 or 1)"),
    ],
)
def test_wrong_settings_are_refused(train, flags: list[str], message: str, capsys):
    with pytest.raises(SystemExit) as ended:
        run(train, "fit", *flags)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_masked_language_model_that_is_not_there_is_refused(train, tmp_path: Path, capsys):
    with pytest.raises(SystemExit) as ended:
        run(train, "fit", *ON, "--tasks.quora.generated_pairs.fluency.model", str(tmp_path / "absent"))
    assert ended.value.code == 2
    assert "generated_pairs.fluency.model" in capsys.readouterr().err


def test_the_shortcut_model_sees_them_too(train):
    debias = ["--tasks.quora.debias", "ProductOfExperts"]
    run(train, "fit", *ON, *debias, "--trainer.max_steps", "2", "--trainer.enable_progress_bar", "false")
    assert read_report(train.newest("cs224n"))["data"]["quora"]["train"]["generated"]["rows"] == 48


def test_the_printed_pairs_are_those_of_a_training_with_the_limit_of_the_configuration(tmp_path, capsys):
    limited = tmp_path / "limited.yaml"
    limited.write_text("data: {train_limit: 60}\n")
    main(["-c", str(METHOD), "-c", str(limited), "--data.root", SAMPLE, "--task", "quora", "--print", "1"])
    assert "6 pairs made by rule and trained on beside 60 rows" in capsys.readouterr().out
