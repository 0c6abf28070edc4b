import io
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertTokenizer

from datamodules import (
    Annealed,
    MultitaskDataModule,
    MultitaskSampler,
    RoundRobin,
    RoundRobinShuffled,
    SentenceInput,
    Sequential,
    Staged,
    TaskBatch,
)
from tasks import Classification, InputError, PairClassification, Quora, Source, Sst, Sts, Task
from tests.tiny import TASKS, build_module, make_trainer, open_data

DataFactory = Callable[..., MultitaskDataModule]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def data(tiny_backbone: Path, cs224n_root: Path, cache: Path) -> DataFactory:
    """Data of the shipped tasks, opened for training."""

    def open_for_fit(root: Path = cs224n_root, **settings: Any) -> MultitaskDataModule:
        opened = open_data(tiny_backbone, root, cache, **settings)
        opened.prepare_data()
        opened.setup("fit")
        return opened

    return open_for_fit


def write_tsv(path: Path, *rows: str) -> None:
    path.write_text("".join(f"{row}\n" for row in ("text\ty", *rows)))


def own_task(**settings: Any) -> Classification:
    source = Source(train="train.tsv", dev="dev.tsv")
    return Classification(**{"source": source, "texts": ("text",), "label": "y", "num_classes": 2, **settings})


def test_training_batches_come_in_the_samplers_order(data):
    opened = data()
    sampler = MultitaskSampler(
        {"sst": 12, "quora": 12, "sts": 12}, dict.fromkeys(TASKS, 4), RoundRobinShuffled(), seed=42
    )
    for epoch in range(2):
        loader = opened.train_dataloader()
        loader.sampler.set_epoch(epoch)
        sampler.set_epoch(epoch)
        found = [(batch.task, batch.rows.tolist()) for batch in loader]
        assert found == [(rows.stream, rows.rows.tolist()) for rows in sampler]
        assert len(found) == len(loader) == 9


def test_the_order_is_a_function_of_the_seed(data):
    def order(seed: int) -> list[tuple[str, list[str]]]:
        return [(batch.task, batch.ids) for batch in data(seed=seed).train_dataloader()]

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_a_batch_holds_the_tokens_and_labels_of_its_rows(data, tokenizer: BertTokenizer, cs224n_root: Path):
    lines = (cs224n_root / "ids-sst-train.csv").read_text().splitlines()[1:]
    by_id = {cells[1]: (cells[2], int(cells[3])) for cells in (line.split("\t") for line in lines)}
    batch = next(batch for batch in data().train_dataloader() if batch.task == "sst")
    expected = [tokenizer(by_id[name][0]).input_ids for name in batch.ids]
    assert batch.tokens.input_ids.tolist() == [token for tokens in expected for token in tokens]
    assert batch.labels.tolist() == [by_id[name][1] for name in batch.ids]


def test_evaluation_gives_every_row_once(data):
    seen: dict[str, list[int]] = {}
    batches = list(data(tokens_per_batch=40).val_dataloader())
    for batch in batches:
        seen.setdefault(batch.task, []).extend(batch.rows.tolist())
    assert len(batches) > 10
    assert {task: sorted(rows) for task, rows in seen.items()} == {task: list(range(12)) for task in TASKS}


def test_a_tasks_own_batch_size_wins(data):
    opened = data(tasks={"sst": Sst(batch_size=6), "quora": Quora()}, schedule=Sequential())
    assert [(batch.task, len(batch.ids)) for batch in opened.train_dataloader()] == [
        *[("sst", 6)] * 2,
        *[("quora", 4)] * 3,
    ]


def test_two_workers_give_the_same_batches(data):
    def batches(num_workers: int) -> list[TaskBatch]:
        return list(data(num_workers=num_workers).train_dataloader())

    alone, shared = batches(0), batches(2)
    assert len(alone) == len(shared) == 9
    for first, second in zip(alone, shared, strict=True):
        assert first.ids == second.ids
        assert torch.equal(first.tokens.input_ids, second.tokens.input_ids)


