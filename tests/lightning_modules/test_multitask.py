import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn import functional as F

from callbacks import AtomicCheckpointIO, BestCheckpoint, StepSeed
from datamodules import BatchRows, MultitaskDataModule, collate
from heads import (
    ConcatProductHead,
    CosineHead,
    LinearHead,
    Scores,
    TrunkCosineHead,
    TrunkLinearHead,
    TrunkSettings,
)
from lightning_modules import MultitaskModule, OptimizerSettings
from objectives import MultipleNegativesRanking, SimCse
from tasks import InputError, Quora, Sst, Sts, Task, Teacher
from tests.tiny import TASKS, build_module, make_trainer, open_data, train_batches

pytestmark = pytest.mark.filterwarnings("ignore:The variance of predictions:UserWarning")
WEIGHTED: dict[str, Task] = {"sst": Sst(weight=0.5), "quora": Quora(weight=3.0), "sts": Sts(encoding="bi")}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def data(tiny_backbone: Path, cs224n_root: Path, cache: Path) -> Callable[..., MultitaskDataModule]:
    return lambda **settings: open_data(tiny_backbone, cs224n_root, cache, **settings)


@pytest.fixture
def labelled(cs224n_root: Path) -> dict[str, Task]:
    """The shipped tasks with the dev files as test files."""
    return {name: replace(task, source=replace(task.source, test=task.source.dev)) for name, task in TASKS.items()}


def predict_all(module: MultitaskModule, data: MultitaskDataModule) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return predictions and labels of each task's dev split, in the order of the rows."""
    module.eval()
    found: dict[str, list[Any]] = {}
    with torch.no_grad():
        for batch in data.val_dataloader():
            predictions = module.predict_step(batch, 0)[batch.task]["prediction"]
            found.setdefault(batch.task, []).append((batch.rows, predictions, batch.labels))
    columns = {task: [torch.cat(column) for column in zip(*parts, strict=True)] for task, parts in found.items()}
    return {
        task: (predictions[rows.argsort()].numpy(), labels[rows.argsort()].numpy())
        for task, (rows, predictions, labels) in columns.items()
    }


def test_training_step_is_the_heads_loss_times_task_weight_and_batch_weight(tiny_backbone, data):
    module = build_module(tiny_backbone, tasks=WEIGHTED).eval()
    batches = train_batches(data(tasks=WEIGHTED))
    raw = {}
    with torch.no_grad():
        for task, batch in batches.items():
            pooled = module.backbone(batch.tokens)
            raw[task] = (module.heads[task].linear(pooled) if task != "sts" else pooled, batch.labels)
        first, second = module.heads["sts"].project(raw["sts"][0].view(4, 2, 16)).unbind(dim=1)
    by_hand = {
        "sst": -raw["sst"][0].log_softmax(dim=1)[torch.arange(4), raw["sst"][1]].mean(),
        "quora": F.binary_cross_entropy(raw["quora"][0][:, 0].sigmoid(), raw["quora"][1].float()),
        "sts": ((5 * F.cosine_similarity(first, second) - raw["sts"][1]) ** 2).mean(),
    }
    for task, batch in batches.items():
        result = module.training_step(batch._replace(weight=0.75), 0)
        assert result["task_loss"] == pytest.approx(float(by_hand[task]), rel=1e-5)
        assert result["loss"].item() == pytest.approx(float(by_hand[task]) * WEIGHTED[task].weight * 0.75, rel=1e-5)
        assert result["loss"].requires_grad
        assert not result["task_loss"].requires_grad


def test_auxiliary_objectives_join_the_loss_before_the_weights(tiny_backbone, data):
    objectives = (MultipleNegativesRanking(weight=0.5, positive=3.0), SimCse(weight=0.25))
    tasks: dict[str, Task] = {"sts": Sts(encoding="bi", weight=2.0, auxiliary=objectives)}
    module = build_module(tiny_backbone, tasks=tasks).eval()  # without dropout both passes are the same
    batch = train_batches(data(tasks=tasks))["sts"]
    with torch.no_grad():
        pooled = module.backbone(batch.tokens).view(4, 2, 16)
        first, second = F.normalize(pooled, dim=2).unbind(dim=1)
        ranking = F.cross_entropy(20 * first @ second.T, torch.arange(4), reduction="none")
        contrast = [F.cross_entropy(side @ side.T / 0.05, torch.arange(4)) for side in (first, second)]
    found = float((ranking * (batch.labels >= 3)).sum() / 4)
    assert found > 0
    result = module.training_step(batch._replace(weight=0.75), 0)
    main = float(result["task_loss"])
    expected = (main + 0.5 * found + 0.25 * float(sum(contrast) / 2)) * 2.0 * 0.75
    assert result["loss"].item() == pytest.approx(expected, rel=1e-5)


