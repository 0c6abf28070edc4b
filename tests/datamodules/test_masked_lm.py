import hashlib
import logging
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertTokenizer

from datamodules import (
    BatchRows,
    CorpusSettings,
    MaskedLMBatch,
    MaskedLMDataModule,
    Masking,
    MultitaskSampler,
    TokenFile,
)
from datamodules.encoding import write_store
from datamodules.masked_batch import MaskedTexts, MixedTexts
from datamodules.masking import TokenMasker
from datamodules.schedules import Sequential
from datamodules.store import WORDS_SCHEMA
from tasks import Example, InputError, Quora, Source, Sst, Sts, Texts

TASKS = {"sst": Sst(), "quora": Quora(), "sts": Sts()}
TRAIN_FILES = ("ids-sst-train.csv", "quora-train.csv", "sts-train.csv")


@pytest.fixture
def train_only(cs224n_root: Path, tmp_path: Path) -> Path:
    """The train files; those of other splits are missing."""
    for name in TRAIN_FILES:
        (tmp_path / name).write_bytes((cs224n_root / name).read_bytes())
    return tmp_path


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def open_data(backbone: Path, root: Path, cache: Path, **settings: Any) -> MaskedLMDataModule:
    """Open the three tasks' train texts with a third held out and batches of 8, where nothing else is said."""
    defaults = {"tasks": TASKS, "corpus": CorpusSettings(held_out=0.3), "batch_size": 8, "seed": 3}
    data = MaskedLMDataModule(str(backbone), root=str(root), cache_dir=str(cache), **{**defaults, **settings})
    data.prepare_data()
    data.setup("fit")
    return data


def train_batches(data: MaskedLMDataModule, epochs: Iterable[int] = (0,)) -> list[MaskedLMBatch]:
    """Return the training batches of some epochs, from one loader as in a training."""
    loader = data.train_dataloader()
    batches = []
    for epoch in epochs:
        loader.sampler.set_epoch(epoch)
        batches += list(loader)
    return batches


def unmasked_rows(batches: Iterable[MaskedLMBatch]) -> list[tuple[list[int], list[int]]]:
    """Put the true tokens back; give (ids, segment ids) of each sequence."""
    found = []
    for batch in batches:
        ids = batch.tokens.input_ids.clone()
        ids[batch.wanted.rows] = batch.targets
        sizes = batch.tokens.cu_seqlens.diff().tolist()
        types = batch.tokens.token_type_ids.split(sizes)
        found += [(row.tolist(), kind.tolist()) for row, kind in zip(ids.split(sizes), types, strict=True)]
    return found


def flatten(batches: Iterable[MaskedLMBatch]) -> list[list[int]]:
    """Return all that a training step sees as plain numbers."""
    return [
        part.tolist()
        for batch in batches
        for part in (batch.rows, batch.tokens.input_ids, batch.tokens.token_type_ids, batch.wanted.rows, batch.targets)
    ]


def expected_rows(root: Path, tokenizer: BertTokenizer, *, pairs: bool) -> Counter[tuple[Any, ...]]:
    """Tokenise the distinct train texts of each task with transformers."""
    found: Counter[tuple[Any, ...]] = Counter()
    for task in TASKS.values():
        texts = list(task.read_texts("train", root, lambda _: None))
        distinct = set(texts) if pairs else {(text,) for row in texts for text in row}
        for row in distinct:
            tokens = tokenizer(*row)
            found[tuple(tokens.input_ids), tuple(tokens.token_type_ids)] += 1
    return found


@pytest.mark.parametrize("sequences", ["sentences", "pairs"])
def test_batches_hold_every_train_text_once_an_epoch_and_no_other_text(
    tiny_backbone: Path, train_only: Path, cache: Path, tokenizer: BertTokenizer, sequences: Any
) -> None:
    data = open_data(tiny_backbone, train_only, cache, corpus=CorpusSettings(held_out=0.3, sequences=sequences))

    pairs = sequences == "pairs"
    held_out = [(tuple(ids), tuple(types)) for ids, types in unmasked_rows(data.val_dataloader())]
    assert held_out
    for epoch in (0, 1):
        batches = train_batches(data, [epoch])
        train = [(tuple(ids), tuple(types)) for ids, types in unmasked_rows(batches)]
        found, expected = Counter(train) + Counter(held_out), expected_rows(train_only, tokenizer, pairs=pairs)
        assert found <= expected if pairs else found == expected  # a pair may share a side with a held-out one
        assert sorted(torch.cat([batch.rows for batch in batches]).tolist()) == list(range(len(train)))
    assert any(1 in types for _, types in train) == pairs


