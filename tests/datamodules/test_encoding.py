import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertTokenizer

from backbones import load_tokenizer
from datamodules import TokenStore, encoding
from datamodules.encoding import encode, open_split, write_store
from heads import LinearHead
from runtime.counts import counted
from tasks import Example, InputError, Quora, Source, Split, Sst, Sts, Task

PAIRS = [
    ("How can I learn chess ?", "How do I play chess at home ?"),
    ("Good .", "A film that was not very good , and that was slow and dull and very long"),
    ("the dog", "the dog"),
    ("Zoë’s café — naïve, 42% 日本語 😀", "[MASK] <b>&amp;</b>\tun-tabbed"),
]


@dataclass
class Cache:
    """Opens splits of tasks in one cache and keeps what was reported."""

    root: Path
    folder: Path
    tokenizer: BertTokenizer
    max_length: int = 64

    def open(self, task: Task, split: Split = "train") -> TokenStore:
        self.reports: list[str] = []
        return open_split(
            task,
            split,
            root=self.root,
            tokenizer=self.tokenizer,
            max_length=self.max_length,
            cache_dir=self.folder,
            report=self.reports.append,
        )

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*")) if self.folder.exists() else []


@pytest.fixture
def cache(cs224n_root: Path, tmp_path: Path, tokenizer: BertTokenizer) -> Cache:
    return Cache(cs224n_root, tmp_path / "cache", tokenizer)


@pytest.fixture
def sst_file(cs224n_root: Path, tmp_path: Path) -> Path:
    """A copy of the sentiment file, to be changed."""
    copy = tmp_path / "own" / "ids-sst-train.csv"
    copy.parent.mkdir()
    copy.write_bytes((cs224n_root / copy.name).read_bytes())
    return copy


def forbid(*arguments: Any, **options: Any) -> None:
    raise AssertionError("tokenised again")


@pytest.mark.parametrize("max_length", [64, 8, 5])
def test_cross_ids_and_segments_equal_the_tokenizer_of_hugging_face(tokenizer: BertTokenizer, max_length: int) -> None:
    encoded = encode(PAIRS, encoding="cross", tokenizer=tokenizer, max_length=max_length)

    assert len(encoded) == 4
    for pair, row in zip(PAIRS, encoded, strict=True):
        expected = tokenizer(*pair, truncation="longest_first", max_length=max_length)
        assert row.input_ids == expected["input_ids"]
        segments = [0] * row.first_length + [1] * (len(row.input_ids) - row.first_length)
        assert segments == expected["token_type_ids"]
        assert row.cut == (len(tokenizer(*pair).input_ids) > max_length)


def test_a_pair_that_is_too_long_loses_tokens_of_its_longer_sentence_first(tokenizer: BertTokenizer) -> None:
    (row,) = encode([("a b", "c d e f g h")], encoding="cross", tokenizer=tokenizer, max_length=8)

    assert tokenizer.convert_ids_to_tokens(row.input_ids) == ["[CLS]", "a", "b", "[SEP]", "c", "d", "e", "[SEP]"]
    assert (row.first_length, row.cut) == (4, True)


@pytest.mark.parametrize("max_length", [64, 6])
def test_single_ids_equal_the_tokenizer_of_hugging_face(tokenizer: BertTokenizer, max_length: int) -> None:
    encoded = encode([pair[1:] for pair in PAIRS], encoding="single", tokenizer=tokenizer, max_length=max_length)

    expected = tokenizer([second for _, second in PAIRS], truncation=True, max_length=max_length).input_ids
    assert [row.input_ids for row in encoded] == expected
    assert [row.first_length for row in encoded] == [len(ids) for ids in expected]
    assert [row.cut for row in encoded] == [len(tokenizer(second).input_ids) > max_length for _, second in PAIRS]


@pytest.mark.parametrize("max_length", [64, 6])
def test_bi_ids_are_those_of_each_sentence_alone(tokenizer: BertTokenizer, max_length: int) -> None:
    encoded = encode(PAIRS, encoding="bi", tokenizer=tokenizer, max_length=max_length)

    for pair, row in zip(PAIRS, encoded, strict=True):
        first, second = (tokenizer(text, truncation=True, max_length=max_length).input_ids for text in pair)
        assert (row.input_ids, row.first_length) == (first + second, len(first))
        assert row.cut == any(len(tokenizer(text).input_ids) > max_length for text in pair)


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), min_size=1, max_size=4),
    max_length=st.integers(3, 20),
)
def test_any_text_gives_what_the_tokenizer_gives_alone(
    tokenizer: BertTokenizer, pairs: list[tuple[str, str]], max_length: int
) -> None:
    for pair, row in zip(
        pairs, encode(pairs, encoding="cross", tokenizer=tokenizer, max_length=max_length), strict=True
    ):
        first, second = pair  # in lists: tokenizer(a, "") takes an empty second sentence for none
        expected = tokenizer([first], [second], truncation="longest_first", max_length=max_length)
        assert [row.input_ids] == expected.input_ids
        assert row.first_length == expected.token_type_ids[0].count(0)