def test_simcse_sees_other_dropout_masks(tiny_backbone, data):
    tasks: dict[str, Task] = {"sst": Sst(auxiliary=(SimCse(),))}
    module = build_module(tiny_backbone, tasks=tasks)
    batch = train_batches(data(tasks=tasks))["sst"]
    seen: list[torch.Tensor] = []
    share_pass = module.share_pass
    module.share_pass = lambda *arguments: seen.extend(share_pass(*arguments)) or seen[-1:]
    module.training_step(batch, 0)
    assert len(seen) == 2
    assert not torch.equal(*seen)


def test_a_frozen_backbone_has_nothing_to_learn_from_auxiliary_objectives(tiny_backbone):
    with pytest.raises(InputError, match=r"task sst: auxiliary objectives train the backbone, but model\.freeze"):
        build_module(tiny_backbone, tasks={"sst": Sst(auxiliary=(SimCse(),))}, freeze_backbone=True)


@pytest.mark.parametrize("task", [Quora(), Sts(), Sts(encoding="bi", head=ConcatProductHead)], ids=["0", "1", "2"])
def test_averaged_orders_give_the_mean_of_both(task, tiny_backbone, data):
    tasks = {"pairs": replace(task, average_orders=True)}
    module = build_module(tiny_backbone, tasks=tasks).eval()
    dev = data(tasks=tasks)
    dev.prepare_data()
    dev.setup("fit")
    batch = next(iter(dev.val_dataloader()))
    with torch.no_grad():
        head = module.heads["pairs"]
        outputs = head(module.pool(batch))
        (averaged,) = module.predict_step(batch, 0).values()
    one, other = outputs.split(len(batch.labels))
    assert not torch.allclose(one, other, rtol=0, atol=1e-5)
    if isinstance(task.labels, Scores):
        torch.testing.assert_close(averaged["prediction"], (one + other) / 2)
    else:
        mean = (head.probabilities(one) + head.probabilities(other)) / 2
        torch.testing.assert_close(averaged["probabilities"], mean)
    assert averaged["prediction"].shape == batch.labels.shape


def test_frozen_vectors_leave_out_tasks_whose_pairs_change_places(tiny_backbone, data, tmp_path):
    tasks: dict[str, Task] = {"sst": Sst(), "quora": Quora(swap=True), "sts": Sts(average_orders=True)}
    logged = []
    for cache_vectors in (True, False):
        torch.manual_seed(0)
        module = build_module(tiny_backbone, tasks=tasks, freeze_backbone=True, cache_vectors=cache_vectors)
        trainer = make_trainer(tmp_path, StepSeed(1))
        trainer.fit(module, datamodule=data(tasks=tasks))
        logged.append({name: float(value) for name, value in trainer.callback_metrics.items()})
    assert logged[0] == pytest.approx(logged[1], abs=1e-4)


def test_a_teacher_is_mixed_into_the_loss(tiny_backbone, data, tmp_path):
    yes = {f"quora-{number:02d}": number / 20 for number in range(12)}
    path = tmp_path / "teacher.csv"
    path.write_text("id,0,1\n" + "".join(f"{name},{1 - p},{p}\n" for name, p in yes.items()))
    teacher = Teacher(files=(str(path),), weight=0.25, temperature=2.0)
    tasks: dict[str, Task] = {"quora": Quora(teacher=teacher)}
    module = build_module(tiny_backbone, tasks=tasks).eval()
    batch = train_batches(data(tasks=tasks))["quora"]
    assert batch.teacher[:, 1].tolist() == pytest.approx([yes[name] for name in batch.ids])
    with torch.no_grad():
        logits = module(batch)
    own = torch.stack([(-logits / 2).sigmoid(), (logits / 2).sigmoid()], dim=1)
    wanted = batch.teacher.clamp_min(1e-7).sqrt()
    wanted = wanted / wanted.sum(dim=1, keepdim=True)
    soft = 4 * (wanted * (wanted / own).log()).sum(dim=1).mean()
    main = F.binary_cross_entropy_with_logits(logits, batch.labels.float())
    result = module.training_step(batch, 0)
    assert result["loss"].item() == pytest.approx(float(0.75 * main + 0.25 * soft), rel=1e-4)
    assert result["task_loss"].item() == pytest.approx(float(main), rel=1e-5)