def test_tokens_are_kept_and_messages_repeated(tiny_backbone, tmp_path, caplog):
    write_tsv(tmp_path / "train.tsv", "good film\t1", "\t0", "bad film\t0")
    write_tsv(tmp_path / "dev.tsv", "the film\t1")
    with caplog.at_level(logging.INFO, logger="datamodules"):
        open_data(
            tiny_backbone, tmp_path, tmp_path / "cache", tasks={"own": own_task(broken_rows="skip")}
        ).prepare_data()
        first = [record.getMessage() for record in caplog.records]
        kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
        caplog.clear()
        open_data(
            tiny_backbone, tmp_path, tmp_path / "cache", tasks={"own": own_task(broken_rows="skip")}
        ).prepare_data()
        second = [record.getMessage() for record in caplog.records]
    assert f"{tmp_path / 'train.tsv'}, line 3: skipped, text is empty (expected text)" in first
    assert second == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()} == kept
    assert len(kept) == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, r"data\.batch_size is 0 \(expected 1 or more\)"),
        ({"max_length": 4}, r"data\.max_length is 4 \(expected 5 or more\)"),
        ({"sentences": SentenceInput("nli")}, r"data\.sentences\.task is 'nli' \(expected one of sst, quora, sts\)"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings, message, tiny_backbone, cs224n_root, cache):
    with pytest.raises(InputError, match=message):
        open_data(tiny_backbone, cs224n_root, cache, **settings)


def test_a_missing_file_is_named_before_anything_is_trained(tiny_backbone, cache, tmp_path):
    with pytest.raises(InputError, match=r"ids-sst-train\.csv: no such file .*--data\.root"):
        open_data(tiny_backbone, tmp_path, cache).prepare_data()


def test_a_split_without_rows_is_refused(tiny_backbone, cache, tmp_path):
    write_tsv(tmp_path / "train.tsv")
    write_tsv(tmp_path / "dev.tsv", "the film\t1")
    with pytest.raises(InputError, match=r"train\.tsv: has no rows \(task own, train split\)"):
        open_data(tiny_backbone, tmp_path, cache, tasks={"own": own_task()}).prepare_data()


def test_a_task_without_a_dev_split_is_refused(tiny_backbone, cs224n_root, cache):
    tasks: dict[str, Task] = {"sst": Sst(source=Source(train="ids-sst-train.csv"))}
    with pytest.raises(InputError, match="task sst: its source names no dev split"):
        open_data(tiny_backbone, cs224n_root, cache, tasks=tasks).prepare_data()


class Unlike(Sequential):
    __repr__ = object.__repr__


def test_a_schedule_that_a_resumed_training_would_not_know_is_refused(data):
    with pytest.raises(InputError, match=r"data\.schedule: Unlike is no dataclass \(expected a frozen one\)"):
        data(schedule=Unlike())


def test_a_schedule_that_does_not_fit_is_refused(data):
    with pytest.raises(InputError, match="Staged: first is 'nli'"):
        data(schedule=Staged("nli")).train_dataloader()
    with pytest.raises(InputError, match=r"Annealed: trainer\.max_epochs is None"):
        data(schedule=Annealed()).train_dataloader()
    assert len(data(schedule=Annealed(), max_epochs=2).train_dataloader()) == 9
    assert len(data(tasks={"sst": Sst(batch_size=12), "sts": Sts()}, schedule=RoundRobin()).train_dataloader()) == 2


def predict(data: MultitaskDataModule, backbone: Path, folder: Path, tasks: dict[str, Task]) -> list[Any]:
    module = build_module(backbone, tasks=tasks)
    batches: Any = make_trainer(folder).predict(module, datamodule=data)
    return list(batches)