@pytest.mark.parametrize("task", [Sst(), Quora(), Sts(), Quora(encoding="bi")])
@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_a_store_holds_the_rows_of_the_file_in_order(cache: Cache, task: Task, split: Split) -> None:
    store = cache.open(task, split)
    examples = list(task.read(split, cache.root, print))

    assert len(store) == len(examples) == 12
    for row, example in enumerate(examples):
        assert store.id(row) == example.id
        texts = [example.texts] if task.encoding == "cross" else [(text,) for text in example.texts]
        assert store.tokens(row).tolist() == [token for text in texts for token in cache.tokenizer(*text).input_ids]
    assert store.is_labelled == (split != "test")
    assert store.source["path"] == str(cache.root / str(getattr(task.source, split)))
    assert cache.reports == []


def test_a_second_opening_reads_and_tokenises_nothing(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cache.open(Sst())
    monkeypatch.setattr(encoding, "encode", forbid)
    monkeypatch.setattr(Sst, "read", forbid)

    second = cache.open(Sst())

    assert second.path == first.path
    assert [second.tokens(row).tolist() for row in range(12)] == [first.tokens(row).tolist() for row in range(12)]
    assert cache.names() == [first.path.with_suffix(".arrow").name, first.path.with_suffix(".json").name]


def test_the_cache_is_found_again_by_a_newly_loaded_tokenizer_and_in_another_order(
    cache: Cache, tiny_backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for task in (Sst(), Quora()):
        cache.open(task)
    monkeypatch.setattr(encoding, "encode", forbid)
    for order in ((Sst(), Quora()), (Quora(), Sst())):
        cache.tokenizer = load_tokenizer(str(tiny_backbone))  # earlier calls leave their max_length in a tokenizer
        for task in order:
            cache.open(task)

    assert len(cache.names()) == 4


def test_another_weight_head_metric_or_batch_size_uses_the_same_file(cache: Cache) -> None:
    task = Quora()
    paths = {
        cache.open(changed).path
        for changed in (
            task,
            replace(task, weight=0.5),
            replace(task, head=LinearHead),
            replace(task, metrics=("macro_f1",)),
            replace(task, batch_size=3),
            replace(task, prediction_header="p"),
        )
    }
    assert len(paths) == 1


def test_another_encoding_split_text_order_length_or_class_uses_another_file(cache: Cache) -> None:
    task = Quora()
    paths = [cache.open(task).path, cache.open(task, "dev").path]
    paths += [cache.open(replace(task, encoding="bi")).path]
    paths += [cache.open(replace(task, texts=("sentence2", "sentence1"))).path]
    paths += [cache.open(replace(task, id=None)).path]
    cache.max_length = 32
    paths += [cache.open(task).path]

    assert len(set(paths)) == 6


def test_the_same_file_as_another_split_uses_another_file(cache: Cache) -> None:
    task = Sst(source=Source(train="ids-sst-train.csv", dev="ids-sst-train.csv"))

    assert cache.open(task).path != cache.open(task, "dev").path


def test_another_tokenizer_uses_another_file(cache: Cache, tmp_path: Path) -> None:
    before = cache.open(Sst())
    folder = tmp_path / "cased"
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "was"]
    (folder / "vocab.txt").write_text("\n".join(words))
    cache.tokenizer = BertTokenizer.from_pretrained(folder)

    after = cache.open(Sst())

    assert after.path != before.path
    assert after.tokens(0).tolist() == [2, 5, 6, 7, 3]


def test_a_tokenizer_that_cuts_on_the_other_side_uses_another_file(cache: Cache, tiny_backbone: Path) -> None:
    before = cache.open(Sst())
    cache.tokenizer = load_tokenizer(str(tiny_backbone))
    cache.tokenizer.truncation_side = "left"

    assert cache.open(Sst()).path != before.path


def test_a_changed_file_uses_another_cache_file_and_the_old_name_elsewhere_the_same(
    cache: Cache, sst_file: Path
) -> None:
    before = cache.open(Sst())
    cache.root = sst_file.parent
    assert cache.open(Sst()).path == before.path

    sst_file.write_text(sst_file.read_text().replace("the film was", "the song was"))

    after = cache.open(Sst())
    assert after.path != before.path
    assert after.tokens(0).tolist() != before.tokens(0).tolist()
    assert after.source["sha256"] != before.source["sha256"]


def test_the_same_bytes_under_another_ending_use_another_file(cache: Cache, sst_file: Path) -> None:
    tsv = sst_file.with_suffix(".tsv")
    tsv.write_bytes(sst_file.read_bytes())

    assert (
        cache.open(Sst(source=Source(train=str(tsv)))).path != cache.open(Sst(source=Source(train=str(sst_file)))).path
    )


def test_the_number_of_cut_rows_is_reported_every_time(cache: Cache) -> None:
    cache.max_length = 16
    lengths = [len(cache.tokenizer(*example.texts).input_ids) for example in Quora().read("train", cache.root, print)]
    expected = sum(length > 16 for length in lengths)
    assert 0 < expected < 12

    for _ in range(2):
        store = cache.open(Quora())
        assert cache.reports == [f"{cache.root / 'quora-train.csv'}: {counted(expected, 'example')} cut to 16 tokens"]
    assert store.lengths.max() == 16


def test_skipped_rows_are_reported_every_time(cache: Cache, sst_file: Path) -> None:
    sst_file.write_text(sst_file.read_text() + "12\tlast\t \t3\n")
    cache.root = sst_file.parent

    for _ in range(2):
        assert len(cache.open(Sst())) == 12
        assert cache.reports == [f"{sst_file}, line 14: skipped, sentence is empty (expected text)"]


def test_an_error_late_in_the_file_leaves_nothing_in_the_cache(
    cache: Cache, sst_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "ROWS_A_CHUNK", 2)
    sst_file.write_text(sst_file.read_text() + "12\tlast\tgood\t9\n")
    cache.root = sst_file.parent

    with pytest.raises(InputError, match=r"line 14: sentiment is '9' \(expected 0 to 4\)"):
        cache.open(Sst())
    assert list(cache.folder.iterdir()) == []


def test_a_missing_file_makes_no_cache(cache: Cache) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv: no such file \(the train split"):
        cache.open(Sst(source=Source(train="nowhere.csv")))
    assert not cache.folder.exists()


def test_an_id_that_appears_twice_is_refused(cache: Cache, sst_file: Path) -> None:
    sst_file.write_text(sst_file.read_text() + "12\tids-sst-03\tgood\t4\n")
    cache.root = sst_file.parent

    with pytest.raises(InputError, match=r"ids-sst-train\.csv, line 14: id is 'ids-sst-03', as in an earlier row"):
        cache.open(Sst())
    assert cache.names() == []


def test_two_writers_at_once_leave_one_whole_file(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    target = tmp_path / "cache" / "key.arrow"

    def write(examples: Iterator[Example] | Sequence[Example]) -> None:
        write_store(examples, target, encoding="single", tokenizer=tokenizer, max_length=9, notes=["a note"])

    def interrupted() -> Iterator[Example]:
        yield Example("0", ("the cat",), 0)
        assert not target.exists()
        write([Example("0", ("the cat",), 0), Example("1", ("the dog",), 1)])
        early = TokenStore(target, task=Sst(), source={})  # opened by the other process, then replaced under its feet
        opened.append(early)
        yield Example("1", ("the dog",), 1)

    opened: list[TokenStore] = []
    write(interrupted())
    opened.append(TokenStore(target, task=Sst(), source={}))

    assert [[store.id(0), store.id(1), len(store)] for store in opened] == [["0", "1", 2]] * 2
    assert [store.notes for store in opened] == [["a note"]] * 2
    assert sorted(os.listdir(target.parent)) == ["key.arrow", "key.json"]


def test_many_threads_open_the_same_split_at_once(cache: Cache, tiny_backbone: Path) -> None:
    stores: list[TokenStore] = []

    def work() -> None:
        own = replace(cache, tokenizer=load_tokenizer(str(tiny_backbone)))
        stores.append(own.open(Quora()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(stores) == 4
    assert len({tuple(store.tokens(11).tolist()) for store in stores}) == 1
    assert len(cache.names()) == 2


def test_texts_without_a_known_word_are_counted(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    notes: list[str] = []
    examples = [Example("a", ("\U0001f9ff \U0001f9fe",), 0), Example("b", ("a film",), 1)]
    write_store(examples, tmp_path / "x.arrow", encoding="single", tokenizer=tokenizer, max_length=16, notes=notes)
    assert notes == [": 1 example without a word that the tokenizer knows"]


SPECIAL = [Example("a", ("a [SEP] film [MASK]", "good"), 0), Example("b", ("a film", "[SEP] bad"), 1)]
SPECIAL += [Example("c", ("[sep] a film", "SEP"), 1)]


def test_texts_with_special_tokens_are_counted(tmp_path: Path, tokenizer: BertTokenizer) -> None:
    notes: list[str] = []
    write_store(SPECIAL, tmp_path / "x.arrow", encoding="cross", tokenizer=tokenizer, max_length=32, notes=notes)

    found = "2 examples with special tokens, which the model reads as such: [SEP] 2, [MASK] 1"
    assert notes == [f": {found} (--data.special_tokens_as_text true reads them as text)"]


@pytest.mark.parametrize("mode", ["cross", "bi", "single"])
def test_special_tokens_can_be_read_as_text(mode: Any, tmp_path: Path, tiny_backbone: Path, cache: Cache) -> None:
    plain = load_tokenizer(str(tiny_backbone), special_tokens_as_text=True)
    texts = [example.texts[:1] if mode == "single" else example.texts for example in SPECIAL]
    changed = [tuple(text.replace("[SEP]", "[sep]").replace("[MASK]", "[mask]") for text in each) for each in texts]

    found = encode(texts, encoding=mode, tokenizer=plain, max_length=32)

    assert found == encode(changed, encoding=mode, tokenizer=cache.tokenizer, max_length=32)
    assert found != encode(texts, encoding=mode, tokenizer=cache.tokenizer, max_length=32)
    notes: list[str] = []
    write_store(SPECIAL, tmp_path / "x.arrow", encoding="cross", tokenizer=plain, max_length=32, notes=notes)
    assert notes == []
    assert cache.open(Sst()).path != replace(cache, tokenizer=plain).open(Sst()).path


def test_many_notes_of_one_kind_are_counted_and_name_the_file_that_is_read(cache: Cache, sst_file: Path) -> None:
    sst_file.write_text(sst_file.read_text() + "".join(f"{n}\tlast{n}\t \t3\n" for n in range(12, 20)))
    cache.root = sst_file.parent
    cache.open(Sst())
    copy = sst_file.with_name("copy.csv")
    copy.write_bytes(sst_file.read_bytes())

    cache.open(Sst(source=Source(train=str(copy))))

    kind = "skipped, sentence is empty (expected text)"
    expected = [f"{copy}, line {line}: {kind}" for line in range(14, 19)]
    assert cache.reports == [*expected, f"{copy}: 3 more: {kind}"]


@pytest.mark.parametrize(
    "damage",
    ["empty", "half", "other columns", "no notes", "half of the notes", "[]", '{"notes": 3}', '{"notes": [3]}'],
)
def test_a_damaged_file_is_made_anew(cache: Cache, caplog: pytest.LogCaptureFixture, damage: str) -> None:
    path = cache.open(Sst()).path
    expected, notes = path.read_bytes(), path.with_suffix(".json")
    if damage == "no notes":
        notes.unlink()
    elif damage == "half of the notes":
        notes.write_text('{"no')
    elif damage[0] in "[{":
        notes.write_text(damage)
    elif damage == "other columns":
        table = pa.table({"id": ["a"]})
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    else:
        path.write_bytes(expected[: len(expected) // 2 if damage == "half" else 0])

    store = cache.open(Sst())

    assert len(store) == 12
    assert path.read_bytes() == expected
    assert [record.getMessage() for record in caplog.records if "damaged, it is made anew" in record.getMessage()]


def test_a_cache_that_cannot_be_written_is_done_without(
    cache: Cache, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = cache.open(Sst())
    (tmp_path / "file").write_text("")
    cache.folder = tmp_path / "file" / "cache"

    opened, again = cache.open(Sst()), cache.open(Sst())

    assert opened.path.read_bytes() == expected.path.read_bytes()
    assert again.path == opened.path
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == 1
    assert said[0].startswith(f"data.cache_dir {cache.folder}: cannot be written, nothing is kept (")


def test_what_killed_writers_left_behind_is_removed_after_a_day(cache: Cache) -> None:
    old, live = (cache.folder / f".partial-{name}" for name in ("old", "live"))
    for folder in (old, live):
        folder.mkdir(parents=True)
        (folder / "x.arrow").write_text("")
    two_days_ago = time.time() - 2 * 24 * 60 * 60
    for path in (old, old / "x.arrow", live):
        os.utime(path, (two_days_ago, two_days_ago))

    cache.open(Sst())

    assert not old.exists()
    assert live.exists()