@pytest.mark.parametrize("task", [Quora, Sts])
def test_twins_see_the_pair_as_each_encoding_alone_does(task, tiny_backbone, data):
    encodings: dict[str, Task] = {name: task(encoding=name) for name in ("cross", "bi", "both")}
    module = build_module(tiny_backbone, tasks=encodings).eval()
    twin = module.heads["both"]
    twin.cross.load_state_dict(module.heads["cross"].state_dict())
    twin.bi.load_state_dict(module.heads["bi"].state_dict())
    dev = data(tasks=encodings)
    dev.prepare_data()
    dev.setup("fit")
    batches = {name: collate(dev.stores["dev"][name], BatchRows(name, np.arange(6))) for name in encodings}
    with torch.no_grad():
        found = {name: module.predict_step(batch, 0)[name] for name, batch in batches.items()}
    for name, view in {"cross": "", "bi": "_bi"}.items():
        torch.testing.assert_close(found["both"]["views"][view]["prediction"], found[name]["prediction"])
    torch.testing.assert_close(found["both"]["prediction"], found["cross"]["prediction"])


def test_twins_are_scored_apart_and_the_cross_head_enters_the_mean(tiny_backbone, data, tmp_path):
    tasks: dict[str, Task] = {"sst": Sst(), "quora": Quora(encoding="both")}
    logged = make_trainer(tmp_path).validate(
        build_module(tiny_backbone, tasks=tasks), datamodule=data(tasks=tasks), verbose=False
    )[0]
    expected = {f"val/{name}/{key}" for name in ("quora", "quora_bi") for key in ("accuracy", "f1", "loss")}
    assert expected < set(logged)
    mean = (logged["val/sst/accuracy"] + logged["val/quora/accuracy"]) / 2
    assert logged["val/mean"] == pytest.approx(mean, abs=1e-6)


def test_a_task_with_the_name_of_a_second_head_is_refused(tiny_backbone):
    with pytest.raises(InputError, match="task name 'sts_bi' cannot be used: the second head of task sts has it"):
        build_module(tiny_backbone, tasks={"sts": Sts(encoding="both"), "sts_bi": Sts(encoding="bi")})


def test_only_the_batchs_head_and_the_backbone_get_gradients(tiny_backbone, data):
    module = build_module(tiny_backbone)
    module.training_step(train_batches(data())["quora"], 0)["loss"].backward()
    with_gradient = {name for name, parameter in module.named_parameters() if parameter.grad is not None}
    assert {name for name in with_gradient if name.startswith("heads.")} == {
        "heads.quora.linear.weight",
        "heads.quora.linear.bias",
    }
    assert {name for name, _ in module.named_parameters() if name.startswith("backbone.")} <= with_gradient


@pytest.mark.parametrize("pooling", ["pooler", "cls", "mean"])
def test_every_backbone_parameter_is_used_whatever_the_pooling(pooling, tiny_backbone, data):
    module = build_module(tiny_backbone, pooling=pooling)
    module.training_step(train_batches(data())["sst"], 0)["loss"].backward()
    assert [name for name, parameter in module.backbone.named_parameters() if parameter.grad is None] == []