def test_batches_have_the_size_that_is_asked_for(tiny_backbone: Path, cs224n_root: Path, cache: Path) -> None:
    sizes = [len(batch.rows) for batch in train_batches(open_data(tiny_backbone, cs224n_root, cache))]

    assert len(sizes) > 3
    assert set(sizes[:-1]) == {8}


def test_the_targets_are_the_masked_tokens_in_packed_order(
    tiny_backbone: Path, cs224n_root: Path, cache: Path, tokenizer: BertTokenizer
) -> None:
    data = open_data(tiny_backbone, cs224n_root, cache, masking=Masking(replaced=1.0, random=0.0))
    batches = train_batches(data)

    assert sum(batch.targets.numel() for batch in batches) > 20
    for batch in batches:
        masked = batch.tokens.input_ids == tokenizer.mask_token_id
        assert batch.wanted.rows.tolist() == masked.nonzero()[:, 0].tolist()
        assert batch.targets.numel() == batch.wanted.rows.numel()
        assert tokenizer.mask_token_id not in batch.targets


def test_batches_are_the_same_with_workers_and_without(tiny_backbone: Path, cs224n_root: Path, cache: Path) -> None:
    alone = open_data(tiny_backbone, cs224n_root, cache)
    helped = open_data(tiny_backbone, cs224n_root, cache, num_workers=2)

    assert flatten(train_batches(alone, range(3))) == flatten(train_batches(helped, range(3)))
    assert flatten(alone.val_dataloader()) == flatten(helped.val_dataloader())


def test_masks_of_a_row_do_not_depend_on_its_batch(tiny_backbone: Path, cs224n_root: Path, cache: Path) -> None:
    def guesses(batch_size: int) -> dict[tuple[int, ...], list[int]]:
        found = {}
        for batch in train_batches(open_data(tiny_backbone, cs224n_root, cache, batch_size=batch_size), [1]):
            for number, row in enumerate(batch.rows.tolist()):
                start, stop = batch.tokens.cu_seqlens[number : number + 2].tolist()
                inside = (batch.wanted.rows >= start) & (batch.wanted.rows < stop)
                found[row] = [
                    batch.tokens.input_ids[start:stop].tolist(),
                    (batch.wanted.rows[inside] - start).tolist(),
                    batch.targets[inside].tolist(),
                ]
        return found

    assert guesses(1) == guesses(8) == guesses(1000)


def test_every_epoch_masks_and_orders_anew(tiny_backbone: Path, cs224n_root: Path, cache: Path) -> None:
    data = open_data(tiny_backbone, cs224n_root, cache, batch_size=1000)
    first, second, again = (train_batches(data, [epoch])[0] for epoch in (0, 1, 0))

    assert flatten([first]) == flatten([again])
    assert first.rows.tolist() != second.rows.tolist()
    by_row = [dict(zip(batch.rows.tolist(), unmasked_rows([batch]), strict=True)) for batch in (first, second)]
    assert by_row[0] == by_row[1]
    assert sorted(first.targets.tolist()) != sorted(second.targets.tolist())


def test_another_seed_gives_other_batches_and_the_same_held_out_texts(
    tiny_backbone: Path, cs224n_root: Path, cache: Path
) -> None:
    first, other = (open_data(tiny_backbone, cs224n_root, cache, seed=seed) for seed in (3, 4))

    assert flatten(train_batches(first)) != flatten(train_batches(other))
    assert unmasked_rows(first.val_dataloader()) == unmasked_rows(other.val_dataloader())


