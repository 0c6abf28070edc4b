import logging
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn.utils.rnn import pad_sequence
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import BertForMaskedLM, BertForPreTraining

from backbones import load_encoder, load_masked_lm_predictions
from datamodules import BatchRows, CorpusSettings, MaskedLMBatch, MaskedLMDataModule, Masking
from lightning_modules import MaskedLMModule, OptimizerSettings
from tasks import Quora, Sst

V = 29  # tokens of the backbone
FRESH_HEAD = "has no masked-LM head: a fresh one is trained, its decoder tied"


def open_data(backbone: Path, root: Path, cache: Path, **settings: Any) -> MaskedLMDataModule:
    """Open SST and Quora, pairs kept together, a third held out."""
    defaults = {"corpus": CorpusSettings(held_out=0.3, sequences="pairs"), "batch_size": 8, "tokens_per_batch": 60}
    data = MaskedLMDataModule(
        str(backbone),
        tasks={"sst": Sst(), "quora": Quora()},
        root=str(root),
        cache_dir=str(cache),
        **{**defaults, **settings},
    )
    data.prepare_data()
    data.setup("fit")
    return data


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def data(tiny_backbone: Path, cs224n_root: Path, cache: Path) -> MaskedLMDataModule:
    return open_data(tiny_backbone, cs224n_root, cache)


@pytest.fixture
def module(tiny_backbone: Path) -> MaskedLMModule:
    """The module with a head whose biases and scales are random too."""
    torch.manual_seed(0)
    module = MaskedLMModule(str(tiny_backbone), optimizer=OptimizerSettings(lr=1e-2))
    for parameter in module.head.parameters():
        torch.nn.init.normal_(parameter)
    return module


def make_trainer(**settings: Any) -> L.Trainer:
    defaults: dict[str, Any] = {"max_epochs": 2, "accelerator": "cpu", "logger": False, "enable_checkpointing": False}
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "use_distributed_sampler": False}
    return L.Trainer(num_sanity_val_steps=0, **{**defaults, **quiet, **settings})


def build_reference(module: MaskedLMModule) -> BertForMaskedLM:
    """Build transformers' own model with the module's weights, its decoder tied to its word embeddings."""
    reference = BertForMaskedLM(module.backbone.bert.config)
    reference.bert.load_state_dict(
        {name: weight for name, weight in module.backbone.bert.state_dict().items() if not name.startswith("pooler.")}
    )
    reference.cls.predictions.load_state_dict(module.head.state_dict(), strict=False)
    reference.tie_weights()
    assert reference.cls.predictions.decoder.weight is reference.bert.embeddings.word_embeddings.weight
    return reference.train(module.training)


def pad(batch: MaskedLMBatch) -> dict[str, torch.Tensor]:
    """Return the batch as transformers' models take it: padded, -100 where nothing is to be guessed."""
    labels = torch.full_like(batch.tokens.input_ids, -100)
    labels[batch.wanted.rows] = batch.targets
    sizes = batch.tokens.cu_seqlens.diff().tolist()

    def padded(flat: torch.Tensor, value: int) -> torch.Tensor:
        return pad_sequence(list(flat.split(sizes)), batch_first=True, padding_value=value)

    return {
        "input_ids": padded(batch.tokens.input_ids, 0),
        "token_type_ids": padded(batch.tokens.token_type_ids, 0),
        "attention_mask": padded(torch.ones_like(labels), 0),
        "labels": padded(labels, -100),
    }