def test_metrics_are_those_of_all_rows_at_once(tiny_backbone, data, tmp_path):
    module = build_module(tiny_backbone)
    dev = data(tokens_per_batch=30)
    trainer = make_trainer(tmp_path)
    trainer.validate(module, datamodule=dev, verbose=False)
    spread(module, predict_all(module, dev)["sts"][0])
    logged = trainer.validate(module, datamodule=dev, verbose=False)[0]
    assert len(dev.val_dataloader()) > 12  # so that means of batch means would differ
    found = predict_all(module, dev)
    assert {task: len(labels) for task, (_, labels) in found.items()} == {"sst": 12, "quora": 12, "sts": 12}
    expected = {
        "val/sst/accuracy": np.mean(found["sst"][0] == found["sst"][1]),
        "val/sst/macro_f1": macro_f1(*found["sst"], classes=5),
        "val/quora/accuracy": np.mean(found["quora"][0] == found["quora"][1]),
        "val/quora/f1": f1(*found["quora"], 1),
        "val/sts/pearson": stats.pearsonr(*found["sts"]).statistic,
        "val/sts/spearman": stats.spearmanr(*found["sts"]).statistic,
        "val/sts/loss": np.mean((found["sts"][0] - found["sts"][1]) ** 2),
    }
    assert {name: logged[name] for name in expected} == pytest.approx(expected, abs=1e-5)
    firsts = [logged[name] for name in ("val/sst/accuracy", "val/quora/accuracy", "val/sts/pearson")]
    assert logged["val/mean"] == pytest.approx(sum(firsts) / 3, abs=1e-6)
    assert len(logged) == 10


def spread(module: MultitaskModule, scores: np.ndarray) -> None:
    """Spread the scores, which an untrained head gives nearly alike, over the whole range."""
    logits = np.log(scores / (5 - scores))
    head = module.heads["sts"].linear
    head.weight.data.div_(logits.std())
    head.bias.data.sub_(logits.mean()).div_(logits.std())


def f1(predictions: np.ndarray, labels: np.ndarray, of: int) -> float:
    both = np.sum((predictions == of) & (labels == of))
    return 2 * both / max(np.sum(predictions == of) + np.sum(labels == of), 1)


def macro_f1(predictions: np.ndarray, labels: np.ndarray, *, classes: int) -> float:
    """Mean over the classes that occur among predictions or labels."""
    occurring = sorted({*predictions, *labels} & set(range(classes)))
    return float(np.mean([f1(predictions, labels, of) for of in occurring]))


def test_a_second_validation_forgets_the_first(tiny_backbone, data, tmp_path):
    module, dev, trainer = build_module(tiny_backbone), data(), make_trainer(tmp_path)
    first = trainer.validate(module, datamodule=dev, verbose=False)
    assert trainer.validate(module, datamodule=dev, verbose=False) == first


def test_mean_takes_the_first_metric_that_the_task_names(tiny_backbone, data, tmp_path):
    tasks = {"sts": Sts(metrics=("spearman", "mean_absolute_error", "pearson"))}
    logged = make_trainer(tmp_path).validate(
        build_module(tiny_backbone, tasks=tasks), datamodule=data(tasks=tasks), verbose=False
    )[0]
    assert logged["val/mean"] == pytest.approx(logged["val/sts/spearman"], abs=1e-6)
    assert set(logged) == {
        "val/sts/spearman",
        "val/sts/mean_absolute_error",
        "val/sts/pearson",
        "val/sts/loss",
        "val/mean",
    }


def test_test_logs_the_same_numbers_under_another_name(tiny_backbone, data, labelled, tmp_path):
    module, trainer = build_module(tiny_backbone, tasks=labelled), make_trainer(tmp_path)
    on_dev = trainer.validate(module, datamodule=data(tasks=labelled), verbose=False)[0]
    on_test = trainer.test(module, datamodule=data(tasks=labelled), verbose=False)[0]
    assert on_test == {name.replace("val/", "test/"): value for name, value in on_dev.items()}


def test_test_leaves_out_a_task_without_labelled_test_split(tiny_backbone, data, labelled, tmp_path):
    tasks = {"sst": labelled["sst"], "quora": TASKS["quora"]}
    logged = make_trainer(tmp_path).test(
        build_module(tiny_backbone, tasks=tasks), datamodule=data(tasks=tasks), verbose=False
    )[0]
    assert set(logged) == {"test/sst/accuracy", "test/sst/macro_f1", "test/sst/loss", "test/mean"}
    assert logged["test/mean"] == logged["test/sst/accuracy"]


def silence(module: MultitaskModule) -> None:
    """Make the similarity head say 2.5 whatever it reads."""
    for parameter in module.heads["sts"].parameters():
        parameter.data.zero_()


def test_constant_predictions_make_the_mean_undefined(tiny_backbone, data, tmp_path):
    module = build_module(tiny_backbone)
    silence(module)
    logged = make_trainer(tmp_path).validate(module, datamodule=data(), verbose=False)[0]
    assert math.isnan(logged["val/mean"])
    assert math.isnan(logged["val/sts/pearson"])
    assert not math.isnan(logged["val/sst/accuracy"])


