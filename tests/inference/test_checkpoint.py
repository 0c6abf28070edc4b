import os

import pytest
import torch

from backbones import Lora, Pals
from heads import TrunkSettings
from inference.checkpoint import build_model, build_tasks, find_checkpoint, read_checkpoint
from objectives import Uncertainty
from tasks import InputError, Quora, Sst, Sts
from tests.tiny import build_module, make_trainer, open_data, train_batches


def train(tiny_backbone, cs224n_root, tmp_path, **settings):
    module = build_module(tiny_backbone, **settings)
    tasks = settings.get("tasks")
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tasks=tasks, max_length=32)
    trainer = make_trainer(tmp_path, max_steps=3)
    trainer.fit(module, datamodule=data)
    trainer.save_checkpoint(tmp_path / "last.ckpt", weights_only=True)
    return module.eval(), train_batches(data)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"pooling": "mean", "trunk": TrunkSettings(size=4), "weighting": Uncertainty},
        {"adapter": Lora(), "save_trainable_only": True},
        {"adapter": Pals(num_heads=2)},
        {"tasks": {"sst": Sst(), "quora": Quora(), "sts": Sts(encoding="bi", average_orders=True)}},
    ],
    ids=["plain", "trunk", "lora", "pals", "encodings"],
)
def test_a_checkpoint_gives_the_outputs_of_its_module(settings, tiny_backbone, cs224n_root, tmp_path):
    module, batches = train(tiny_backbone, cs224n_root, tmp_path, **settings)
    checkpoint = read_checkpoint(tmp_path / "last.ckpt")
    tasks = build_tasks(checkpoint)
    model = build_model(checkpoint, tasks)
    assert tasks == module.tasks
    assert checkpoint.max_length == 32
    for name, batch in batches.items():
        with torch.no_grad():
            assert torch.equal(model.output(model.pool(batch.tokens, name), name), module(batch))


def test_other_frozen_weights_than_those_of_the_training_are_refused(tiny_backbone, cs224n_root, tmp_path):
    train(tiny_backbone, cs224n_root, tmp_path, adapter=Lora(), save_trainable_only=True)
    found = torch.load(tmp_path / "last.ckpt", weights_only=True)
    torch.save({**found, "frozen_sha256": "0" * 64}, tmp_path / "other.ckpt")
    checkpoint = read_checkpoint(tmp_path / "other.ckpt")
    with pytest.raises(InputError, match="not those that it was trained on"):
        build_model(checkpoint, build_tasks(checkpoint))


def test_an_encoding_that_is_two_tasks_now_is_refused_with_what_to_write(tiny_backbone, cs224n_root, tmp_path):
    train(tiny_backbone, cs224n_root, tmp_path, tasks={"sts": Sts()})
    found = torch.load(tmp_path / "last.ckpt", weights_only=True)
    found["hyper_parameters"]["tasks"]["sts"]["init_args"]["encoding"] = "both"
    torch.save(found, tmp_path / "old.ckpt")
    expected = r"old\.ckpt: task sts has encoding: both \(expected two tasks over the same pairs: one with"
    with pytest.raises(InputError, match=expected):
        build_tasks(read_checkpoint(tmp_path / "old.ckpt"))


def test_a_run_means_its_best_checkpoint_by_the_mean_else_its_last(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    with pytest.raises(InputError, match="holds no checkpoint"):
        find_checkpoint(tmp_path)
    names = ("best-epoch=0-step=3-mean=0.5.ckpt", "best-sst-epoch=0-step=3-accuracy=0.5.ckpt", "last.ckpt")
    for age, name in enumerate(reversed(names)):
        (folder / name).touch()
        os.utime(folder / name, (1000 - age, 1000 - age))
    assert find_checkpoint(tmp_path).name == names[0]
    (folder / names[0]).unlink()
    assert find_checkpoint(tmp_path) == folder / "last.ckpt"
    assert find_checkpoint(folder / names[1]) == folder / names[1]
    with pytest.raises(InputError, match="no such file or folder"):
        find_checkpoint(tmp_path / "none")


def test_what_is_no_checkpoint_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "text.ckpt").write_text("nothing")
    torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    torch.save({"state_dict": {}, "hyper_parameters": {"tasks": {}, "backbone": "x", "pooling": "cls"}}, tmp_path / "a")
    for name, message in (
        ("text.ckpt", "no readable checkpoint"),
        ("other.ckpt", "not a checkpoint of a multitask training"),
        ("a", "does not say how long"),
    ):
        with pytest.raises(InputError, match=message):
            read_checkpoint(tmp_path / name)


def test_a_class_that_cannot_be_imported_is_named(tmp_path):
    settings = {"tasks": {"mine": {"class_path": "nowhere.Mine"}}, "backbone": "x", "pooling": "cls"}
    data = {"identity": {"max_length": 8}}
    torch.save({"state_dict": {}, "hyper_parameters": settings, "MultitaskDataModule": data}, tmp_path / "a.ckpt")
    with pytest.raises(
        InputError, match=r"its tasks need the module nowhere, which is not found \(expected the folder"
    ):
        build_tasks(read_checkpoint(tmp_path / "a.ckpt"))
