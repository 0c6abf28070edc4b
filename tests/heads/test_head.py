import re

import pytest
import torch
from torch.testing import assert_close

from heads import (
    Classes,
    ConcatProductHead,
    CosineHead,
    Head,
    LabelSpace,
    LinearHead,
    MlpHead,
    ProductHead,
    Scores,
    YesNo,
)
from heads.trunk_heads import TrunkCosineHead, TrunkLinearHead, TrunkProductHead
from runtime.counts import counted

HEADS = [LinearHead, MlpHead, ProductHead, ConcatProductHead, CosineHead]
SPACES = [Classes(5), YesNo(), Scores(0, 5)]
CASES = [(head, labels) for head in HEADS for labels in SPACES if head.can_predict(labels)]
CLASHES = [(head, labels) for head in HEADS for labels in SPACES if not head.can_predict(labels)]
every_head = pytest.mark.parametrize(("build", "labels"), CASES)


def example_batch(head: Head, labels: LabelSpace) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    pooled = torch.randn(6, head.num_sequences, 16)
    targets = torch.rand(6) * 5 if isinstance(labels, Scores) else torch.randint(labels.num_classes, (6,))
    return pooled, targets


def test_every_head_and_label_is_covered():
    assert len(CASES) == 3 + 3 + 2 + 3 + 1
    assert len(CASES) + len(CLASHES) == len(HEADS) * len(SPACES)
    apart = {TrunkCosineHead, TrunkLinearHead, TrunkProductHead}  # test_trunk_heads.py
    ours = {kind for kind in Head.__subclasses__() if kind.__module__.startswith("heads.")}
    assert {*HEADS} | apart == ours


@pytest.mark.parametrize("build", [MlpHead, CosineHead, ConcatProductHead, TrunkCosineHead])
def test_a_layer_without_a_size_is_refused(build):
    option = "size" if build is MlpHead else "projection_size"
    for size in (0, -1):
        with pytest.raises(ValueError, match=rf"^{option} is {size} \(expected 1 or more\)$"):
            build(200, Scores(0, 5), **{option: size})


@every_head
def test_shapes_of_output_loss_and_prediction(build, labels):
    head = build(16, labels)
    pooled, targets = example_batch(head, labels)
    output = head(pooled)
    assert output.shape == ((6, 5) if isinstance(labels, Classes) else (6,))
    assert head.loss(output, targets).shape == ()
    assert head.predict(output).shape == (6,)
    assert head.predict(output).is_floating_point() == (isinstance(labels, Scores))
    probabilities = head.probabilities(output)
    assert (probabilities is None) == (isinstance(labels, Scores))
    assert probabilities is None or probabilities.shape == (6, labels.num_classes)
    assert torch.equal(head.answer(output), head.predict(output) if probabilities is None else probabilities)


@every_head
def test_every_parameter_gets_a_finite_gradient(build, labels):
    head = build(16, labels)
    pooled, targets = example_batch(head, labels)
    head.loss(head(pooled.requires_grad_()), targets).backward()
    gradients = [parameter.grad for parameter in head.parameters()]
    assert len(gradients) >= 2
    assert all(gradient.isfinite().all() and gradient.abs().sum() > 0 for gradient in [*gradients, pooled.grad])


@every_head
def test_dropout_acts_in_training_only(build, labels):
    head = build(16, labels)
    pooled, _ = example_batch(head, labels)
    assert not torch.equal(head(pooled), head(pooled))
    head.eval()
    assert torch.equal(head(pooled), head(pooled))


@every_head
def test_no_dropout_makes_training_and_evaluation_equal(build, labels):
    head = build(16, labels, dropout=0.0)
    pooled, _ = example_batch(head, labels)
    trained = head(pooled)
    assert_close(head.eval()(pooled), trained)


@every_head
def test_rows_of_a_batch_do_not_mix(build, labels):
    head = build(16, labels).eval()
    pooled, _ = example_batch(head, labels)
    assert_close(head(pooled), torch.cat([head(row) for row in pooled.split(1)]))


@every_head
def test_a_saved_head_gives_the_same_output(build, labels, tmp_path):
    head = build(16, labels).eval()
    pooled, _ = example_batch(head, labels)
    torch.save(head.state_dict(), tmp_path / "head.pt")
    other = build(16, labels).eval()
    assert not torch.equal(other(pooled), head(pooled))
    other.load_state_dict(torch.load(tmp_path / "head.pt", weights_only=True))
    assert torch.equal(other(pooled), head(pooled))


@every_head
def test_a_few_steps_lower_the_loss(build, labels):
    torch.manual_seed(0)
    head = build(16, labels, dropout=0.0)
    pooled, targets = example_batch(head, labels)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.01)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = head.loss(head(pooled), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(("build", "labels"), CLASHES)
def test_a_head_refuses_labels_that_it_cannot_predict(build, labels):
    with pytest.raises(ValueError, match=rf"^{build.__name__} predicts .+, but the task has (classes|yes/no labels)$"):
        build(16, labels)


@every_head
@pytest.mark.parametrize("shape", [(6, 16), (6, 3, 16), (6, 1, 2, 16)])
def test_a_head_refuses_another_number_of_vectors(build, labels, shape):
    head = build(16, labels)
    message = (
        f"{build.__name__} reads {counted(head.num_sequences, 'vector')} an example, (B, {head.num_sequences}, H), "
        f"but got a tensor of shape {shape}"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        head(torch.zeros(shape))


def test_a_linear_head_refuses_both_sides_of_a_pair():
    with pytest.raises(ValueError, match=re.escape("LinearHead reads 1 vector an example, (B, 1, H), but got")):
        LinearHead(16, SPACES[0])(torch.zeros(6, 2, 16))


def test_a_pair_head_refuses_a_single_vector():
    with pytest.raises(ValueError, match=re.escape("CosineHead reads 2 vectors an example, (B, 2, H), but got")):
        CosineHead(16, SPACES[2])(torch.zeros(6, 1, 16))
