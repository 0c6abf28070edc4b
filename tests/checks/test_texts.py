import pytest

from checks.oddities import Oddities, find_script
from checks.texts import count_unknown, find_oddities, find_other_scripts, find_skipped_rows, find_unknown_tokens


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Fast &amp; Furious", "html"),
        ("a <br/> b", "html"),
        ("<p class='x'>text</p>", "html"),
        ("&#8217;s", "html"),
        ("Stalloneâ€™s son", "mojibake"),
        ("cafÃ©", "mojibake"),
        ("Archimedes\ufffd", "mojibake"),
        ("a\x92b", "mojibake"),
        ('"What does ""it"" mean?"', "escapes"),
        ("-LRB- sic -RRB-", "escapes"),
        ("and\\/or", "escapes"),
        ("`` quoted ''", "escapes"),
        ("a\x07b", "control characters"),
        ("the [MASK] of Zorro", "special tokens"),
    ],
)
def test_a_sign_of_damage_is_known(text, kind):
    found = Oddities(["[MASK]"])
    found.count([("nothing odd",), (text,), (text,)])
    assert dict(found.counts) == {kind: 2}
    assert dict(found.first) == {kind: [1, 2]}


@pytest.mark.parametrize(
    "text",
    [
        "AT&T and R&D",
        "a < b > c",
        "1 <2",
        "SÃO PAULO",
        "château à Âge",
        "naïve café",
        'say "yes"',
        "\\nabla f",
        "a\tb",
        "two\r\nlines",
    ],
)
def test_what_merely_looks_odd_is_left_alone(text):
    found = Oddities([])
    found.count([(text,)])
    assert dict(found.counts) == {}


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("plain", "LATIN"),
        ("12 + 3", ""),
        ("где это", "CYRILLIC"),
        ("日本のアニメ", "CJK"),
        ("한글", "HANGUL"),
        ("ελλ", "GREEK"),
    ],
)
def test_the_script_of_a_text_is_that_of_most_letters(text, script):
    assert find_script(text) == script


def test_rows_of_another_script_are_told(make_splits):
    table = [("a", "a good film", 1), ("b", "очень хороший фильм", 0), ("c", "2 + 2", 0)]
    rows = make_splits({"train": table})["train"]
    (found,) = find_other_scripts(rows, rows.oddities.main_script)
    assert (found.count, found.level) == (1, "warning")
    assert found.what == "are written in Cyrillic letters, most rows of train in Latin ones"
    assert found.examples[0].where.endswith("line 3")


def test_unknown_words_are_counted_and_rows_without_any_other_are_empty(make_splits, tokenizer):
    table = [("a", "a good film", 1), ("b", "good 𝔊𝔬𝔬𝔡", 0), ("c", "𝔊𝔬𝔬𝔡", 0), ("d", "\u200b\u200b", 1)]
    rows = make_splits({"train": table})["train"]
    unknown = count_unknown(rows, tokenizer.unk_token_id)
    assert unknown.tolist() == [0, 1, 1, 0]
    some, nothing = find_unknown_tokens(rows, tokenizer, unknown)
    assert (some.check, some.count) == ("unknown-tokens", 2)
    assert (nothing.check, nothing.count) == ("empty", 2)
    assert [example.where.rpartition(" ")[2] for example in nothing.examples] == ["4", "5"]


def test_oddities_of_dev_are_compared_with_train(make_splits):
    splits = make_splits({"train": [("a", "plain", 1)], "dev": [("b", "Q&amp;A", 1), ("c", "x", 0)]})
    (found,) = find_oddities(splits["dev"], splits["train"])
    assert (found.check, found.count, found.level) == ("html", 1, "warning")
    assert found.what == "hold HTML: tags or entities (of train 0 of 1)"
    assert list(find_oddities(splits["train"], splits["train"])) == []


def test_rows_that_are_left_out_are_told_with_what_they_lack(make_splits):
    table = [("a", "good", 1), ("b", " ", 0), ("c", "dull", "")]
    rows = make_splits({"train": table}, broken_rows="skip")["train"]
    (found,) = find_skipped_rows(rows)
    assert (found.check, found.count, found.total) == ("broken-rows", 2, 3)
    assert [example.where.rpartition(", ")[2] for example in found.examples] == ["line 3", "line 4"]
    assert "y is empty" in found.examples[1].remark


def test_a_row_after_a_skipped_one_keeps_its_own_line(make_splits):
    table = [("a", "good", 1), ("b", "", 0), ("c", "dull\nand long", 0), ("d", "last", 1)]
    rows = make_splits({"train": table}, broken_rows="skip")["train"]
    assert [rows.where(row).rpartition(" ")[2] for row in range(3)] == ["2", "4", "6"]
    assert [rows.texts[row] for row in range(3)] == [("good",), ("dull\nand long",), ("last",)]
