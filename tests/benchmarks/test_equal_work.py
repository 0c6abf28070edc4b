"""All programs compute the same: rows, initial weights, losses, gradients' effect."""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DataCollatorWithPadding,
    EvalPrediction,
    PreTrainedModel,
    Trainer,
)

from benchmarks.job import Job
from benchmarks.meter import Meter, Round
from benchmarks.ours import bare_loop, building, training
from benchmarks.peers import hugging_face
from benchmarks.peers.counting import WorkCounter
from benchmarks.peers.evaluation import scores
from datamodules import MaskedLMBatch, TaskBatch
from lightning_modules.optim import build_optimizer

STEPS = 30


@pytest.fixture(scope="module")
def batches(job: Job) -> list[TaskBatch]:
    """Our training batches of five epochs of six."""
    data = building.build_data(job)
    data.prepare_data()
    data.setup("fit")
    loader = data.train_dataloader()
    drawn = []
    for epoch in range(5):
        loader.sampler.set_epoch(epoch)
        drawn += list(loader)
    assert len(drawn) == STEPS
    return drawn


@pytest.fixture(scope="module")
def masked_batches(job: Job) -> list[MaskedLMBatch]:
    data = building.build_masked_lm_data(job)
    data.setup("fit")
    loader = data.train_dataloader()
    drawn: list[MaskedLMBatch] = []
    for epoch in range(STEPS):
        loader.sampler.set_epoch(epoch)
        drawn += list(loader)
    return drawn[:STEPS]


def peer_adamw(model: PreTrainedModel, job: Job) -> torch.optim.AdamW:
    """AdamW as Hugging Face's Trainer groups it: no decay for biases and LayerNorms."""
    bare = [name for name, _ in model.named_parameters() if name.endswith("bias") or "LayerNorm" in name]
    groups = [
        {"params": [p for name, p in model.named_parameters() if (name in bare) == is_bare], "weight_decay": decay}
        for is_bare, decay in ((False, job.workload.weight_decay), (True, 0.0))
    ]
    return torch.optim.AdamW(groups, lr=job.workload.lr, fused=True)


def peer_step(model: PreTrainedModel, batch: dict[str, Tensor], optimizer: torch.optim.Optimizer, clip: float) -> float:
    loss = model(**batch).loss
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.detach())


def test_an_epoch_of_ours_holds_the_token_sequences_of_the_peers(job: Job, batches: Sequence[TaskBatch]) -> None:
    ours: Counter[tuple[int, ...]] = Counter()
    for batch in batches[:6]:
        ends = batch.tokens.cu_seqlens.tolist()[1:-1]
        ours.update(tuple(part.tolist()) for part in np.split(batch.tokens.input_ids.numpy(), ends))
    theirs = Counter(tuple(row["input_ids"]) for row in hugging_face.encode_pairs(job))
    assert ours == theirs
    assert ours.total() == job.workload.num_rows


def test_training_losses_of_ours_and_the_peer_model_agree(job: Job, batches: Sequence[TaskBatch]) -> None:
    module, model = building.build_module(job), hugging_face.load_classifier(job)
    settings = building.build_optimizer_settings(job)
    own_adamw = build_optimizer(settings, module.backbone, module.heads, fused=True)
    adamw, features = peer_adamw(model, job), hugging_face.encode_pairs(job)
    pad = DataCollatorWithPadding(hugging_face.load_tokenizer(job))
    own, theirs = [], []
    for batch in batches:
        own.append(bare_loop.train_step(module, batch, own_adamw, clip=job.workload.clip))
        theirs.append(peer_step(model, pad([features[row] for row in batch.rows]), adamw, job.workload.clip))
    assert own == pytest.approx(theirs, abs=1e-5, rel=0)
    assert max(own) - min(own) > 1e-2  # the losses move, so the trajectories could have parted


def test_a_frozen_peer_has_dropout_in_its_head_only(job: Job) -> None:
    config = BertConfig.from_pretrained(job.classifier, hidden_dropout_prob=0.5, attention_probs_dropout_prob=0.5)
    folder = job.folder / "dropping"
    BertForSequenceClassification(config).save_pretrained(folder / "classifier")
    model = hugging_face.load_classifier(replace(job, folder=folder, frozen=True))
    assert model.classifier.training
    assert model.dropout.p == 0.5
    ids = torch.arange(1, 9)[None]
    assert torch.equal(*(model.bert(ids).pooler_output for _ in range(2)))
    assert not any(weight.requires_grad for weight in model.bert.parameters())
    assert all(weight.requires_grad for weight in model.classifier.parameters())