class SilentEpochs(L.Callback):
    """Silences the similarity head during the validations of some epochs."""

    def __init__(self, *epochs: int) -> None:
        self.epochs = epochs
        self.means: list[float] = []

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.kept = {name: tensor.clone() for name, tensor in pl_module.heads["sts"].state_dict().items()}
        if trainer.current_epoch in self.epochs:
            silence(pl_module)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        pl_module.heads["sts"].load_state_dict(self.kept)
        self.means.append(float(trainer.callback_metrics["val/mean"]))


@pytest.mark.parametrize(("silent", "best"), [((0,), 1), ((1,), 0), ((0, 2), 1)])
def test_an_undefined_mean_never_becomes_best(silent, best, tiny_backbone, data, tmp_path):
    module = build_module(tiny_backbone, optimizer=OptimizerSettings(lr=0.0))
    checkpoint = BestCheckpoint(tmp_path, filename="{epoch}", monitor="val/mean", mode="max", save_weights_only=True)
    epochs = SilentEpochs(*silent)
    trainer = make_trainer(
        tmp_path, epochs, checkpoint, max_epochs=len(silent) + 1, limit_train_batches=1, enable_checkpointing=True
    )
    trainer.fit(module, datamodule=data())
    assert [math.isnan(mean) for mean in epochs.means] == [epoch in silent for epoch in range(len(silent) + 1)]
    assert [path.name for path in tmp_path.glob("*.ckpt")] == [f"epoch={best}.ckpt"]
    assert float(checkpoint.best_model_score) == epochs.means[best]


def test_predict_step_gives_labels_and_probabilities(tiny_backbone, data):
    module = build_module(tiny_backbone).eval()
    with torch.no_grad():
        found = {task: module.predict_step(batch, 0)[task] for task, batch in train_batches(data()).items()}
    assert torch.equal(found["sst"]["prediction"], found["sst"]["probabilities"].argmax(dim=1))
    assert torch.equal(found["quora"]["prediction"], (found["quora"]["probabilities"][:, 1] > 0.5).long())
    assert torch.allclose(found["sst"]["probabilities"].sum(dim=1), torch.ones(4))
    assert found["sts"]["probabilities"] is None
    assert found["sts"]["prediction"].shape == (4,)
    assert ((found["sts"]["prediction"] > 0) & (found["sts"]["prediction"] < 5)).all()


def test_dropout_is_on_from_the_first_step(tiny_backbone, data):
    module = build_module(tiny_backbone)
    batch = train_batches(data())["sts"]
    assert all(part.training for part in module.modules())
    assert not torch.equal(module(batch), module(batch))


def test_a_frozen_backbone_stays_in_evaluation_mode(tiny_backbone, data):
    module = build_module(tiny_backbone, freeze_backbone=True)
    module.train()
    module.training_step(train_batches(data())["sst"], 0)["loss"].backward()
    assert not any(part.training for part in module.backbone.modules())
    assert module.heads.training
    assert {name for name, parameter in module.named_parameters() if parameter.grad is not None} == {
        "heads.sst.linear.weight",
        "heads.sst.linear.bias",
    }


@pytest.mark.parametrize("name", ["", "a.b", "a b", "items", "train", "type", "mean", "training", "1st"])
def test_a_task_name_that_pytorch_cannot_have_is_refused(name, tiny_backbone):
    with pytest.raises(InputError, match="cannot be used"):
        build_module(tiny_backbone, tasks={name: Sst()})


