"""What a run leaves behind."""

import csv

import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from datamodules import MultitaskDataModule
from lightning_modules import MultitaskModule
from tests.cli.command_line import COLUMNS, TASKS, best_checkpoint, contents, ids_of, read_report


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
    assert (report["encoder"], report["threads"]) == ({"family": "bert", "way": "own"}, 1)
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


def test_the_curves_have_losses_scores_and_rates_and_the_figures_are_beside_them(fitted):
    events = EventAccumulator(str(fitted), size_guidance={"scalars": 0}).Reload()
    tags = set(events.Tags()["scalars"])
    assert {"val/mean", "val/sst/accuracy", "val/sts/pearson", "val/quora/loss"} <= tags
    steps = sorted(point.step for task in TASKS for point in events.Scalars(f"train/{task}/loss"))
    assert steps == [1, 2, 3, 4, 5]
    groups = {"backbone", "backbone-no-decay", "heads", "heads-no-decay"}
    assert {tag.removeprefix("lr-AdamW/") for tag in tags if tag.startswith("lr-")} == groups
    assert "hp_metric" not in tags
    images = {"val/sst/confusion", "val/sst/calibration", "val/quora/confusion", "val/quora/calibration"}
    assert set(events.Tags()["images"]) == {*images, "val/sts/similarity"}


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
                    found.update(
                        zip(batch.ids, module.predict_step(batch, 0)[batch.task]["prediction"].tolist(), strict=True)
                    )
        lines = (run_folder / "predictions" / "sts-dev.csv").read_text().splitlines()[1:]
        assert {name: float(score) for name, score in (line.split(", ") for line in lines)} == pytest.approx(
            found, abs=1e-6
        )
