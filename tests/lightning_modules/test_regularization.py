from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from datamodules import TaskBatch
from heads.divergences import class_divergence
from lightning_modules import MultitaskModule
from objectives import RandomWeights, RDrop, Regularizer, Smart, UpGrad
from tasks import InputError, Quora, Sst, Sts, Teacher
from tests.tiny import build_module, make_trainer, open_data, train_batches

TASKS = {"sst": Sst(), "quora": Quora(encoding="bi"), "sts": Sts(), "similar": Sts(encoding="bi")}


@pytest.fixture(scope="module")
def batches(tiny_backbone: Path, cs224n_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, TaskBatch]:
    return train_batches(open_data(tiny_backbone, cs224n_root, tmp_path_factory.mktemp("cache"), tasks=TASKS))


def build(backbone: Path, regularizer: Regularizer | None, **settings: Any) -> MultitaskModule:
    torch.manual_seed(0)
    return build_module(backbone, tasks=TASKS, regularizer=regularizer, **settings)


def step(module: MultitaskModule, batch: TaskBatch) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return module.training_step(batch, 0)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("pooling", ["pooler", "mean"])
def test_smart_adds_the_weighted_divergence_of_the_perturbed_batch(task, pooling, tiny_backbone, batches):
    batch = batches[task]
    module = build(tiny_backbone, Smart(weight=2.0), pooling=pooling)
    found: list[Tensor] = []
    forward = module.backbone.forward

    def watched(tokens: Any, task: str, perturbation: Tensor | None = None) -> Tensor:
        found.append(torch.zeros(0) if perturbation is None else perturbation.detach())
        return forward(tokens, task, perturbation)

    module.backbone.forward = watched  # type: ignore[method-assign]
    result = step(module, batch)
    module.backbone.forward = forward  # type: ignore[method-assign]
    assert [len(perturbation) for perturbation in found] == [
        0,
        len(batch.tokens.input_ids),
        len(batch.tokens.input_ids),
    ]
    torch.manual_seed(1)
    clean = module(batch)
    torch.manual_seed(1)
    perturbed = module(batch, found[-1])
    divergence = module.heads[task].divergence(clean, perturbed)
    assert divergence > 0
    assert result["loss"].item() == pytest.approx((result["task_loss"] + 2.0 * divergence).item(), rel=1e-5)
    firsts = batch.tokens.cu_seqlens[:-1]
    assert (found[-1][firsts].abs().amax(dim=1) - 1.0).abs().max() < 1e-5  # both sides of each pair are perturbed


