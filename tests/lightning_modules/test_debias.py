from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from datamodules import MultitaskDataModule
from objectives import ConfidenceRegularization, Debias, ProductOfExperts, RDrop, Reweighting
from shortcuts.answers import answer_unseen_folds
from tasks import Classification, InputError, Quora, Source, Sst, Sts, Task, Teacher
from tests.tiny import build_module, make_trainer, open_data, train_batches


def open_tasks(tasks: dict[str, Task], backbone: Path, root: Path, cache: Path, **settings: Any) -> MultitaskDataModule:
    return open_data(backbone, root, cache, tasks=tasks, **settings)


def answers_of(task: Task, root: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return what a model of word overlap says of the train split, and the labels."""
    examples = [*task.read("train", root, print)]
    labels = np.array([example.label for example in examples], dtype=np.float64)
    texts = [example.texts for example in examples]
    return answer_unseen_folds(texts, labels, is_score=not task.labels.num_classes), labels


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_step_minimises_the_loss_of_the_product(precision, tiny_backbone, cs224n_root, tmp_path):
    debias = ProductOfExperts(strength=0.7)
    tasks: dict[str, Task] = {"quora": Quora(debias=debias, weight=2.0), "sts": Sts(debias=debias)}
    batches = train_batches(open_tasks(tasks, tiny_backbone, cs224n_root, tmp_path))
    module = build_module(tiny_backbone, tasks=tasks).eval()
    for name, task in tasks.items():
        batch, (answers, labels) = batches[name], answers_of(task, cs224n_root)
        rows = batch.rows.numpy()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == torch.bfloat16):
            result = module.training_step(batch, 0)
            output = module(batch).detach().float()
        if name == "quora":
            prior = np.bincount(labels.astype(int)) / len(labels)
            evidence = np.log(answers.clip(1e-4, 1) / prior)
            logits = output + 0.7 * torch.from_numpy(evidence[:, 1] - evidence[:, 0])[rows]
            expected = F.binary_cross_entropy_with_logits(logits, torch.from_numpy(labels[rows]))
        else:
            said = output + 0.7 * torch.from_numpy(answers - answers.mean())[rows]
            expected = ((said - torch.from_numpy(labels[rows])) ** 2).mean()
        assert result["task_loss"].item() == pytest.approx(expected.item(), rel=1e-5)
        assert result["loss"].item() == pytest.approx(expected.item() * task.weight, rel=1e-5)
        plain = module.heads[name].loss(module(batch), batch.labels)
        assert abs(result["task_loss"].item() - plain.item()) > 1e-3


def test_a_step_weighs_the_rows(tiny_backbone, cs224n_root, tmp_path):
    tasks: dict[str, Task] = {"sts": Sts(debias=Reweighting(strength=1.0))}
    batch = train_batches(open_tasks(tasks, tiny_backbone, cs224n_root, tmp_path))["sts"]
    module = build_module(tiny_backbone, tasks=tasks).eval()
    answers, labels = answers_of(tasks["sts"], cs224n_root)
    squares = (labels - answers) ** 2
    rest = 1 - np.exp(-squares / (2 * squares.mean()))
    weights = torch.from_numpy(rest / rest.mean())[batch.rows]
    expected = ((module(batch) - batch.labels) ** 2 * weights).mean()
    assert module.training_step(batch, 0)["loss"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_step_follows_the_scaled_teacher(tiny_backbone, cs224n_root, tmp_path):
    shares = {f"quora-{number:02d}": (number + 1) / 14 for number in range(12)}
    path = tmp_path / "teacher.csv"
    path.write_text("\n".join(["id,0,1", *(f"{name},{1 - yes},{yes}" for name, yes in shares.items())]) + "\n")
    teacher = Teacher(files=(str(path),), weight=1.0)
    tasks: dict[str, Task] = {"quora": Quora(teacher=teacher, debias=ConfidenceRegularization())}
    batch = train_batches(open_tasks(tasks, tiny_backbone, cs224n_root, tmp_path / "cache"))["quora"]
    module = build_module(tiny_backbone, tasks=tasks).eval()
    answers, labels = answers_of(tasks["quora"], cs224n_root)
    rows = batch.rows.numpy()
    sure = answers[rows, labels[rows].astype(int)]
    yes = np.array([shares[name] for name in batch.ids])
    target = np.stack([1 - yes, yes], axis=1) ** (1 - sure[:, None])
    target /= target.sum(axis=1, keepdims=True)
    own = torch.stack([F.logsigmoid(-module(batch)), F.logsigmoid(module(batch))], dim=1)
    expected = F.kl_div(own, torch.from_numpy(target).float(), reduction="batchmean")
    assert module.training_step(batch, 0)["loss"].item() == pytest.approx(expected.item(), rel=1e-4)


def train(tasks: dict[str, Task], backbone: Path, root: Path, folder: Path, **settings: Any) -> dict[str, torch.Tensor]:
    """Train for three steps and return the weights."""
    torch.manual_seed(0)
    module = build_module(backbone, tasks=tasks, **settings)
    torch.manual_seed(1)
    make_trainer(folder, max_steps=3).fit(module, open_tasks(tasks, backbone, root, folder / "cache"))
    return dict(module.state_dict())


@pytest.mark.parametrize("debias", [ProductOfExperts(0.0), Reweighting(0.0), Reweighting(0.0, end_strength=0.0)])
def test_at_strength_0_a_training_is_the_plain_one_to_the_bit(debias, tiny_backbone, cs224n_root, tmp_path):
    plain: dict[str, Task] = {"quora": Quora(), "sts": Sts()}
    tasks = {name: replace(task, debias=debias) for name, task in plain.items()}
    one = train(plain, tiny_backbone, cs224n_root, tmp_path)
    two = train(tasks, tiny_backbone, cs224n_root, tmp_path)
    assert all(torch.equal(two[name], weight) for name, weight in one.items())
    strong = {name: replace(task, debias=replace(debias, strength=1.0)) for name, task in plain.items()}
    three = train(strong, tiny_backbone, cs224n_root, tmp_path)
    assert not all(torch.equal(three[name], weight) for name, weight in one.items())


def test_strength_falls_over_the_training(tiny_backbone, cs224n_root, tmp_path):
    seen = []

    class Watched(ProductOfExperts):
        def __call__(self, inputs: Any, shortcut: Any, progress: float) -> Any:
            seen.append(progress)
            return super().__call__(inputs, shortcut, progress)

    tasks: dict[str, Task] = {"quora": Quora(debias=Watched(1.0, end_strength=0.0))}
    module = build_module(tiny_backbone, tasks=tasks)
    data = open_tasks(tasks, tiny_backbone, cs224n_root, tmp_path)
    make_trainer(tmp_path, max_epochs=2, accumulate_grad_batches=3).fit(module, data)
    assert seen == [0.0, 0.0, 0.0, 0.5, 0.5, 0.5]


def test_rdrop_sees_the_product_in_both_passes(tiny_backbone, cs224n_root, tmp_path):
    tasks: dict[str, Task] = {"quora": Quora(debias=ProductOfExperts(1.0))}
    batch = train_batches(open_tasks(tasks, tiny_backbone, cs224n_root, tmp_path))["quora"]
    module = build_module(tiny_backbone, tasks=tasks, regularizer=RDrop(alpha=0.0)).eval()  # both passes are equal
    result = module.training_step(batch, 0)
    assert result["loss"].item() == pytest.approx(result["task_loss"].item(), rel=1e-6)


def test_answers_are_kept_by_content(tiny_backbone, cs224n_root, tmp_path):
    tasks: dict[str, Task] = {"quora": Quora(debias=ProductOfExperts()), "sts": Sts(debias=Reweighting())}
    first = open_tasks(tasks, tiny_backbone, cs224n_root, tmp_path)
    batches = train_batches(first)
    kept = sorted(tmp_path.glob("*-shortcut.npy"))
    assert len(kept) == 2
    times = [path.stat().st_mtime_ns for path in kept]
    for path in kept:
        assert np.load(path).shape in {(12, 2), (12,)}
    other = {"quora": Quora(debias=Reweighting(1.0)), "sts": tasks["sts"]}
    again = open_tasks(other, tiny_backbone, cs224n_root, tmp_path)
    assert torch.equal(train_batches(again)["sts"].shortcut, batches["sts"].shortcut)
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("*-shortcut.npy"))] == times
    kept[0].write_bytes(b"broken")
    assert torch.equal(
        train_batches(open_tasks(tasks, tiny_backbone, cs224n_root, tmp_path))["sts"].rows, batches["sts"].rows
    )
    assert np.load(kept[0]).shape in {(12, 2), (12,)}
    assert first.identity()["tasks"]["quora"]["shortcut"] != again.identity()["tasks"]["quora"]["shortcut"]
    plain = open_tasks({"quora": Quora()}, tiny_backbone, cs224n_root, tmp_path)
    assert train_batches(plain)["quora"].shortcut is None
    assert "shortcut" not in plain.identity()["tasks"]["quora"]


def test_tokens_on_the_device_have_the_same_values(tiny_backbone, cs224n_root, tmp_path):
    tasks: dict[str, Task] = {"quora": Quora(debias=ProductOfExperts())}
    host, device = (
        train_batches(open_tasks(tasks, tiny_backbone, cs224n_root, tmp_path, on_device=on_device))["quora"]
        for on_device in (False, True)
    )
    assert torch.equal(host.rows, device.rows)
    assert torch.equal(host.shortcut, device.shortcut)


def write_films(folder: Path, lines: list[str]) -> Classification:
    """Write rows of a text and whether it is good, and return the task of telling it without the bag of words."""
    (folder / "rows.tsv").write_text("\n".join(["text\tgood", *lines]) + "\n")
    path = str(folder / "rows.tsv")
    return Classification(
        source=Source(train=path, dev=path),
        texts=("text",),
        label="good",
        num_classes=2,
        missing_labels="ignore",
        debias=ProductOfExperts(1.0),
    )


def test_rows_without_a_label_are_left_out(tiny_backbone, tmp_path):
    words = [("good film", 1), ("bad film", 0)] * 30 + [("odd film", "")] * 2
    task = write_films(tmp_path, [f"{word} {number}\t{label}" for number, (word, label) in enumerate(words)])
    data = open_tasks({"film": task}, tiny_backbone, tmp_path, tmp_path / "cache")
    train_batches(data)
    shortcut = data.stores["train"]["film"].shortcut
    assert shortcut is not None
    assert shortcut.shape == (62,)
    assert (shortcut[:60:2] > 0).all()  # the bag of words tells good from bad
    assert (shortcut[1:60:2] < 0).all()
    assert shortcut[60:].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (
            {"sst": Sst(debias=ProductOfExperts())},
            r"sst: debias needs 5 training rows or more of each class, but class 0 has 3",
        ),
        (
            {"sts": Sts(debias=Reweighting(), train_limit=4)},
            r"task sts: debias needs 5 training rows or more, but there are 4",
        ),
    ],
)
def test_too_few_rows_are_refused(tasks, message, tiny_backbone, cs224n_root, tmp_path):
    with pytest.raises(InputError, match=message):
        open_tasks(tasks, tiny_backbone, cs224n_root, tmp_path).prepare_data()


def test_too_few_texts_with_different_words_are_refused(tiny_backbone, tmp_path):
    good = [f"good film {number}\t1" for number in range(5)]
    task = write_films(tmp_path, [*good, *[f"{word}\t0" for word in ("bad film", "Film: bad!", "worst film") * 3]])
    said = r"film: debias needs 5 training rows or more of each class with different words, but class 0 has 2"
    with pytest.raises(InputError, match=said):
        open_tasks({"film": task}, tiny_backbone, tmp_path, tmp_path / "cache").prepare_data()


def test_unfit_tasks_are_refused(tiny_backbone):
    with pytest.raises(InputError, match=r"Quora: debias ConfidenceRegularization .* \(expected a teacher\)"):
        Quora(debias=ConfidenceRegularization())


@pytest.mark.parametrize("debias", [None, Reweighting(), ProductOfExperts(0.6), ProductOfExperts(end_strength=0.1)])
def test_a_training_is_not_resumed_with_another_debiasing(debias, tiny_backbone, cs224n_root, tmp_path):
    def fit(debias: Debias | None, steps: int, **settings: Any) -> Any:
        tasks: dict[str, Task] = {"quora": Quora(debias=debias)}
        data = open_tasks(tasks, tiny_backbone, cs224n_root, tmp_path / "cache", allow_changes=True)
        trainer = make_trainer(tmp_path, max_steps=steps)
        trainer.fit(build_module(tiny_backbone, tasks=tasks), data, **settings)
        return trainer

    fit(ProductOfExperts(), 1).save_checkpoint(tmp_path / "last.ckpt")
    fit(ProductOfExperts(), 2, ckpt_path=tmp_path / "last.ckpt")
    with pytest.raises(InputError, match=r"given tasks\.quora\.debias.*: .* \(the checkpoint: "):
        fit(debias, 2, ckpt_path=tmp_path / "last.ckpt")


def test_tasks_over_the_same_rows_have_shortcuts_of_their_own(tiny_backbone, tmp_path):
    rows = [
        (f"{word} film {number} {'very ' * (number % 2)}", int(word == "good"), number % 2)
        for number in range(20)
        for word in ("good", "bad")
    ]
    lines = [f"{number}\t{text}\t{good}\t{long}" for number, (text, good, long) in enumerate(rows)]
    (tmp_path / "rows.tsv").write_text("\n".join(["id\ttext\tgood\tlong", *lines]) + "\n")
    (tmp_path / "chosen.csv").write_text("\n".join(["id", *map(str, range(0, 40, 3))]) + "\n")
    source = Source(train="rows.tsv", dev="rows.tsv")
    tasks: dict[str, Task] = {
        label: Classification(
            source=source,
            texts=("text",),
            id="id",
            label=label,
            num_classes=2,
            debias=ProductOfExperts(1.0),
            train_rows=str(tmp_path / "chosen.csv"),
        )
        for label in ("good", "long")
    }
    data = open_tasks(tasks, tiny_backbone, tmp_path, tmp_path / "cache")
    batches = train_batches(data)
    assert list(data.streams) == ["good+long"]
    assert len(list((tmp_path / "cache").glob("*-shortcut.npy"))) == 2
    for name, column in (("good", 1), ("long", 2)):
        shortcut = data.stores["train"][name].shortcut
        assert shortcut is not None
        assert ((shortcut > 0) == [row[column] == 1 for row in rows]).all()
        assert batches[name].shortcut.tolist() == shortcut[batches[name].rows].tolist()
    drawn = sorted(int(row) for batch in data.train_dataloader() for row in batch.rows)
    assert drawn == list(range(0, 40, 3))
    module = build_module(tiny_backbone, tasks=tasks).eval()
    joint = next(iter(data.train_dataloader()))
    result = module.training_step(joint, 0)
    expected = [
        F.binary_cross_entropy_with_logits(module(part) + part.shortcut, part.labels.float()) for part in joint.parts
    ]
    assert result["loss"].item() == pytest.approx(float(sum(expected)), rel=1e-5)
    apart = {**tasks, "long": replace(tasks["long"], train_rows=None)}
    assert list(open_tasks(apart, tiny_backbone, tmp_path, tmp_path / "cache").streams) == ["good", "long"]