class ShapeRecorder(TorchDispatchMode):
    """Remembers the shape of every tensor that an operation gives."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: set[tuple[int, ...]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.shapes |= {tuple(leaf.shape) for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)}
        return result


def first_train_batch(data: MaskedLMDataModule) -> MaskedLMBatch:
    batch: MaskedLMBatch = next(iter(data.train_dataloader()))
    assert batch.targets.numel() > 5
    assert batch.tokens.token_type_ids.any()
    return batch


def test_loss_and_all_gradients_equal_those_of_transformers_on_the_padded_batch(
    module: MaskedLMModule, data: MaskedLMDataModule
) -> None:
    module.eval()
    module.trainer = make_trainer()
    batch = first_train_batch(data)
    reference = build_reference(module)

    step = module.training_step(batch, 0)
    step["loss"].backward()
    expected = reference(**pad(batch)).loss
    expected.backward()

    torch.testing.assert_close(step["loss"], expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(step["task_loss"], expected.detach(), rtol=0, atol=1e-5)
    expected_gradients = {name: parameter.grad for name, parameter in reference.named_parameters()}
    own = {f"bert.{name}": parameter for name, parameter in module.backbone.bert.named_parameters()}
    own |= {f"cls.predictions.{name}": parameter for name, parameter in module.head.named_parameters()}
    assert own.keys() - expected_gradients.keys() == {"bert.pooler.dense.weight", "bert.pooler.dense.bias"}
    assert not expected_gradients.keys() - own.keys()
    for name, gradient in expected_gradients.items():
        assert gradient is not None
        assert gradient.abs().max() > 1e-6 or name.endswith("key.bias"), name
        torch.testing.assert_close(own[name].grad, gradient, rtol=0, atol=1e-5, msg=name)


def test_an_accumulated_window_is_the_mean_over_its_masked_tokens(
    tiny_backbone: Path, cs224n_root: Path, cache: Path
) -> None:
    data = open_data(tiny_backbone, cs224n_root, cache, batch_size=3)
    batches = list(data.train_dataloader())[:3]
    counts = [batch.targets.numel() for batch in batches]
    assert len(set(counts)) > 1

    class Watch(L.Callback):
        def on_before_zero_grad(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
            if trainer.global_step:
                found.update({n: w.grad.clone() for n, w in pl_module.named_parameters() if w.grad is not None})

    found: dict[str, torch.Tensor] = {}
    torch.manual_seed(0)
    module = MaskedLMModule(str(tiny_backbone), optimizer=OptimizerSettings(lr=0.0))
    for part in module.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    trainer = make_trainer(callbacks=[Watch()], max_epochs=1, accumulate_grad_batches=3, limit_train_batches=4)
    trainer.fit(module, datamodule=data)

    module.zero_grad()
    sums = [torch.nn.functional.cross_entropy(module(batch), batch.targets, reduction="sum") for batch in batches]
    (torch.stack(sums).sum() / sum(counts)).backward()
    for name, weight in module.named_parameters():
        if weight.grad is not None:
            torch.testing.assert_close(found[name], weight.grad, rtol=1e-3, atol=1e-6, msg=name)


def test_logits_of_the_masked_tokens_alone_are_computed(module: MaskedLMModule, data: MaskedLMDataModule) -> None:
    module.trainer = make_trainer()
    batch = first_train_batch(data)
    num_tokens, num_masked = batch.tokens.input_ids.numel(), batch.targets.numel()
    assert num_masked < num_tokens / 2

    with ShapeRecorder() as recorder:
        module.training_step(batch, 0)["loss"].backward()

    rows_of_logits = {shape[0] for shape in recorder.shapes if len(shape) > 1 and shape[-1] == V}
    assert num_masked in rows_of_logits
    assert rows_of_logits <= {num_masked, 1, 16}  # 16: the transposed word embeddings


def test_the_pooler_gets_no_gradient_and_all_else_is_trained(module: MaskedLMModule, data: MaskedLMDataModule) -> None:
    before = {name: weight.clone() for name, weight in module.state_dict().items()}

    make_trainer().fit(module, datamodule=data)

    after = module.state_dict()
    parameters = {name for name, _ in module.named_parameters()}
    same = {name for name in parameters if torch.equal(before[name], after[name])}
    assert same == {"backbone.bert.pooler.dense.weight", "backbone.bert.pooler.dense.bias"}
    assert all(parameter.grad is None for parameter in module.backbone.bert.pooler.parameters())
    assert not any(name.startswith("_metrics") for name in parameters)


def score(reference: BertForMaskedLM, batches: Iterable[MaskedLMBatch]) -> tuple[float, float]:
    """Return loss and accuracy over all masked tokens of all batches together."""
    logits, labels = [], []
    for batch in batches:
        padded = pad(batch)
        target = padded.pop("labels")
        wanted = target != -100
        with torch.no_grad():
            logits.append(reference(**padded).logits[wanted])
        labels.append(target[wanted])
    joined, targets = torch.cat(logits), torch.cat(labels)
    accuracy = (joined.argmax(dim=1) == targets).float().mean()
    return float(torch.nn.functional.cross_entropy(joined, targets)), float(accuracy)


def test_validation_scores_are_over_all_held_out_masked_tokens(
    module: MaskedLMModule, data: MaskedLMDataModule
) -> None:
    trainer = make_trainer(max_epochs=8)
    trainer.fit(module, datamodule=data)
    loss, accuracy = score(build_reference(module).eval(), data.val_dataloader())

    batches = list(data.val_dataloader())
    assert len({batch.targets.numel() for batch in batches}) > 1  # so that a mean of batch means would differ
    assert accuracy > 0
    for _ in range(2):  # scores of one validation do not leak into the next
        trainer.validate(module, datamodule=data, verbose=False)
        scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
        assert scores["val/mlm/loss"] == pytest.approx(loss, abs=1e-5)
        assert scores["val/mlm/perplexity"] == pytest.approx(torch.tensor(loss).exp().item(), rel=1e-5)
        assert scores["val/mlm/accuracy"] == pytest.approx(accuracy, abs=1e-6)


@pytest.mark.parametrize("batch_size", [1, 8])
def test_batches_without_masked_tokens_do_no_harm(
    tiny_backbone: Path, cs224n_root: Path, cache: Path, module: MaskedLMModule, batch_size: int
) -> None:
    data = open_data(tiny_backbone, cs224n_root, cache, batch_size=batch_size, masking=Masking(probability=0.02))
    losses = []

    class Losses(L.Callback):
        def on_train_batch_end(
            self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
        ) -> None:
            losses.append((batch.targets.numel(), float(outputs["loss"]), float(outputs["task_loss"])))

    make_trainer(callbacks=[Losses()]).fit(module, datamodule=data)

    empty = [values for count, *values in losses if count == 0]
    assert 0 < len(empty) < len(losses)
    assert set(map(tuple, empty)) == {(0.0, 0.0)}
    assert all(loss > 0 for count, loss, _ in losses if count)
    assert all(bool(parameter.isfinite().all()) for parameter in module.parameters())


def test_a_batch_with_no_masked_token_has_loss_0_and_gradients_of_0(
    tiny_backbone: Path, cs224n_root: Path, cache: Path, module: MaskedLMModule
) -> None:
    data = open_data(tiny_backbone, cs224n_root, cache, masking=Masking(probability=1e-9))
    module.trainer = make_trainer()
    batch = next(iter(data.train_dataloader()))
    assert batch.targets.numel() == 0

    step = module.training_step(batch, 0)
    step["loss"].backward()

    assert float(step["loss"].detach()) == float(step["task_loss"]) == 0
    gradients = [parameter.grad for parameter in module.parameters() if parameter.requires_grad]
    assert all(gradient is not None and not gradient.any() for gradient in gradients)  # DDP waits for each of them


def test_a_row_without_masked_tokens_changes_nothing(module: MaskedLMModule, data: MaskedLMDataModule) -> None:
    module.eval()
    texts = data.train_dataloader().dataset
    guessed = [texts[BatchRows("mlm", torch.tensor([row]).numpy())].targets.numel() for row in range(len(texts.texts))]
    full = [row for row, count in enumerate(guessed) if count][:3]
    empty = guessed.index(0)

    with_empty = module(texts[BatchRows("mlm", torch.tensor([full[0], empty, *full[1:]]).numpy())])
    without = module(texts[BatchRows("mlm", torch.tensor(full).numpy())])

    torch.testing.assert_close(with_empty, without, rtol=0, atol=1e-5)


def test_bf16_trains_with_clipping(module: MaskedLMModule, data: MaskedLMDataModule) -> None:
    before = module.head.bias.clone()
    trainer = make_trainer(precision="bf16-mixed", gradient_clip_val=1.0, max_epochs=1)

    trainer.fit(module, datamodule=data)

    assert not torch.equal(module.head.bias, before)
    assert {parameter.dtype for parameter in module.parameters()} == {torch.float32}
    assert all(bool(parameter.isfinite().all()) for parameter in module.parameters())
    trainer.validate(module, datamodule=data, verbose=False)
    loss, _ = score(build_reference(module).eval(), data.val_dataloader())
    assert float(trainer.callback_metrics["val/mlm/loss"]) == pytest.approx(loss, rel=0.02)


@pytest.mark.parametrize("model_class", [BertForMaskedLM, BertForPreTraining])
def test_the_head_of_a_backbone_that_has_one_is_loaded(
    tiny_backbone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, model_class: type[Any]
) -> None:
    folder = shutil.copytree(tiny_backbone, tmp_path / "backbone")
    model = model_class(load_encoder(str(tiny_backbone)).config)
    for parameter in model.cls.parameters():
        torch.nn.init.normal_(parameter)
    model.save_pretrained(folder)

    with caplog.at_level(logging.INFO, logger="lightning_modules.masked_lm"):
        module = MaskedLMModule(str(folder))

    assert "its masked-LM head is trained on" in caplog.text
    assert FRESH_HEAD not in caplog.text
    for name, weight in module.head.state_dict().items():
        assert torch.equal(weight, model.cls.predictions.state_dict()[name]), name
    assert (module.backbone.bert.pooler is None) == (model_class is BertForMaskedLM)


def test_the_head_of_the_published_bert_layout_is_loaded(tiny_backbone: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_backbone, tmp_path / "backbone")
    model = BertForPreTraining(load_encoder(str(tiny_backbone)).config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(folder)
    old_names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    weights = load_file(folder / "model.safetensors")
    published = {}
    for name, weight in weights.items():
        if "decoder" not in name:
            end = ".".join(name.split(".")[-2:])
            published[name.removesuffix(end) + old_names.get(end, end)] = weight
    assert "cls.predictions.transform.LayerNorm.gamma" in published
    assert "cls.seq_relationship.weight" in published
    save_file(published, folder / "model.safetensors", metadata={"format": "pt"})

    module = MaskedLMModule(str(folder))

    expected = model.state_dict()
    own = {f"bert.{name}": weight for name, weight in module.backbone.bert.state_dict().items()}
    own |= {f"cls.predictions.{name}": weight for name, weight in module.head.state_dict().items()}
    assert len(own) > 40
    for name, weight in own.items():
        assert torch.equal(weight, expected[name]), name


def test_a_backbone_without_head_gets_a_fresh_one_and_says_so(
    tiny_backbone: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="lightning_modules.masked_lm"):
        torch.manual_seed(0)
        first = MaskedLMModule(str(tiny_backbone))
        torch.manual_seed(0)
        again = MaskedLMModule(str(tiny_backbone))
        other = MaskedLMModule(str(tiny_backbone))

    assert load_masked_lm_predictions(str(tiny_backbone)) is None
    assert caplog.text.count(FRESH_HEAD) == 3
    weights = [module.head.transform.dense.weight for module in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(first.backbone.bert.pooler.dense.weight, load_encoder(str(tiny_backbone)).pooler.dense.weight)


@pytest.mark.parametrize("with_pooler", [True, False])
def test_a_checkpoint_loads_without_the_backbones_files(
    tiny_backbone: Path, cs224n_root: Path, cache: Path, tmp_path: Path, with_pooler: bool
) -> None:
    folder = shutil.copytree(tiny_backbone, tmp_path / "backbone")
    if not with_pooler:
        BertForMaskedLM(load_encoder(str(folder)).config).save_pretrained(folder)
    module = MaskedLMModule(str(folder), optimizer=OptimizerSettings(lr=3e-4))
    trainer = make_trainer(max_steps=1)
    trainer.fit(module, datamodule=open_data(folder, cs224n_root, cache))
    trainer.save_checkpoint(tmp_path / "model.ckpt")
    shutil.rmtree(folder)

    loaded = MaskedLMModule.load_from_checkpoint(tmp_path / "model.ckpt", weights_only=True)

    assert loaded.optimizer == OptimizerSettings(lr=3e-4)
    assert loaded.state_dict().keys() == module.state_dict().keys()
    assert any("pooler" in name for name in loaded.state_dict()) == with_pooler
    for name, weight in module.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight), name