def test_validation_has_the_same_masks_in_every_epoch(tiny_backbone: Path, cs224n_root: Path, cache: Path) -> None:
    data = open_data(tiny_backbone, cs224n_root, cache, tokens_per_batch=40)
    loader = data.val_dataloader()

    first = flatten(loader)
    train_batches(data, [0, 1])
    assert flatten(loader) == first
    batches = list(loader)
    assert len(batches) > 2
    rows = torch.cat([batch.rows for batch in batches]).tolist()
    assert sorted(rows) == list(range(sum(len(corpus.held_out) for corpus in data.corpora.values())))
    held_out = MaskedTexts(
        MixedTexts({name: corpus.held_out for name, corpus in data.corpora.items()}, {}),
        TokenMasker(data.tokenizer, data.masking, seed=3),
        masks_change=False,
    )
    every = np.arange(len(rows))
    assert flatten([held_out[BatchRows("mlm", every, 1.0, 0)]]) == flatten([held_out[BatchRows("mlm", every, 1.0, 5)]])


def write_file(folder: Path, tokenizer: BertTokenizer, size: int) -> TokenFile:
    target = folder / f"{size}.arrow"
    rows = [Example(str(row), (f"film {row}",), None) for row in range(size)]
    write_store(rows, target, encoding="single", tokenizer=tokenizer, max_length=16, notes=[], schema=WORDS_SCHEMA)
    return TokenFile(target, source={"path": str(target), "sha256": "12"})


def count_rows(texts: MixedTexts, file: TokenFile, epochs: Sequence[int]) -> list[int]:
    """Count how often each row of a file comes in some epochs."""
    places = [texts.place(row, epoch) for epoch in epochs for row in range(len(texts))]
    counts = Counter(row for found, row in places if found is file)
    return [counts[row] for row in range(len(file))]


@pytest.mark.parametrize(
    ("weight", "in_one_epoch", "epochs", "in_all"),
    [
        (1.0, {1}, 2, {2}),
        (3.0, {3}, 2, {6}),
        (1.5, {1, 2}, 2, {3}),  # 15 rows, then the other 15
        (0.4, {0, 1}, 5, {2}),  # 4 rows an epoch
        (0.3, {0, 1}, 10, {3}),  # 3 rows an epoch
        (0.01, {0, 1}, 10, {1}),  # one row an epoch at the least
    ],
)
def test_a_weight_says_how_often_the_rows_of_a_source_come_and_every_row_comes_up(
    tmp_path: Path,
    tokenizer: BertTokenizer,
    weight: float,
    in_one_epoch: set[int],
    epochs: int,
    in_all: set[int],
) -> None:
    files = {"first": write_file(tmp_path, tokenizer, 7), "weighted": write_file(tmp_path, tokenizer, 10)}
    texts = MixedTexts(files, {"weighted": weight})

    assert len(texts) == 7 + max(1, round(10 * weight))
    assert set(count_rows(texts, files["first"], range(epochs))) == {epochs}
    assert set(count_rows(texts, files["weighted"], [0])) == in_one_epoch
    assert set(count_rows(texts, files["weighted"], range(epochs))) == in_all


def test_a_weight_below_1_takes_rows_from_everywhere_in_an_order_of_seed_and_name(
    tmp_path: Path, tokenizer: BertTokenizer
) -> None:
    file = write_file(tmp_path, tokenizer, 400)

    def first_epoch(name: str, seed: int) -> list[int]:
        texts = MixedTexts({name: file}, {name: 0.25}, seed=seed)
        return [texts.place(row, 0)[1] for row in range(len(texts))]

    rows = first_epoch("a", 1)
    assert all(10 < sum(start <= row < start + 100 for row in rows) < 40 for start in range(0, 400, 100))
    assert rows == first_epoch("a", 1)
    assert rows != first_epoch("a", 2)
    assert rows != first_epoch("b", 1)