def test_the_peer_trainer_builds_the_optimizer_that_is_compared_here(job: Job) -> None:
    pytest.importorskip("accelerate", reason="make bench installs what Hugging Face's Trainer needs")
    model = hugging_face.load_classifier(job)
    built = Trainer(model, hugging_face.training_arguments(job)).create_optimizer()
    assert isinstance(built, torch.optim.AdamW)
    for found, expected in zip(built.param_groups, peer_adamw(model, job).param_groups, strict=True):
        assert set(found["params"]) == set(expected["params"])
        for option in ("lr", "weight_decay", "betas", "eps", "fused"):
            assert found[option] == expected[option]


def test_masked_lm_losses_of_ours_and_the_peer_model_agree(job: Job, masked_batches: Sequence[MaskedLMBatch]) -> None:
    module, model = building.build_masked_lm(job), hugging_face.load_masked_lm(job)
    settings = building.build_optimizer_settings(job)
    own_adamw = build_optimizer(settings, module.backbone, module.head, fused=True)
    adamw = peer_adamw(model, job)
    own, theirs = [], []
    for batch in masked_batches:
        if batch.targets.numel() == 0:
            continue
        loss = F.cross_entropy(module(batch), batch.targets)
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), job.workload.clip)
        own_adamw.step()
        own_adamw.zero_grad()
        own.append(float(loss.detach()))
        theirs.append(peer_step(model, pad_masked(batch), adamw, job.workload.clip))
    assert len(own) > STEPS / 2
    assert own == pytest.approx(theirs, abs=1e-5, rel=0)
    assert max(own) - min(own) > 1e-2


def pad_masked(batch: MaskedLMBatch) -> dict[str, Tensor]:
    """Pad one of our masked batches as the stock collator lays it out."""
    labels = torch.full_like(batch.tokens.input_ids, -100)
    labels[batch.wanted.rows] = batch.targets
    ends = batch.tokens.cu_seqlens.tolist()[1:-1]
    columns = {"input_ids": (batch.tokens.input_ids, 0), "labels": (labels, -100)}
    columns["attention_mask"] = (torch.ones_like(labels), 0)
    return {
        name: nn.utils.rnn.pad_sequence(list(values.tensor_split(ends)), batch_first=True, padding_value=fill)
        for name, (values, fill) in columns.items()
    }


def test_masked_lm_trains_all_programs_on_the_same_sentences(job: Job) -> None:
    data = building.build_masked_lm_data(job)
    data.setup("fit")
    train = data.corpora[building.TASK].train
    ours = Counter(tuple(train.tokens(row).tolist()) for row in range(len(train)))
    assert ours == Counter(tuple(row["input_ids"]) for row in hugging_face.encode_sentences(job))
    assert 0 < ours.total() < job.workload.num_rows


def test_work_counter_counts_real_tokens_and_slots(job: Job) -> None:
    model = hugging_face.load_classifier(job)
    counter = WorkCounter(model)
    ids, mask = torch.ones(2, 3, dtype=torch.long), torch.tensor([[1, 1, 1], [1, 0, 0]])
    model(input_ids=ids, attention_mask=mask)
    work = counter.take()
    assert (work.examples, work.tokens, work.slots) == (2, 4, 6)
    assert counter.take().examples == 0


def test_evaluation_scores_of_the_peer_by_hand() -> None:
    """Predicted yes, yes, no, no; truly yes, no, yes, no: accuracy 2/4, F1 2·1 / (2 + 2)."""
    logits, labels = np.array([[1.0], [2.0], [-1.0], [-2.0]]), np.array([[1.0], [0.0], [1.0], [0.0]])
    assert scores(EvalPrediction(predictions=logits, label_ids=labels)) == {"accuracy": 0.5, "f1": 0.5}


def test_our_training_program_measures_every_epoch_it_is_asked_for(job: Job) -> None:
    replies = io.StringIO()
    training.run(job, Meter(io.StringIO("round\nround\n"), replies))
    rounds = [Round.from_json(line) for line in replies.getvalue().splitlines()]
    tokens = sum(len(row["input_ids"]) for row in hugging_face.encode_pairs(job))
    assert [done.work.examples for done in rounds] == [job.workload.num_rows] * 3  # the first one warms up
    assert {(done.work.tokens, done.work.slots) for done in rounds} == {(tokens, tokens)}