@pytest.mark.parametrize("encoding", ["cross", "both", "bi"])
def test_a_joined_pair_is_refused_on_a_backbone_with_one_segment(encoding, tiny_backbone):
    config = {"vocab_size": 9, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    settings = {"tasks": {"sts": Sts(encoding=encoding)}, "backbone_config": {**config, "type_vocab_size": 1}}
    if encoding == "bi":
        build_module(tiny_backbone, **settings)
        return
    with pytest.raises(InputError, match=rf"task sts: encoding {encoding} needs two segments.*type_vocab_size 1"):
        build_module(tiny_backbone, **settings)


def test_no_tasks_are_refused(tiny_backbone):
    with pytest.raises(InputError, match="tasks is empty"):
        MultitaskModule({}, str(tiny_backbone))


def test_a_head_that_does_not_fit_is_refused_with_the_tasks_name(tiny_backbone):
    with pytest.raises(InputError, match=r"task mine: Quora: CosineHead predicts scores"):
        build_module(tiny_backbone, tasks={"mine": Quora(encoding="bi", head=CosineHead)})
    with pytest.raises(InputError, match=r"task mine: Sts: LinearHead reads 1 vector"):
        build_module(tiny_backbone, tasks={"mine": Sts(encoding="bi", head=LinearHead)})


def test_a_new_head_does_not_change_the_others_first_weights(tiny_backbone):
    torch.manual_seed(1)
    alone = build_module(tiny_backbone, tasks={"sst": Sst()})
    torch.manual_seed(1)
    together = build_module(tiny_backbone, tasks={"sst": Sst(), "quora": Quora()})
    assert torch.equal(alone.heads["sst"].linear.weight, together.heads["sst"].linear.weight)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"pooling": "mean"},
        {"freeze_backbone": True, "optimizer": OptimizerSettings(lr=1e-2, head_lr=1e-3, schedule="cosine")},
        {
            "pooling": "cls",
            "tasks": {
                "sst": Sst(head=LinearHead, metrics=("macro_f1", "matthews"), batch_size=2),
                "sts": Sts(encoding="bi", head=partial(CosineHead, dropout=0.1, projection_size=8)),
            },
        },
        {
            "trunk": TrunkSettings(size=8, dropout=0.1),
            "tasks": {
                "sst": Sst(head=partial(TrunkLinearHead, trunk_size=8)),
                "sts": Sts(encoding="bi", head=partial(TrunkCosineHead, trunk_size=8, projection_size=4)),
            },
        },
    ],
)
def test_a_checkpoint_alone_gives_the_same_predictions(settings, tiny_backbone, data, tmp_path):
    backbone = shutil.copytree(tiny_backbone, tmp_path / "backbone")
    module = build_module(backbone, **settings)
    trainer = make_trainer(tmp_path, plugins=[AtomicCheckpointIO()], max_steps=2)
    tasks = settings.get("tasks", TASKS)
    dev = data(tasks=tasks)
    trainer.fit(module, datamodule=dev)
    path = tmp_path / "last.ckpt"
    trainer.save_checkpoint(path)
    shutil.rmtree(backbone)

    torch.load(path, weights_only=True)
    loaded = MultitaskModule.load_from_checkpoint(path)
    before, after = predict_all(module, dev), predict_all(loaded, dev)
    assert set(before) == set(after) == set(tasks)
    for task in tasks:
        assert np.array_equal(before[task][0], after[task][0])
    assert loaded.optimizer == module.optimizer
    assert {name: type(task) for name, task in loaded.tasks.items()} == {n: type(t) for n, t in tasks.items()}


def test_a_loaded_module_can_be_saved_and_loaded_again(tiny_backbone, data, tmp_path):
    module, dev = build_module(tiny_backbone), data()
    trainer = make_trainer(tmp_path)
    trainer.validate(module, datamodule=dev, verbose=False)
    trainer.save_checkpoint(tmp_path / "first.ckpt")
    second = make_trainer(tmp_path)
    second.validate(MultitaskModule.load_from_checkpoint(tmp_path / "first.ckpt"), datamodule=dev, verbose=False)
    second.save_checkpoint(tmp_path / "second.ckpt")
    loaded = MultitaskModule.load_from_checkpoint(tmp_path / "second.ckpt")
    assert np.array_equal(predict_all(module, dev)["sts"][0], predict_all(loaded, dev)["sts"][0])


def test_weights_of_other_tasks_are_refused_with_one_sentence(tiny_backbone, data, tmp_path):
    trainer = make_trainer(tmp_path)
    trainer.validate(build_module(tiny_backbone), datamodule=data(), verbose=False)
    trainer.save_checkpoint(tmp_path / "three.ckpt")
    tasks = {"sst": Sst()}
    with pytest.raises(InputError, match=r"heads\.quora\.linear\.bias is of shape \(1,\) there, none here"):
        make_trainer(tmp_path).validate(
            build_module(tiny_backbone, tasks=tasks), datamodule=data(tasks=tasks), ckpt_path=tmp_path / "three.ckpt"
        )