def test_predict_reads_the_splits_that_each_task_names(tiny_backbone, cs224n_root, cache, tmp_path):
    tasks: dict[str, Task] = {
        "sst": Sst(source=Source(train="ids-sst-train.csv")),
        "quora": Quora(source=Source(dev="quora-dev.csv")),
        "sts": Sts(source=Source(train="sts-train.csv", test="sts-test-student.csv")),
    }
    opened = open_data(tiny_backbone, cs224n_root, cache, tasks=tasks)
    predict(opened, tiny_backbone, tmp_path, tasks)
    assert opened.prediction_names == ("dev", "test")
    assert {split: list(stores) for split, stores in opened.stores.items()} == {"dev": ["quora"], "test": ["sts"]}

    only_dev = {"quora": tasks["quora"]}
    opened = open_data(tiny_backbone, cs224n_root, cache, tasks=only_dev)
    predict(opened, tiny_backbone, tmp_path, only_dev)
    assert opened.prediction_names == ("dev",)

    only_train = {"sst": tasks["sst"]}
    with pytest.raises(InputError, match="predict: no task names a split of dev, test"):
        predict(open_data(tiny_backbone, cs224n_root, cache, tasks=only_train), tiny_backbone, tmp_path, only_train)


def test_sentences_from_standard_input_are_the_only_thing_read(tiny_backbone, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a good film\nnot good\n"))
    opened = open_data(tiny_backbone, tmp_path / "none", tmp_path / "cache", sentences=SentenceInput("sst"))
    (batch,) = predict(opened, tiny_backbone, tmp_path, TASKS)
    assert batch["sst"]["prediction"].shape == (2,)
    assert opened.prediction_names == ("input",)
    assert [opened.stores["input"]["sst"].id(row) for row in range(2)] == ["0", "1"]


def test_what_sentences_lose_on_the_way_to_tokens_is_told(tiny_backbone, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("sys.stdin", io.StringIO("a good film\nnot [SEP] good\n" + "long " * 50))
    opened = open_data(
        tiny_backbone, tmp_path / "none", tmp_path / "cache", sentences=SentenceInput("sst"), max_length=16
    )
    with caplog.at_level(logging.INFO, logger="datamodules"):
        predict(opened, tiny_backbone, tmp_path, TASKS)
    assert "standard input: 1 example cut to 16 tokens" in caplog.messages
    assert any(message.startswith("standard input: 1 example with special tokens") for message in caplog.messages)


def test_test_wants_a_labelled_split(tiny_backbone, cs224n_root, cache, tmp_path):
    module = build_module(tiny_backbone)
    with pytest.raises(InputError, match="no task has a labelled test split"):
        make_trainer(tmp_path).test(module, datamodule=open_data(tiny_backbone, cs224n_root, cache))
    tasks: dict[str, Task] = {"sst": Sst(source=Source(train="ids-sst-train.csv", dev="ids-sst-dev.csv"))}
    with pytest.raises(InputError, match="no task names a test split"):
        make_trainer(tmp_path).test(
            build_module(tiny_backbone, tasks=tasks),
            datamodule=open_data(tiny_backbone, cs224n_root, cache, tasks=tasks),
        )


def test_a_test_split_with_some_labels_is_refused_and_one_without_any_is_left_out(
    tiny_backbone, tmp_path, cache, caplog
):
    for name, last in (("all", "0"), ("some", ""), ("none", "")):
        labels = ["" if name == "none" else "1", last]
        write_tsv(tmp_path / f"{name}.tsv", *(f"good film {name}\t{label}" for label in labels))

    def test(*names: str) -> None:
        tasks: dict[str, Task] = {name: own_task(source=Source(test=f"{name}.tsv")) for name in names}
        data = open_data(tiny_backbone, tmp_path, cache, tasks=tasks)
        make_trainer(tmp_path / "run").test(build_module(tiny_backbone, tasks=tasks), datamodule=data, verbose=False)

    with pytest.raises(InputError, match=r"some\.tsv, line 3: y is empty \(expected labels in all rows or in none; m"):
        test("all", "some")
    with caplog.at_level(logging.INFO, logger="datamodules"):
        test("all", "none")
    assert "task none: not tested, its test split has no labels" in caplog.messages


def test_validate_does_not_need_the_training_files(tiny_backbone, cs224n_root, cache, tmp_path):
    for name in ("ids-sst", "quora", "sts"):
        (tmp_path / f"{name}-dev.csv").write_bytes((cs224n_root / f"{name}-dev.csv").read_bytes())
    opened = open_data(tiny_backbone, tmp_path, cache)
    make_trainer(tmp_path / "run").validate(build_module(tiny_backbone), datamodule=opened, verbose=False)
    assert list(opened.stores) == ["dev"]


def test_identity_changes_with_all_that_decides_the_order(data, tmp_path, cs224n_root):
    changed = tmp_path / "changed"
    changed.mkdir()
    for path in cs224n_root.iterdir():
        (changed / path.name).write_bytes(path.read_bytes())
    lines = (changed / "sts-train.csv").read_text().splitlines(keepends=True)
    (changed / "sts-train.csv").write_text("".join([lines[0], lines[2], lines[1], *lines[3:]]))
    same = data().identity()
    assert data(num_workers=2, tokens_per_batch=50).identity() == same
    others = [
        data(seed=7),
        data(batch_size=5),
        data(max_length=32),
        data(schedule=Sequential()),
        data(root=changed),
        data(tasks={"sst": Sst(), "quora": Quora()}),
        data(tasks={**TASKS, "sts": Sts(batch_size=2)}),
        data(tasks={**TASKS, "sts": Sts(encoding="bi")}),
        data(tasks=dict(reversed(TASKS.items()))),
        data(tasks={**TASKS, "sts": Sts(texts=("sentence2", "sentence1"))}),
    ]
    identities = [json.dumps(other.identity(), sort_keys=True) for other in others]
    assert len({json.dumps(same, sort_keys=True), *identities}) == 11


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (
            dict(reversed(TASKS.items())),
            r"tasks order was \['sst', 'quora', 'sts'\], is \['sts', 'quora', 'sst'\] \(",
        ),
        (
            {**TASKS, "sts": Sts(texts=("sentence2", "sentence1"))},
            r"data: tasks\.sts: how texts are read \(columns, labels, rows, tokenizer, max_length\) was another \(",
        ),
    ],
)
def test_a_checkpoint_of_tasks_in_another_order_or_read_in_another_way_is_refused(tasks, message, data):
    identity = data().identity()
    with pytest.raises(InputError, match=message):
        data(tasks=tasks).load_state_dict({"epoch": 0, "batch": 1, "identity": identity})


def test_a_training_is_not_resumed_with_its_tasks_in_another_order(tiny_backbone, cs224n_root, cache, tmp_path):
    trainer = make_trainer(tmp_path, max_steps=2)
    trainer.fit(build_module(tiny_backbone), datamodule=open_data(tiny_backbone, cs224n_root, cache))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    tasks = dict(reversed(TASKS.items()))
    data = open_data(tiny_backbone, cs224n_root, cache, tasks=tasks, allow_changes=True)
    with pytest.raises(InputError, match=r"in another order: heads\.sst\.\S+ there where heads\.sts\.\S+ stands here"):
        make_trainer(tmp_path).fit(
            build_module(tiny_backbone, tasks=tasks), datamodule=data, ckpt_path=tmp_path / "last.ckpt"
        )


def test_every_kind_of_encoding_reaches_the_batch(data):
    pair = Quora()
    bi = replace(pair, encoding="bi")
    counts = {}
    for name, task in (("cross", pair), ("bi", bi)):
        batch = next(iter(data(tasks={"quora": task}).train_dataloader()))
        counts[name] = len(batch.tokens.cu_seqlens) - 1
    assert isinstance(pair, PairClassification)
    assert counts == {"cross": 4, "bi": 8}