def test_a_repeated_text_has_other_masks_each_time(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    (tmp_path / "long").mkdir()
    target = tmp_path / "long" / "one.arrow"
    examples = [Example("0", ("good film " * 30,), None)]
    write_store(examples, target, encoding="single", tokenizer=tokenizer, max_length=64, notes=[], schema=WORDS_SCHEMA)
    texts = MixedTexts({"one": TokenFile(target, source={"path": "one", "sha256": "12"})}, {"one": 2.0})
    masked = MaskedTexts(texts, TokenMasker(tokenizer, Masking(), seed=0), masks_change=True)

    batch = masked[BatchRows("mlm", np.array([0, 1]))]

    first, second = (batch.wanted.rows[batch.wanted.rows // 62 == part] % 62 for part in (0, 1))
    assert batch.tokens.cu_seqlens.tolist() == [0, 62, 124]
    assert first.tolist() != second.tolist()


def test_weights_reach_the_training_and_leave_the_held_out_texts_alone(
    tiny_backbone: Path, cs224n_root: Path, cache: Path
) -> None:
    plain = open_data(tiny_backbone, cs224n_root, cache)
    weighted = open_data(tiny_backbone, cs224n_root, cache, weights={"sst": 3, "quora": 0.5})

    sizes = {name: len(corpus.train) for name, corpus in plain.corpora.items()}
    found = [len(unmasked_rows(train_batches(weighted, [epoch]))) for epoch in (0, 1)]
    assert found == [3 * sizes["sst"] + round(0.5 * sizes["quora"]) + sizes["sts"]] * 2
    sst = {tuple(weighted.corpora["sst"].train.tokens(row).tolist()) for row in range(sizes["sst"])}
    counts = Counter(tuple(ids) for ids, _ in unmasked_rows(train_batches(weighted)) if tuple(ids) in sst)
    assert len(counts) == sizes["sst"]
    assert min(counts.values()) >= 3
    assert flatten(plain.val_dataloader()) == flatten(weighted.val_dataloader())


def test_a_row_of_weight_0_is_not_guessed(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    texts = MixedTexts({"films": write_file(tmp_path, tokenizer, 2)}, {})
    masked = MaskedTexts(texts, TokenMasker(tokenizer, Masking(probability=0.99), seed=0), masks_change=True)
    shares = [
        next(iter(MultitaskSampler({"mlm": 2}, {"mlm": 2}, Sequential(), seed=0, rank=rank, world_size=3)))
        for rank in range(3)
    ]
    assert [share.weight for share in shares] == [1.5, 1.5, 0.0]

    guessed = [masked[share].targets.numel() for share in shares]

    assert guessed[2] == 0
    assert min(guessed[:2]) > 0


def test_a_batch_without_any_masked_token_is_whole(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    texts = MixedTexts({"films": write_file(tmp_path, tokenizer, 5)}, {})
    masked = MaskedTexts(texts, TokenMasker(tokenizer, Masking(probability=1e-9), seed=0), masks_change=True)

    batch = masked[BatchRows("mlm", np.arange(5))]

    assert batch.targets.shape == batch.wanted.rows.shape == (0,)
    assert [ids for ids, _ in unmasked_rows([batch])] == [tokenizer(f"film {row}").input_ids for row in range(5)]


def test_a_limit_reads_so_many_rows_of_each_task_and_is_none_of_own_texts(
    tiny_backbone: Path, cs224n_root: Path, cache: Path, tmp_path: Path
) -> None:
    def read(**settings: Any) -> int:
        data = open_data(tiny_backbone, cs224n_root, cache, tasks={"sst": Sst(**settings)}, train_limit=5)
        return len(unmasked_rows([*train_batches(data), *data.val_dataloader()]))

    assert (read(), read(train_limit=7)) == (5, 7)
    own = {"own": Texts(source=Source(train=str(tmp_path / "own.txt")))}
    with pytest.raises(InputError, match=r"data\.train_limit is 5, but data\.texts has no limit"):
        open_data(tiny_backbone, cs224n_root, cache, texts=own, train_limit=5)


def test_own_texts_stand_beside_tasks(
    tiny_backbone: Path, cs224n_root: Path, tmp_path: Path, tokenizer: BertTokenizer
) -> None:
    lines = [f"own words {number}" for number in range(30)]
    (tmp_path / "own.txt").write_text("\n".join(lines))
    texts = {"own": Texts(source=Source(train=str(tmp_path / "own.txt")))}

    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tasks={"sst": Sst()}, texts=texts)

    rows = [tuple(ids) for ids, _ in unmasked_rows([*train_batches(data), *data.val_dataloader()])]
    assert {tuple(tokenizer(line).input_ids) for line in lines} < set(rows)
    assert len(rows) == 42
    alone = open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tasks=None, texts=texts)
    assert len(unmasked_rows([*train_batches(alone), *alone.val_dataloader()])) == 30


def test_hashes_and_counts_of_the_train_files_are_described_and_logged(
    tiny_backbone: Path, cs224n_root: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="datamodules.masked_lm"):
        data = open_data(tiny_backbone, cs224n_root, cache)

    described = data.describe_data()
    assert list(described) == ["sst", "quora", "sts"]
    for (name, parts), file in zip(described.items(), TRAIN_FILES, strict=True):
        path = cs224n_root / file
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        sizes = {"train": len(data.corpora[name].train), "held_out": len(data.corpora[name].held_out)}
        assert parts == {part: {"path": str(path), "sha256": sha256, "sequences": size} for part, size in sizes.items()}
        expected = f"{name}: {sizes['train']} sequences to train on, {sizes['held_out']} held out, from {path} (sha256"
        assert expected in caplog.text


def test_training_starts_at_a_resumed_position(tiny_backbone: Path, cs224n_root: Path, cache: Path) -> None:
    data = open_data(tiny_backbone, cs224n_root, cache)
    full = train_batches(data, [0, 1])
    steps = len(full) // 2

    data.load_state_dict({"epoch": 1, "batch": 2, "identity": data.identity()})

    assert flatten(data.train_dataloader()) == flatten(islice(full, steps + 2, None))


def test_a_checkpoint_of_other_masks_or_texts_is_refused(tiny_backbone: Path, cs224n_root: Path, cache: Path) -> None:
    identity = open_data(tiny_backbone, cs224n_root, cache).identity()
    other = open_data(tiny_backbone, cs224n_root, cache, tasks={"sst": Sst()}, masking=Masking(probability=0.2))

    with pytest.raises(
        InputError, match=r"masking\.probability was 0\.15, is 0\.2; texts\.quora was there, is not there"
    ):
        other.load_state_dict({"epoch": 0, "batch": 1, "identity": identity})


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (dict(reversed(TASKS.items())), r"texts order was \['sst', 'quora', 'sts'\], is \['sts', 'quora', 'sst'\]"),
        ({**TASKS, "sts": Sts(texts=("sentence2", "sentence1"))}, r"texts\.sts: how texts are read \(columns, "),
    ],
)
def test_a_checkpoint_of_texts_in_another_order_or_read_in_another_way_is_refused(
    tiny_backbone: Path, cs224n_root: Path, cache: Path, tasks: dict[str, Any], message: str
) -> None:
    identity = open_data(tiny_backbone, cs224n_root, cache).identity()

    with pytest.raises(InputError, match=message):
        open_data(tiny_backbone, cs224n_root, cache, tasks=tasks).load_state_dict(
            {"epoch": 0, "batch": 1, "identity": identity}
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tasks": None}, r"no text to train on \(expected tasks or data\.texts\)"),
        ({"tasks": {}, "texts": {}}, r"no text to train on"),
        ({"weights": {"ssd": 2}}, r"data\.weights has ssd: 2 \(expected a number above 0 for one of sst, quora, sts\)"),
        ({"weights": {"sst": 0}}, r"data\.weights has sst: 0 "),
        ({"weights": {"sst": math.inf}}, r"data\.weights has sst: inf "),
        ({"weights": {"sst": math.nan}}, r"data\.weights has sst: nan "),
        ({"weights": {"sst": -1.5}}, r"data\.weights has sst: -1\.5 "),
        ({"texts": {"sst": Texts(source=Source(train="a.txt"))}}, r"data\.texts names sst, which is a task"),
        ({"batch_size": 0}, r"data\.batch_size is 0 \(expected 1 or more\)"),
        ({"max_length": 2}, r"data\.max_length is 2 \(expected 5 or more\)"),
    ],
)
def test_wrong_settings_are_refused(tiny_backbone: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MaskedLMDataModule(str(tiny_backbone), **{"tasks": TASKS, **settings})


def test_a_task_without_train_split_is_refused(tiny_backbone: Path, cs224n_root: Path, cache: Path) -> None:
    with pytest.raises(InputError, match=r"^Sst: its source names no train split"):
        open_data(tiny_backbone, cs224n_root, cache, tasks={"sst": Sst(source=Source(dev="ids-sst-dev.csv"))})
