import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from backbones import Backbone, load_encoder, load_tokenizer
from experiments.affinity import Gains, compute_gradients, find_interval, find_shared, measure_gains
from experiments.estimate_tables import judge
from experiments.estimating import find_rates
from experiments.probes import Probe, build_probe
from heads import Trunk, TrunkSettings
from inference.model import TrainedModel
from lightning_modules import OptimizerSettings
from tasks import Classification, Example, InputError, Source, Task
from tests.conftest import WORDS

BATCHES, SIZE = 8, 16


def build_task() -> Classification:
    source = Source(train="train.csv", dev="dev.csv")
    return Classification(source=source, texts=("text",), label="label", num_classes=2)


def build_model(folder: Path, task: Task, *names: str, frozen: bool = False) -> TrainedModel:
    """Return a model whose heads are all alike."""
    torch.manual_seed(0)
    backbone = Backbone(load_encoder(str(folder)), pooling="mean", frozen=frozen, tasks=names)
    head = task.build_head(backbone.hidden_size)
    return TrainedModel(backbone, {name: copy.deepcopy(head) for name in names}, None).eval()


def write_examples(*, seed: int, flipped: bool) -> list[Example]:
    """Return texts of random words, labelled by whether they say `good` or `bad`."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(BATCHES * SIZE):
        is_good = number % 2 == 0
        text = [*rng.choice(WORDS, 1), *["good" if is_good else "bad"] * 4]
        rows.append(Example(str(number), (" ".join(text),), int(is_good != flipped)))
    return rows


def draw(folder: Path, task: Task, name: str, split: str, examples: list[Example], **changes: int) -> Probe:
    settings = {"batches": BATCHES, "batch_size": SIZE, "seed": 0, "max_length": 32, **changes}
    return build_probe(name, task, split, examples, tokenizer=load_tokenizer(str(folder)), **settings)


def measure(folder: Path, *, flipped: bool) -> Gains:
    """Return the gains of task a and of task b, whose labels are the same or the opposite ones."""
    task = build_task()
    model = build_model(folder, task, "a", "b")
    train, dev = (
        [
            draw(folder, task, name, split, write_examples(seed=10 * number + place, flipped=flipped and name == "b"))
            for place, name in enumerate(("a", "b"))
        ]
        for number, split in enumerate(("train", "dev"))
    )
    return measure_gains(model, train, dev, batches=BATCHES, lr=1e-3)


def test_a_task_with_the_same_labels_helps_and_one_with_opposite_labels_hurts(word_backbone):
    same, opposite = measure(word_backbone, flipped=False), measure(word_backbone, flipped=True)
    verdicts = {
        (step, target): (judge(find_interval(same.of_step(step, target))), judge(find_interval(found)))
        for step in "ab"
        for target in "ab"
        for found in [opposite.of_step(step, target)]
    }
    assert verdicts == {
        ("a", "a"): ("helps", "helps"),
        ("a", "b"): ("helps", "hurts"),
        ("b", "a"): ("helps", "hurts"),
        ("b", "b"): ("helps", "helps"),
    }


def test_the_gain_is_what_a_small_step_really_removes(word_backbone):
    """One batch each: the change of the dev loss after a step along the scaled gradient, by finite difference."""
    task, lr = build_task(), 1e-6
    model = build_model(word_backbone, task, "a", "b").double()
    examples = [write_examples(seed=seed, flipped=False) for seed in range(4)]
    train = [draw(word_backbone, task, name, "train", examples[place]) for place, name in enumerate("ab")]
    dev = [draw(word_backbone, task, name, "dev", examples[2 + place]) for place, name in enumerate("ab")]
    gains = measure_gains(model, train, dev, batches=1, lr=lr)
    weights = find_shared(model)
    found = [compute_gradients(model, weights, probe, 0)[1] for probe in train]
    before = compute_gradients(model, weights, dev[0], 0)[0]
    with torch.no_grad():
        for weight, *gradients in zip(weights, *found, strict=True):
            rms = torch.stack(gradients).square().mean().sqrt()
            weight -= lr * gradients[1] / rms.clamp(min=1e-30)
    after = compute_gradients(model, weights, dev[0], 0)[0]
    assert gains.values.shape == (2, 1, 2, 2)
    assert gains.of_step("b", "a")[0] == pytest.approx((before - after) / before, rel=0.01)
    assert gains.of_step("b", "a")[0] == pytest.approx(gains.of_step("b", "a")[1], rel=1e-9)


def test_each_shared_weight_has_the_rate_that_the_optimiser_gives_it(word_backbone):
    task = build_task()
    model = build_model(word_backbone, task, "a", "b")
    model.trunk = Trunk(model.backbone.hidden_size, TrunkSettings(size=4))
    shared = [*model.backbone.shared_parameters(), *(f"trunk.{name}" for name, _ in model.trunk.named_parameters())]
    rates = dict(zip(shared, find_rates(model, OptimizerSettings(lr=1e-4, head_lr=1e-2)), strict=True))
    assert {rate for name, rate in rates.items() if name.startswith("trunk.")} == {1e-2}
    assert {rate for name, rate in rates.items() if not name.startswith("trunk.")} == {1e-4}
    decayed = dict(zip(shared, find_rates(model, OptimizerSettings(lr=1e-4, layer_decay=0.5)), strict=True))
    layers = {Backbone.depth_of(name): rate for name, rate in decayed.items() if not name.startswith("trunk.")}
    assert layers == pytest.approx({0: 2.5e-5, 1: 5e-5, 2: 1e-4, None: 1e-4})
    assert decayed["trunk.layers.1.weight"] == 1e-4


def test_a_weight_that_learns_faster_counts_as_much_more(word_backbone):
    task, rows = build_task(), write_examples(seed=1, flipped=False)
    model = build_model(word_backbone, task, "a", "b")
    probes = [draw(word_backbone, task, name, "train", rows, batches=2) for name in "ab"]
    count = len(find_shared(model))
    plain, *parts = (
        measure_gains(model, probes, probes, batches=2, lr=lr).values
        for lr in (1e-3, [1e-3] + [0.0] * (count - 1), [0.0] + [1e-3] * (count - 1))
    )
    np.testing.assert_allclose(plain, sum(parts), rtol=1e-9)
    assert np.abs(parts[0]).max() > 0


def test_both_ways_of_averaging_have_the_same_mean(word_backbone):
    gains = measure(word_backbone, flipped=False)
    by_train, by_dev = gains.values.mean(axis=1)
    np.testing.assert_allclose(by_train, by_dev, rtol=1e-3)
    assert gains.values.std(axis=1).min() > 0


def test_the_estimate_is_a_function_of_the_seed(word_backbone):
    task, rows = build_task(), write_examples(seed=1, flipped=False)
    one, same, other = (
        draw(word_backbone, task, "a", "dev", rows, batches=2, batch_size=5, seed=seed) for seed in (3, 3, 4)
    )
    assert [row.tolist() for row in one.rows.tokens] == [row.tolist() for row in same.rows.tokens]
    assert [row.tolist() for row in one.rows.tokens] != [row.tolist() for row in other.rows.tokens]
    assert len(one.rows.tokens) == 10
    np.testing.assert_array_equal(
        measure(word_backbone, flipped=True).values, measure(word_backbone, flipped=True).values
    )


def test_a_set_adds_the_other_tasks_steps_or_puts_them_in_place_of_its_own():
    values = np.zeros((2, 1, 2, 2))
    values[..., 0, 0], values[..., 1, 0] = 0.05, 0.01  # what a step on a, and on b, does to a
    gains, steps = Gains(("a", "b"), values), {"a": 1, "b": 3}
    np.testing.assert_allclose(gains.of_set(steps, "a", alone=1.0), 0.75 * 0.01)
    np.testing.assert_allclose(gains.of_set(steps, "a", alone=4.0), 0.75 * (0.01 - 0.05))
    np.testing.assert_allclose(gains.of_set(steps, "a", alone=2.0), 0.75 * 0.01 - 0.25 * 0.05)


def test_rows_without_a_label_are_left_out_and_too_few_rows_are_refused(word_backbone):
    rows = [Example(str(number), ("good film",), None if number % 2 else 1) for number in range(8)]
    task = build_task()
    assert draw(word_backbone, task, "a", "dev", rows, batches=2).labels.tolist() == [1, 1, 1, 1]
    with pytest.raises(InputError, match=r"task a: has 4 labelled dev examples \(expected one a batch at least"):
        draw(word_backbone, task, "a", "dev", rows, batches=5)


def test_a_frozen_backbone_is_refused(word_backbone):
    model = build_model(word_backbone, build_task(), "a", "b", frozen=True)
    with pytest.raises(InputError, match="the tasks share no weight that was trained"):
        find_rates(model, OptimizerSettings())
