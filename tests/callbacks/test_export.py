import json
import shutil
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, BertForMaskedLM, BertTokenizer

from backbones import load_encoder, load_tokenizer
from callbacks import ExportBackbone
from callbacks.export import export_masked_lm
from datamodules import BatchRows, CorpusSettings, MaskedLMBatch, MaskedLMDataModule, MultitaskDataModule
from lightning_modules import MaskedLMModule, MultitaskModule, OptimizerSettings
from tasks import InputError, Quora, Sst


def open_data(backbone: Path, root: Path, cache: Path) -> MaskedLMDataModule:
    return MaskedLMDataModule(
        str(backbone),
        tasks={"sst": Sst(), "quora": Quora()},
        corpus=CorpusSettings(held_out=0.3, sequences="pairs"),
        root=str(root),
        batch_size=8,
        cache_dir=str(cache),
    )


def make_trainer(folder: Path, *callbacks: L.Callback, **settings: Any) -> L.Trainer:
    defaults: dict[str, Any] = {"max_epochs": 1, "accelerator": "cpu", "logger": False, "enable_checkpointing": False}
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "use_distributed_sampler": False}
    return L.Trainer(default_root_dir=folder, callbacks=list(callbacks), **{**defaults, **quiet, **settings})


def read_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Trained:
    """A module after two epochs, its batches, and what ExportBackbone made of it."""

    def __init__(self, backbone: Path, root: Path, folder: Path) -> None:
        self.files_before = read_files(backbone)
        self.data = open_data(backbone, root, folder / "cache")
        torch.manual_seed(0)
        self.module = MaskedLMModule(str(backbone), optimizer=OptimizerSettings(lr=1e-2))
        self.export = folder / "export"
        trainer = make_trainer(folder, ExportBackbone(str(self.export)), max_epochs=2)
        trainer.fit(self.module, datamodule=self.data)
        self.module.eval()


@pytest.fixture(scope="module")
def trained(tiny_backbone: Path, cs224n_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tiny_backbone, cs224n_root, tmp_path_factory.mktemp("trained"))


def test_transformers_loads_the_trained_backbone_with_its_pooler(trained: Trained, tiny_backbone: Path) -> None:
    loaded, report = AutoModel.from_pretrained(trained.export, output_loading_info=True)

    assert not report["missing_keys"]
    expected = trained.module.backbone.bert.state_dict()
    assert loaded.state_dict().keys() == expected.keys()
    for name, weight in expected.items():
        assert torch.equal(loaded.state_dict()[name], weight), name
    original = load_encoder(str(tiny_backbone))
    assert torch.equal(loaded.pooler.dense.weight, original.pooler.dense.weight)
    assert torch.equal(loaded.pooler.dense.bias, original.pooler.dense.bias)
    assert not torch.equal(loaded.embeddings.word_embeddings.weight, original.embeddings.word_embeddings.weight)


def test_transformers_masked_lm_gives_the_logits_of_the_module(trained: Trained) -> None:
    reference, report = BertForMaskedLM.from_pretrained(trained.export, output_loading_info=True)
    assert not report["missing_keys"]
    dataset = trained.data.val_dataloader().dataset
    checked = 0
    for row in range(len(dataset.texts)):
        batch = single(dataset, row)
        with torch.no_grad():
            tokens = batch.tokens
            expected = reference(input_ids=tokens.input_ids[None], token_type_ids=tokens.token_type_ids[None])
            found = trained.module(batch)
        torch.testing.assert_close(found, expected.logits[0, batch.wanted.rows], rtol=0, atol=1e-5)
        checked += len(found)
    assert checked > 5


def single(dataset: Any, row: int) -> MaskedLMBatch:
    """Return a batch of one row."""
    batch: MaskedLMBatch = dataset[BatchRows("mlm", torch.tensor([row]).numpy())]
    return batch


def test_our_loaders_take_the_folder(trained: Trained, tokenizer: BertTokenizer) -> None:
    bert = load_encoder(str(trained.export))

    assert torch.equal(bert.pooler.dense.weight, trained.module.backbone.bert.pooler.dense.weight)
    text = ("How can I learn chess — at home, naïvely?", "unaffable")
    for load in (load_tokenizer, AutoTokenizer.from_pretrained):
        loaded = load(str(trained.export))
        assert loaded(*text).input_ids == tokenizer(*text).input_ids
        assert loaded(*text).token_type_ids == tokenizer(*text).token_type_ids


def test_the_exported_tokenizer_cuts_nothing_that_it_is_not_asked_to(trained: Trained, tmp_path: Path) -> None:
    trained.data.tokenizer("a b c d e f", truncation=True, max_length=5, padding="max_length")

    export_masked_lm(trained.module, trained.data.tokenizer, tmp_path / "export")

    kept = json.loads((tmp_path / "export" / "tokenizer.json").read_text())
    assert (kept["truncation"], kept["padding"]) == (None, None)


def test_further_training_starts_from_the_exported_head(trained: Trained) -> None:
    again = MaskedLMModule(str(trained.export)).state_dict()

    for name, weight in trained.module.state_dict().items():
        assert torch.equal(again[name], weight), name