@pytest.mark.parametrize("task", TASKS)
def test_rdrop_is_the_mean_of_two_losses_and_their_disagreement(task, tiny_backbone, batches):
    batch = batches[task]
    module = build(tiny_backbone, RDrop(alpha=3.0))
    result = step(module, batch)
    torch.manual_seed(1)
    first, second = module(batch), module(batch)
    losses = [module.heads[task].loss(output, batch.labels) for output in (first, second)]
    expected = sum(losses) / 2 + 1.5 * module.heads[task].divergence(first, second)
    assert result["loss"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert result["task_loss"].item() == pytest.approx(losses[0].item(), rel=1e-6)


@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_rdrop_is_the_mean_of_two_mixtures_of_labels_and_teacher(weight, tiny_backbone, batches):
    torch.manual_seed(0)
    tasks = {**TASKS, "sst": replace(TASKS["sst"], teacher=Teacher(files=("a.csv",), weight=weight, temperature=2.0))}
    module = build_module(tiny_backbone, tasks=tasks, regularizer=RDrop(alpha=3.0))
    batch = batches["sst"]._replace(teacher=torch.rand(len(batches["sst"].rows), 5).softmax(1))
    head = module.heads["sst"]
    result = step(module, batch)
    torch.manual_seed(1)
    outputs = module(batch), module(batch)
    mixtures = [
        (1 - weight) * head.loss(output, batch.labels) + weight * head.soft_loss(output, batch.teacher, 2.0)
        for output in outputs
    ]
    expected = sum(mixtures) / 2 + 1.5 * class_divergence(*outputs)
    assert result["loss"].item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("regularizer", [Smart(tasks=("sst",)), RDrop(tasks=("sst",))])
def test_only_the_named_tasks_are_regularized(regularizer, tiny_backbone, batches):
    plain, module = build(tiny_backbone, None), build(tiny_backbone, regularizer)
    for task, batch in batches.items():
        same = torch.equal(step(module, batch)["loss"], step(plain, batch)["loss"])
        assert same == (task != "sst")


def test_rdrop_works_on_cached_vectors_of_a_frozen_backbone(tiny_backbone, cs224n_root, tmp_path):
    data = open_data(tiny_backbone, cs224n_root, tmp_path, tasks=TASKS)
    module = build(tiny_backbone, RDrop(), freeze_backbone=True)
    make_trainer(tmp_path, max_steps=4).fit(module, datamodule=data)
    plain = build(tiny_backbone, None, freeze_backbone=True)
    make_trainer(tmp_path, max_steps=4).fit(plain, datamodule=data)
    assert not torch.equal(module.heads["sst"].linear.weight, plain.heads["sst"].linear.weight)


def test_without_dropout_rdrop_changes_nothing(tiny_backbone, batches):
    module = build(tiny_backbone, RDrop(alpha=5.0))
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    result = step(module, batches["sst"])
    assert result["loss"].item() == pytest.approx(result["task_loss"].item(), rel=1e-6)


def test_smart_on_a_frozen_backbone_is_refused(tiny_backbone):
    with pytest.raises(InputError, match="Smart perturbs the embeddings of a backbone that is trained"):
        build(tiny_backbone, Smart(), freeze_backbone=True)


def test_an_unknown_task_is_refused(tiny_backbone):
    with pytest.raises(InputError, match=r"RDrop: tasks has nli \(expected names of tasks: sst, quora"):
        build(tiny_backbone, RDrop(tasks=("sst", "nli")))


def test_a_checkpoint_keeps_regularizer_and_surgery(tiny_backbone, cs224n_root, tmp_path):
    smart, upgrad = Smart(weight=0.5, tasks=("sst",)), UpGrad("mean")
    module = build(tiny_backbone, smart, surgery=upgrad)
    trainer = make_trainer(tmp_path, max_steps=1, accumulate_grad_batches=2)
    trainer.fit(module, datamodule=open_data(tiny_backbone, cs224n_root, tmp_path, tasks=TASKS, share_rows=False))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    torch.load(tmp_path / "last.ckpt", weights_only=True)
    loaded = MultitaskModule.load_from_checkpoint(tmp_path / "last.ckpt")
    assert loaded._regularization.regularizers == [smart]
    assert loaded._surgeon is not None
    assert loaded._surgeon.surgery == upgrad


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regularizer": None}, r"model\.regularizer: null \(the checkpoint: RDrop\)"),
        ({"regularizer": RDrop(alpha=2.0)}, r"model\.regularizer\.alpha: 2\.0 \(the checkpoint: 1\.0\)"),
        ({"surgery": UpGrad()}, r"model\.surgery: UpGrad \(the checkpoint: null\)"),
        ({"weighting": RandomWeights}, r"model\.weighting: RandomWeights \(the checkpoint: null\)"),
        ({"tasks": {**TASKS, "sst": Sst(weight=2.0)}}, r"tasks\.sst\.weight: 2\.0 \(the checkpoint: 1\.0\)"),
        ({}, None),
    ],
)
def test_a_training_is_not_resumed_with_another_objective(changes, message, tiny_backbone, cs224n_root, tmp_path):
    settings = {"tasks": TASKS, "regularizer": RDrop()}
    data = open_data(tiny_backbone, cs224n_root, tmp_path, tasks=TASKS)
    trainer = make_trainer(tmp_path, max_steps=2, accumulate_grad_batches=2)
    trainer.fit(build_module(tiny_backbone, **settings), datamodule=data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    resumed = build_module(tiny_backbone, **{**settings, **changes})
    trainer = make_trainer(tmp_path, max_steps=3, accumulate_grad_batches=2)
    if message is None:
        trainer.fit(resumed, datamodule=data, ckpt_path=tmp_path / "last.ckpt")
        return
    with pytest.raises(InputError, match=message):
        trainer.fit(resumed, datamodule=data, ckpt_path=tmp_path / "last.ckpt")
