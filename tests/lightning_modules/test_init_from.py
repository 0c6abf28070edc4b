import pytest
import torch
import yaml

from backbones import Lora
from heads import MlpHead
from inference import Predictor
from lightning_modules import OptimizerSettings
from tasks import InputError, Quora, Sst, Sts
from tests.tiny import build_module, make_trainer, open_data

STILL = OptimizerSettings(lr=1e-2, schedule="constant", warmup=0.0, weight_decay=0.0)


@pytest.fixture(scope="module")
def trained(tiny_backbone, cs224n_root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    module = build_module(tiny_backbone)
    trainer = make_trainer(folder, max_steps=6)
    trainer.fit(module, datamodule=open_data(tiny_backbone, cs224n_root, folder / "cache", max_length=32))
    trainer.save_checkpoint(folder / "last.ckpt", weights_only=True)
    return folder / "last.ckpt"


def fit(trained, tiny_backbone, cs224n_root, tmp_path, tasks, **settings):
    module = build_module(tiny_backbone, tasks=tasks, init_from=str(trained), **settings)
    trainer = make_trainer(tmp_path, max_epochs=1)
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tasks=tasks, max_length=32)
    trainer.fit(module, datamodule=data)
    trainer.save_checkpoint(tmp_path / "new.ckpt", weights_only=True)
    return module


def test_a_new_task_learns_while_the_old_ones_keep_their_scores(trained, tiny_backbone, cs224n_root, tmp_path):
    tasks = {
        "same": Quora(head_only_from=0),
        "sst": Sst(head_only_from=0, weight=0.0),
        "quora": Quora(head_only_from=0, weight=0.0),
    }
    torch.manual_seed(1)
    first = build_module(tiny_backbone, tasks=tasks).heads["same"].linear.weight.clone()
    torch.manual_seed(1)
    module = fit(trained, tiny_backbone, cs224n_root, tmp_path, tasks, optimizer=STILL)
    assert not torch.equal(module.heads["same"].linear.weight, first)
    before, after = Predictor.load(trained), Predictor.load(tmp_path / "new.ckpt")
    pairs = [("the cat is good", "a dog plays chess"), ("how can i learn", "to play chess at home")]
    assert before.predict("quora", pairs) == after.predict("quora", pairs)
    assert before.predict("sst", ["good", "very bad"]) == after.predict("sst", ["good", "very bad"])
    assert list(after.tasks) == ["same", "sst", "quora"]


def test_only_tasks_of_the_same_meaning_take_their_head(trained, tiny_backbone, cs224n_root, tmp_path, caplog):
    tasks = {"sst": Sst(), "quora": Quora(encoding="bi"), "sts": Sts(head=MlpHead), "other": Sts()}
    with caplog.at_level("INFO"):
        fit(trained, tiny_backbone, cs224n_root, tmp_path, tasks)
    assert "backbone, heads of sst; new heads: quora, sts, other" in caplog.text


def test_a_checkpoint_that_goes_on_or_is_used_does_not_start_anew(trained, tiny_backbone, cs224n_root, tmp_path):
    tasks = {"sst": Sst()}
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tasks=tasks)
    module = build_module(tiny_backbone, tasks=tasks, init_from=str(tmp_path / "gone.ckpt"))
    with pytest.raises(InputError, match=r"gone\.ckpt: no such file"):
        make_trainer(tmp_path, max_steps=1).fit(module, datamodule=data)
    first = build_module(tiny_backbone, tasks=tasks, init_from=str(trained))
    trainer = make_trainer(tmp_path, max_steps=2)
    trainer.fit(first, datamodule=data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    found = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert found["hyper_parameters"]["init_from"] is None
    make_trainer(tmp_path, max_steps=3).fit(module, datamodule=data, ckpt_path=tmp_path / "last.ckpt")


def test_other_backbones_and_adapters_are_refused(trained, tiny_backbone, packaged_folder, cs224n_root, tmp_path):
    for settings, backbone, message in (
        (
            {"adapter": Lora()},
            tiny_backbone,
            r"init_from .*: its numbers .* backbone\.adapter was None, is {",
        ),
        ({"pooling": "mean"}, tiny_backbone, r"init_from .*: its numbers .* backbone\.pooling was 'pooler', is 'mean'"),
        ({"pooling": "cls"}, tiny_backbone, r"backbone\.pooling was 'pooler', is 'cls'"),
        ({}, packaged_folder, "backbone.num_attention_heads was 2, is 12"),
    ):
        with pytest.raises(InputError, match=message):
            fit(trained, backbone, cs224n_root, tmp_path, {"sst": Sst()}, **settings)
    with pytest.raises(InputError, match="save_trainable_only needs weights that come from the backbone's files alone"):
        build_module(
            tiny_backbone, tasks={"sst": Sst()}, init_from=str(trained), adapter=Lora(), save_trainable_only=True
        )


def test_weights_of_another_vocabulary_are_refused(trained, tiny_backbone, cs224n_root, tmp_path):
    found = torch.load(trained, weights_only=True)
    found["MultitaskDataModule"]["meaning"]["tokenizer"]["vocabulary"] = "another"
    torch.save(found, tmp_path / "other.ckpt")
    with pytest.raises(InputError, match=r"another meaning: tokenizer\.vocabulary was 'another'"):
        fit(tmp_path / "other.ckpt", tiny_backbone, cs224n_root, tmp_path, {"sst": Sst()})


def test_the_command_line_takes_it(whole_run, tiny_project):
    old = whole_run(trainer__max_epochs=1)
    tasks = {"sst": "Sst", "fourth": {"class_path": "Sts", "init_args": {"encoding": "bi"}}}
    project = tiny_project(tasks=tasks, trainer__max_epochs=1)
    ended = project.run("--model.init_from", str(old.version(0)))
    assert ended.code == 0, ended.output
    assert "heads of sst; new heads: fourth" in ended.output
    assert yaml.safe_load((project.version(0) / "config.yaml").read_text())["model"]["init_from"] == str(old.version(0))