def test_the_original_folder_and_the_module_stay_as_they_are(trained: Trained, tiny_backbone: Path) -> None:
    before = {name: weight.clone() for name, weight in trained.module.state_dict().items()}
    export_masked_lm(trained.module, trained.data.tokenizer, trained.export.with_name("again"))

    assert read_files(tiny_backbone) == trained.files_before
    assert all(torch.equal(weight, before[name]) for name, weight in trained.module.state_dict().items())
    assert read_files(trained.export.with_name("again")) == read_files(trained.export)


def test_a_multitask_model_fine_tunes_from_the_folder(trained: Trained, cs224n_root: Path, tmp_path: Path) -> None:
    tasks = {"sst": Sst(), "quora": Quora()}
    module = MultitaskModule(tasks, str(trained.export), optimizer=OptimizerSettings(lr=1e-3))
    data = MultitaskDataModule(
        tasks, str(trained.export), root=str(cs224n_root), batch_size=4, cache_dir=str(tmp_path / "cache")
    )
    pretrained = trained.module.backbone.bert.state_dict()
    assert all(torch.equal(weight, pretrained[name]) for name, weight in module.backbone.bert.state_dict().items())

    trainer = make_trainer(tmp_path)
    trainer.fit(module, datamodule=data)

    assert float(trainer.callback_metrics["val/mean"]) > 0
    assert not torch.equal(module.backbone.bert.pooler.dense.weight, pretrained["pooler.dense.weight"])


def test_a_backbone_without_pooler_is_exported_without_one_and_needs_a_choice(
    tiny_backbone: Path, tmp_path: Path, tokenizer: BertTokenizer
) -> None:
    folder = shutil.copytree(tiny_backbone, tmp_path / "backbone")
    BertForMaskedLM(load_encoder(str(folder)).config).save_pretrained(folder)
    export_masked_lm(MaskedLMModule(str(folder)), tokenizer, tmp_path / "export")

    for name in (str(folder), str(tmp_path / "export")):
        assert load_encoder(name).pooler is None
        with pytest.raises(ValueError, match=r"has no pooler \(choose pooling cls or mean, or fresh_layers: true\)"):
            MultitaskModule({"sst": Sst()}, name, pooling="pooler")
        assert MultitaskModule({"sst": Sst()}, name, fresh_layers=True).backbone.bert.pooler is not None
        assert MultitaskModule({"sst": Sst()}, name, pooling="cls").backbone.bert.pooler is None


def test_a_folder_that_holds_something_is_refused_before_training(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")

    for folder in (tmp_path / "full", tmp_path / "full" / "note.txt"):
        with pytest.raises(InputError, match=rf"--export_dir {folder}: holds something already \(expected a new or"):
            ExportBackbone(str(folder))
    assert (tmp_path / "full" / "note.txt").read_text() == "mine"


def test_a_folder_of_the_run_that_holds_something_is_refused_before_the_first_step(
    tiny_backbone: Path, cs224n_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "backbone").mkdir()
    (tmp_path / "backbone" / "note.txt").write_text("mine")
    module = MaskedLMModule(str(tiny_backbone))
    trainer = make_trainer(tmp_path, ExportBackbone())

    with pytest.raises(InputError, match="holds something already"):
        trainer.fit(module, datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))

    assert trainer.global_step == 0
    assert read_files(tmp_path / "backbone") == {"note.txt": b"mine"}


@pytest.mark.parametrize("exists", [False, True])
def test_a_new_or_an_empty_folder_is_taken_relative_or_with_missing_parents(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "empty" if exists else "new/deep"
    if exists:
        Path(name).mkdir()

    folder = ExportBackbone(name).folder
    assert folder is not None
    export_masked_lm(trained.module, trained.data.tokenizer, folder)

    assert read_files(tmp_path / name) == read_files(trained.export)
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == [Path(name).name]


class FailingTokenizer:
    """Fails to save, as on a full disk."""

    def __init__(self, tokenizer: BertTokenizer) -> None:
        self.backend_tokenizer = tokenizer.backend_tokenizer

    def save_pretrained(self, folder: Path) -> None:
        (folder / "tokenizer.json").write_text("{")
        raise OSError("No space left on device")


def test_a_failure_leaves_nothing(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        export_masked_lm(trained.module, FailingTokenizer(trained.data.tokenizer), tmp_path / "export")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_filled_during_training_stays_as_it_is(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "note.txt").write_text("mine")

    with pytest.raises(OSError, match="not empty"):
        export_masked_lm(trained.module, trained.data.tokenizer, tmp_path / "export")

    assert read_files(tmp_path / "export") == {"note.txt": b"mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_a_training_that_fails_exports_nothing(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> None:
    class Failing(L.Callback):
        def on_train_batch_end(self, *_: Any) -> None:
            raise RuntimeError("a failure in the middle")

    trainer = make_trainer(tmp_path, Failing(), ExportBackbone(str(tmp_path / "export")))
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache")

    with pytest.raises(RuntimeError, match="a failure in the middle"):
        trainer.fit(MaskedLMModule(str(tiny_backbone)), datamodule=data)
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_a_trial_run_exports_nothing(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, ExportBackbone(str(tmp_path / "export")), fast_dev_run=True)

    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache")
    trainer.fit(MaskedLMModule(str(tiny_backbone)), datamodule=data)

    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
