import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from safetensors.torch import load_file

from analysis.page import build_sections
from analysis.run import Run
from cli import PretrainCLI, run
from datamodules import MaskedLMDataModule
from lightning_modules import MaskedLMModule
from tasks import InputError

REPOSITORY = Path(__file__).parent.parent
CONFIG = REPOSITORY / "configs" / "pretrain.yaml"
TRAIN_FILES = {"sst": "ids-sst-train.csv", "quora": "quora-train.csv", "sts": "sts-train.csv"}
Pretrain = Callable[..., Path]


@pytest.fixture(scope="session")
def train_only(cs224n_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three train files; dev files are missing and test files are no text."""
    root = tmp_path_factory.mktemp("train_only")
    for name in TRAIN_FILES.values():
        (root / name).write_bytes((cs224n_root / name).read_bytes())
        (root / name.replace("train", "test-student")).write_bytes(b"\xff")
    return root


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def pretrain(
    word_backbone: Path, train_only: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Pretrain:
    """Run pretrain.py in a new folder on twelve rows a task; give the newest run's folder."""
    monkeypatch.chdir(tmp_path)

    def call(*flags: str, subcommand: str = "fit", config: Path = CONFIG, cli: type[PretrainCLI] = PretrainCLI) -> Path:
        tiny = {
            "--data.root": train_only,
            "--data.cache_dir": cache,
            "--data.batch_size": 8,
            "--fp32_matmul": "default",
            "--data.corpus.held_out": 0.2,
            "--model.backbone": word_backbone,
            "--model.optimizer.lr": 0.01,
            "--trainer.max_epochs": 2,
            "--trainer.accelerator": "cpu",
            "--trainer.enable_progress_bar": "false",
            "--trainer.log_every_n_steps": 1,
        }
        overrides = [f"{flag}={value}" for flag, value in tiny.items()] if config == CONFIG else []
        monkeypatch.setattr(sys, "argv", ["pretrain.py", subcommand, "-c", str(config), *overrides, *flags])
        run(cli, MaskedLMModule, MaskedLMDataModule)
        kind = "version" if subcommand == "fit" else subcommand
        folders = (tmp_path / "runs" / "pretrain").glob(f"{kind}_*")
        return max(folders, key=lambda folder: int(folder.name.split("_")[1]))

    return call


def read_report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return report


def test_a_run_reports_the_scores_and_the_train_files_that_it_read(
    pretrain: Pretrain, train_only: Path, tiny_backbone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = pretrain(f"--model.backbone={tiny_backbone}")
    report = read_report(folder)
    assert "held-out text scores" in capsys.readouterr().out  # no dev file is read

    assert folder.name == "version_0"
    assert set(report["metrics"]) == {"mlm"}
    scores = report["metrics"]["mlm"]
    assert set(scores) == {"loss", "perplexity", "accuracy"}
    assert scores["perplexity"] == pytest.approx(torch.tensor(scores["loss"]).exp().item(), rel=1e-5)
    assert 0 < scores["loss"] < 10  # 10.3 is chance, the logarithm of 30,522 tokens
    sequences = 0
    assert list(report["data"]) == list(TRAIN_FILES)
    for name, parts in report["data"].items():
        path = train_only / TRAIN_FILES[name]
        assert set(parts) == {"train", "held_out"}
        for part in parts.values():
            assert part["path"] == str(path)
            assert part["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        sequences += parts["train"]["sequences"]
    assert report["steps"] == 2 * -(-sequences // 8)
    assert report["seed"] == 42
    with pytest.raises(InputError, match=r"version_0: a run of pretrain\.py \(expected one of train\.py"):
        build_sections([Run(folder)], "dev")


def test_a_run_leaves_its_configuration_a_checkpoint_and_the_backbone(pretrain: Pretrain, word_backbone: Path) -> None:
    folder = pretrain()

    for name in ("config.yaml", "checkpoints/last.ckpt", "backbone/config.json", "backbone/tokenizer.json"):
        assert (folder / name).is_file(), name
    exported = load_file(folder / "backbone" / "model.safetensors")
    original = load_file(word_backbone / "model.safetensors")
    assert torch.equal(exported["bert.pooler.dense.weight"], original["pooler.dense.weight"])
    name = "embeddings.word_embeddings.weight"
    assert not torch.equal(exported[f"bert.{name}"], original[name])


def test_equal_commands_give_equal_weights_and_other_seeds_others(pretrain: Pretrain) -> None:
    digests = [read_report(pretrain(*flags))["weights_sha256"] for flags in ([], [], ["--seed_everything=1"])]

    assert digests[0] == digests[1] != digests[2]


def test_workers_do_not_change_the_weights(pretrain: Pretrain) -> None:
    flags = ["--data.corpus.sequences=pairs", "--data.weights={sst: 1.5, sts: 0.5}"]

    alone = read_report(pretrain(*flags))
    helped = read_report(pretrain(*flags, "--data.num_workers=2"))

    assert alone["weights_sha256"] == helped["weights_sha256"]
    assert alone["metrics"] == helped["metrics"]


def stop_after(step: int) -> type[PretrainCLI]:
    """Make a command line whose training fails after a step."""

    class Failure(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
            if trainer.global_step == step:
                raise RuntimeError(f"failed after step {step}")

    class FailingCLI(PretrainCLI):
        def own_callbacks(self) -> list[L.Callback]:
            return [*super().own_callbacks(), Failure()]

    return FailingCLI


@pytest.mark.parametrize(("failed", "saved", "workers"), [(5, 3, 0), (11, 9, 2)])
def test_a_run_that_failed_inside_an_epoch_resumes_to_the_weights_of_an_unbroken_one(
    pretrain: Pretrain, failed: int, saved: int, workers: int
) -> None:
    flags = ["--checkpoint.every_n_train_steps=3", "--data.weights={quora: 0.5, sst: 2}"]
    unbroken = read_report(pretrain(*flags))
    assert failed < unbroken["steps"] == 14  # seven steps an epoch
    with pytest.raises(RuntimeError, match=f"failed after step {failed}"):
        pretrain(*flags, cli=stop_after(failed))
    checkpoint = Path("runs/pretrain/version_1/checkpoints/last.ckpt")
    assert torch.load(checkpoint, weights_only=True)["global_step"] == saved
    assert not Path("runs/pretrain/version_1/backbone").exists()

    resumed = read_report(pretrain(*flags, "--ckpt_path=last", f"--data.num_workers={workers}"))

    assert Path(resumed["resumed_from"]).resolve() == checkpoint.resolve()
    assert resumed["steps"] == unbroken["steps"]
    assert resumed["weights_sha256"] == unbroken["weights_sha256"]
    assert resumed["metrics"] == unbroken["metrics"]
    files = [Path(f"runs/pretrain/version_{number}/backbone/model.safetensors").read_bytes() for number in (0, 2)]
    assert files[0] == files[1]


def test_a_finished_run_that_is_resumed_writes_the_same_backbone_again(pretrain: Pretrain) -> None:
    first = pretrain()
    again = pretrain("--ckpt_path=last")

    files = [(folder / "backbone" / "model.safetensors").read_bytes() for folder in (first, again)]
    assert first != again
    assert files[0] == files[1]


def test_validate_gives_the_scores_of_the_training_from_its_saved_configuration(pretrain: Pretrain) -> None:
    first = pretrain("--export_dir=my-bert")
    assert Path("my-bert/model.safetensors").is_file()
    assert not (first / "backbone").exists()

    folder = pretrain("--ckpt_path=last", subcommand="validate", config=first / "config.yaml")

    assert folder != first
    expected = read_report(first)["metrics"]["mlm"]
    assert read_report(folder)["metrics"]["mlm"] == pytest.approx(expected, rel=1e-6)
    assert not (folder / "backbone").exists()


def test_the_readmes_choices_are_flags(pretrain: Pretrain, tmp_path: Path) -> None:
    (tmp_path / "wiki.txt").write_text("".join(f"a sentence of my own number {number}\n" for number in range(40)))

    folder = pretrain(
        f"--data.texts={{wiki: {{source: {{train: {tmp_path / 'wiki.txt'}}}}}}}",
        "--data.corpus.sequences=pairs",
        "--data.weights={sst: 5}",
        "--data.masking.whole_words=false",
    )

    report = read_report(folder)
    train = {name: parts["train"]["sequences"] for name, parts in report["data"].items()}
    assert list(train) == ["sst", "quora", "sts", "wiki"]
    assert train["wiki"] + report["data"]["wiki"]["held_out"]["sequences"] == 40
    expected = 5 * train["sst"] + train["quora"] + train["sts"] + train["wiki"]
    assert report["steps"] == 2 * -(-expected // 8)


def test_tasks_may_be_left_out_for_own_texts(pretrain: Pretrain, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("".join(f"a sentence of my own number {number}\n" for number in range(40)))

    folder = pretrain("--tasks=null", f"--data.texts={{own: {{source: {{train: {tmp_path / 'own.txt'}}}}}}}")

    assert list(read_report(folder)["data"]) == ["own"]


def test_bf16_and_accumulated_gradients_run(pretrain: Pretrain) -> None:
    flags = ["--trainer.precision=bf16-mixed", "--trainer.accumulate_grad_batches=2", "--data.masking.probability=0.01"]

    report = read_report(pretrain(*flags))  # at 1 % some batches have no masked token

    assert report["steps"] == 8
    weights = load_file("runs/pretrain/version_0/backbone/model.safetensors")
    assert all(bool(weight.isfinite().all()) for weight in weights.values())


def test_an_export_folder_that_holds_something_is_refused_before_anything_else(
    pretrain: Pretrain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my-bert").mkdir()
    (tmp_path / "my-bert" / "note.txt").write_text("mine")

    with pytest.raises(SystemExit, match="2"):
        pretrain("--export_dir=my-bert")

    message = f"error: --export_dir {tmp_path / 'my-bert'}: holds something already (expected a new or empty folder)\n"
    assert capsys.readouterr().err.endswith(message)
    assert [path.name for path in tmp_path.iterdir()] == ["my-bert"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data.root=nowhere"], "nowhere/ids-sst-train.csv: no such file (the train split"),
        (["--tasks=null"], "no text to train on (expected tasks or data.texts)"),
        (["--data.weights={ssd: 2}"], "data.weights has ssd: 2.0 (expected a number above 0 for one of sst, quora"),
        (["--data.corpus.held_out=0"], "corpus.held_out is 0.0 (expected more than 0 and less than 1)"),
        (["--data.corpus.held_out=1e-9"], "ids-sst-train.csv: leaves no text for the held_out part"),
        (["--data.corpus.min_characters=1000"], "ids-sst-train.csv: leaves no text for the train part"),
        (["--data.masking.probability=1.5"], "masking.probability is 1.5 (expected more than 0 and less than 1)"),
        (["--data.batch_size=0"], "data.batch_size is 0 (expected 1 or more)"),
        (["--model.backbone=/no/such"], "backbone /no/such: no such folder"),
        (["--ckpt_path=last"], "no run in runs/pretrain has such a checkpoint"),
    ],
)
def test_what_the_user_got_wrong_ends_in_one_sentence(
    pretrain: Pretrain, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        pretrain(*flags)

    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--trainer.overfit_batches=2"], "trainer.overfit_batches is 2 (expected 0; to train on the same few"),
        (
            ["--trainer.limit_train_batches=0.01"],
            "trainer.limit_train_batches is 0.01, which leaves no batch of an epoch",
        ),
        (["--trainer.val_check_interval=1000"], "trainer.val_check_interval is 1000, but an epoch has"),
        (["--trainer.callbacks=BatchSizeFinder"], "BatchSizeFinder does not work here (expected --data.batch_size)"),
        (["--trainer.devices=-1"], "trainer: `devices` selected with `CPUAccelerator` should be an int > 0."),
        (
            ["--trainer.callbacks=EarlyStopping", "--trainer.callbacks.monitor=val/mean"],
            "monitor is val/mean (expected one of val/mlm/loss, val/mlm/perplexity, val/mlm/accuracy)",
        ),
        (
            ["--trainer.callbacks=EarlyStopping", "--trainer.callbacks.monitor=val/mlm/accuracy"],
            "EarlyStopping.mode is min, but more of val/mlm/accuracy is better (expected max)",
        ),
    ],
)
def test_an_option_of_the_trainer_that_does_not_work_is_refused(
    pretrain: Pretrain, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        pretrain(*flags)

    assert message in capsys.readouterr().err.splitlines()[-1]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_early_stopping_on_the_loss_ends_a_training(pretrain: Pretrain) -> None:
    stopping = ["--trainer.callbacks=EarlyStopping", "--trainer.callbacks.monitor=val/mlm/loss"]
    folder = pretrain(*stopping, "--trainer.callbacks.stopping_threshold=100", "--trainer.max_epochs=3")
    assert read_report(folder)["steps"] == pytest.approx(read_report(pretrain("--trainer.max_epochs=1"))["steps"])


def call_script(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an entry point as a process in a folder of its own, on the sample data."""
    tiny = ["--data.root", str(REPOSITORY / "sample_data"), "--data.cache_dir", "cache", "--trainer.accelerator=cpu"]
    command = [sys.executable, str(REPOSITORY / script), "fit", *arguments, *tiny, "--trainer.max_epochs=1"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_the_scripts_pretrain_and_then_fine_tune_on_the_sample_data(tiny_backbone: Path, tmp_path: Path) -> None:
    pretrained = call_script(
        tmp_path, "pretrain.py", "-c", str(CONFIG), f"--model.backbone={tiny_backbone}", "--export_dir=my-bert"
    )
    assert pretrained.returncode == 0, pretrained.stderr
    assert "sst: 475 sequences to train on, 5 held out" in pretrained.stderr
    assert f"fine-tune with --model.backbone {tmp_path / 'my-bert'}" in pretrained.stdout

    quickstart = str(REPOSITORY / "configs" / "quickstart.yaml")
    tuned = call_script(tmp_path, "train.py", "-c", quickstart, "--model.backbone=my-bert")
    assert tuned.returncode == 0, tuned.stderr
    assert read_report(tmp_path / "runs" / "quickstart" / "version_0")["backbone"] == "my-bert"


@pytest.mark.slow
def test_a_backbone_without_pooler_needs_fresh_layers_on_the_command_line(tiny_backbone: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer, BertForMaskedLM

    BertForMaskedLM.from_pretrained(tiny_backbone).save_pretrained(tmp_path / "bert")
    AutoTokenizer.from_pretrained(tiny_backbone).save_pretrained(tmp_path / "bert")
    arguments = ["-c", str(REPOSITORY / "configs" / "quickstart.yaml"), "--model.backbone=bert"]

    refused = call_script(tmp_path, "train.py", *arguments)
    assert refused.returncode == 2
    assert "error: the backbone has no pooler (choose pooling cls or mean, or fresh_layers: true)" in refused.stderr
    assert call_script(tmp_path, "train.py", *arguments, "--model.fresh_layers=true").returncode == 0


@pytest.mark.slow
def test_a_terminated_process_resumes_to_the_weights_of_an_unbroken_one(tiny_backbone: Path, tmp_path: Path) -> None:
    flags = ["-c", str(CONFIG), f"--model.backbone={tiny_backbone}", "--data.batch_size=8"]
    assert call_script(tmp_path, "pretrain.py", *flags).returncode == 0
    runs = tmp_path / "runs" / "pretrain"
    unbroken = read_report(runs / "version_0")

    command = [sys.executable, str(REPOSITORY / "pretrain.py"), "fit", *flags, "--trainer.accelerator=cpu"]
    command += ["--data.root", str(REPOSITORY / "sample_data"), "--data.cache_dir", "cache", "--trainer.max_epochs=1"]
    command += ["--checkpoint.every_n_train_steps=20"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    checkpoint = runs / "version_1" / "checkpoints" / "last.ckpt"
    while process.poll() is None and not checkpoint.exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 128 + signal.SIGTERM

    assert call_script(tmp_path, "pretrain.py", *flags, "--ckpt_path", str(checkpoint)).returncode == 0
    resumed = read_report(runs / "version_2")
    assert 20 <= torch.load(checkpoint, weights_only=True)["global_step"] < unbroken["steps"]
    assert resumed["weights_sha256"] == unbroken["weights_sha256"]
