import logging
from pathlib import Path

import numpy as np
import pytest

from datamodules import MultitaskDataModule
from objectives import ProductOfExperts, Reweighting
from tasks import Classification, InputError, Quora, Source, Task
from tests.tiny import open_data


def choose(folder: Path, *numbers: int) -> str:
    path = folder / "rows.csv"
    path.write_text("\n".join(["id", *(f"quora-{number:02d}" for number in numbers)]) + "\n")
    return str(path)


def drawn(data: MultitaskDataModule) -> list[int]:
    return sorted(int(row) for batch in data.train_dataloader() for row in batch.rows)


def opened(task: Task, backbone: Path, root: Path, cache: Path) -> MultitaskDataModule:
    data = open_data(backbone, root, cache, tasks={"quora": task})
    data.prepare_data()
    data.setup("fit")
    return data


def test_an_epoch_takes_the_chosen_rows_alone(tiny_backbone, cs224n_root, tmp_path):
    everything = opened(Quora(), tiny_backbone, cs224n_root, tmp_path)
    data = opened(Quora(train_rows=choose(tmp_path, 1, 7, 4, 9, 10)), tiny_backbone, cs224n_root, tmp_path)
    assert drawn(data) == [1, 4, 7, 9, 10]
    assert drawn(everything) == list(range(12))
    assert len(data.stores["train"]["quora"]) == len(data.stores["dev"]["quora"]) == 12
    assert data.stores["train"]["quora"].key == everything.stores["train"]["quora"].key
    described = data.describe_data()["quora"]
    assert (described["train"]["rows"], described["train"]["chosen"]) == (12, 5)
    assert "chosen" not in {*described["dev"], *everything.describe_data()["quora"]["train"]}
    assert "train_rows" in data.identity()["tasks"]["quora"]
    assert "train_rows" not in everything.identity()["tasks"]["quora"]


def test_chosen_rows_are_balanced_by_class(tiny_backbone, cs224n_root, tmp_path):
    task = Quora(train_rows=choose(tmp_path, 1, 3, 5, 2), sampling="balanced")  # three of class 1, one of class 0
    found = drawn(opened(task, tiny_backbone, cs224n_root, tmp_path))
    assert found.count(2) == 2
    assert len(found) == 4
    assert set(found) <= {1, 2, 3, 5}


def test_the_log_counts_how_often_the_chosen_rows_of_a_class_are_drawn(tiny_backbone, cs224n_root, tmp_path, caplog):
    task = Quora(train_rows=choose(tmp_path, 1, 3, 5, 2), sampling="balanced")  # three of class 1, one of class 0
    with caplog.at_level(logging.INFO):
        opened(task, tiny_backbone, cs224n_root, tmp_path)
    said = [message for message in caplog.messages if "balanced sampling" in message]
    assert [message.partition(" per epoch: ")[2] for message in said] == ["0 2x, 1 0.667x"]


def test_a_class_that_no_chosen_row_has_is_told(tiny_backbone, cs224n_root, tmp_path, caplog):
    opened(Quora(train_rows=choose(tmp_path, 1, 3, 5)), tiny_backbone, cs224n_root, tmp_path)
    assert "task quora: the chosen train_rows have no example of class 0" in caplog.messages


def test_chosen_rows_without_a_label_are_refused(tiny_backbone, tmp_path):
    (tmp_path / "rows.tsv").write_text("id\ttext\tgood\na\tgood film\t1\nb\tbad film\t0\nc\todd film\t\n")
    (tmp_path / "chosen.csv").write_text("id\nc\n")
    task = Classification(
        source=Source(train="rows.tsv", dev="rows.tsv"),
        texts=("text",),
        label="good",
        id="id",
        num_classes=2,
        missing_labels="ignore",
        train_rows=str(tmp_path / "chosen.csv"),
    )
    with pytest.raises(InputError, match=r"task quora: train_rows .*chosen\.csv names no row with a label"):
        opened(task, tiny_backbone, tmp_path, tmp_path / "cache")


def test_weights_have_the_mean_one_over_the_rows_that_an_epoch_draws(tiny_backbone, cs224n_root, tmp_path):
    chosen = {"train_rows": choose(tmp_path, 1, 3, 5, 2, 8)}
    for settings in ({}, chosen, {"sampling": "balanced"}, {**chosen, "sampling": "balanced"}):
        data = opened(Quora(debias=Reweighting(), **settings), tiny_backbone, cs224n_root, tmp_path)
        shortcut, sampler = data.stores["train"]["quora"].shortcut, data.make_sampler()
        assert shortcut is not None
        assert shortcut.std() > 0.1
        rows = []
        for epoch in range(300):
            sampler.set_epoch(epoch)
            rows += [batch.rows for batch in sampler]
        assert shortcut[np.concatenate(rows)].mean() == pytest.approx(1, abs=0.02)


def test_balanced_weights_are_those_of_the_chosen_rows(tiny_backbone, cs224n_root, tmp_path):
    task = Quora(train_rows=choose(tmp_path, 1, 3, 5, 2), class_weights="balanced")  # three of class 1, one of class 0
    weights = opened(task, tiny_backbone, cs224n_root, tmp_path).stores["train"]["quora"].label_weights
    assert weights is not None
    assert weights[[1, 3, 5, 2]] == pytest.approx([4 / 6, 4 / 6, 4 / 6, 2])


def test_evidence_is_told_against_the_rows_that_the_shortcut_model_learnt_from(tiny_backbone, cs224n_root, tmp_path):
    tasks = [Quora(debias=ProductOfExperts(), train_rows=rows) for rows in (None, choose(tmp_path, 1, 3, 5, 2))]
    found = [opened(task, tiny_backbone, cs224n_root, tmp_path).stores["train"]["quora"].shortcut for task in tasks]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].tolist() == found[1].tolist()
