"""Pairs from rows: as many of either label, the words kept, nothing known or held out, the same under a seed."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from augmentation import KINDS, PREFIX, Generated, GeneratedPairs, Generator, TrainingPair
from augmentation.generating import share_out
from augmentation.held_out import FAMILIES, build_order_pairs, is_held_out
from augmentation.tokens import bag
from tasks import Quora

SAMPLE = Path(__file__).resolve().parent.parent.parent / "sample_data"
ALL = GeneratedPairs(share=1.0, across=0.0)


def read_sample() -> list[TrainingPair]:
    examples = Quora().read("train", SAMPLE, lambda note: None)
    return [TrainingPair(example.id, example.texts, example.label) for example in examples]


def generate(rows: list[TrainingPair], settings: GeneratedPairs = ALL, *, same=1, different=0) -> list[Generated]:
    generator = Generator(settings, same, different)
    for row in rows:
        generator.add(row)
    return generator.generate()


@pytest.fixture(scope="module")
def rows() -> list[TrainingPair]:
    return read_sample()


@pytest.fixture(scope="module")
def made(rows: list[TrainingPair]) -> list[Generated]:
    return generate(rows)


def test_there_is_a_positive_for_each_negative(made: list[Generated]):
    assert len(made) > 200
    labels = Counter(pair.label for pair in made)
    assert labels[0] == labels[1]


def test_both_texts_have_the_same_words_where_promised(made: list[Generated]):
    kept = [pair for pair in made if pair.kind in KINDS and KINDS[pair.kind].keeps_words]
    assert len({pair.kind for pair in kept}) >= 4
    for pair in kept:
        assert bag(pair.texts[0]) == bag(pair.texts[1])
        assert pair.texts[0] != pair.texts[1]


def test_other_kinds_differ_in_two_words_at_most_or_in_the_voice(made: list[Generated]):
    others = [pair for pair in made if pair.kind in ("before_after", "or_and", "negation")]
    assert len(others) > 30
    for pair in others:
        first, second = (Counter(bag(text)) for text in pair.texts)
        assert (first - second).total() + (second - first).total() <= 2


def test_an_id_names_kind_row_and_side(made: list[Generated], rows: list[TrainingPair]):
    ids = [pair.id for pair in made]
    assert len({*ids}) == len(ids)
    known = {row.id: row for row in rows}
    for pair in made:
        mark, kind, row, side = pair.id.split(":")
        assert (f"{mark}:", kind) == (PREFIX, pair.kind)
        assert side not in "12" or known[row].texts[int(side) - 1].strip() in pair.texts


def test_the_same_rows_and_seed_give_the_same_pairs(rows: list[TrainingPair]):
    settings = replace(ALL, share=0.2, across=0.5)
    assert generate(rows, settings) == generate(rows, settings)
    assert generate(rows, settings) != generate(rows, replace(settings, seed=1))


def test_the_share_limits_the_pairs_and_spreads_them_over_the_kinds(rows: list[TrainingPair]):
    made = generate(rows, replace(ALL, share=0.1))
    counts = Counter(pair.kind for pair in made if pair.label == 0)
    assert len(made) == 48
    assert max(counts.values()) - min(counts.values()) <= 4
    assert len(counts) >= 6


def test_either_text_comes_first(made: list[Generated], rows: list[TrainingPair]):
    texts = {text for row in rows for text in row.texts}
    first = sum(pair.texts[0] in texts for pair in made if pair.kind == "negation")
    assert 10 < first < sum(pair.kind == "negation" for pair in made) - 10


def test_chosen_kinds_are_made_alone(rows: list[TrainingPair]):
    made = generate(rows, replace(ALL, kinds=("direction", "clause")))
    assert {pair.kind for pair in made} == {"direction", "clause"}


def test_a_pair_that_the_file_has_is_not_made():
    asked = "How do I travel from Oslo to Rome?"
    swapped = "How do I travel from Rome to Oslo?"
    more = "What's the tallest tree?"
    unknown = [TrainingPair("1", (asked, "Is it far to Rome?"), 0), TrainingPair("2", (more, "Is it tall?"), 0)]
    assert {pair.kind for pair in generate(unknown)} == {"direction", "contraction"}
    known = [*unknown, TrainingPair("3", (swapped.upper(), asked), 1)]
    assert generate(known, replace(ALL, kinds=("direction", "contraction"))) == []


def test_an_edit_of_a_duplicate_can_stand_beside_the_other_text():
    rows = [
        TrainingPair("1", ("How do I drive from Oslo to Rome?", "What is the way to Rome?"), 1),
        TrainingPair("2", ("How do I fly from Kiev to Rome?", "What is a plane?"), 0),
        TrainingPair("3", ("What's a plane?", "What's a ship?"), 0),
        TrainingPair("4", ("What's a lake?", "What's a sea?"), 0),
    ]
    kinds = ("direction", "contraction")
    made = {pair.id: pair for pair in generate(rows, replace(ALL, kinds=kinds, across=1.0))}
    assert {*made["generated:direction:1:1"].texts} == {"What is the way to Rome?", "How do I drive from Rome to Oslo?"}
    unlike = {*made["generated:direction:2:1"].texts}  # its row is no duplicate
    assert unlike == {"How do I fly from Kiev to Rome?", "How do I fly from Rome to Kiev?"}


def test_both_sides_are_moved_alike_and_keep_the_label():
    rows = [
        TrainingPair("1", ("How do I fly from Oslo to Rome?", "Is there a flight from Oslo to Rome?"), 1),
        TrainingPair("2", ("How do I fly from Oslo to Bonn?", "Who flies from Oslo to Bonn?"), 0),
        TrainingPair("3", ("How do I fly from Oslo to Kiel?", "Who flies from Kiel to Bern?"), 1),
    ]
    made = {pair.id: pair for pair in generate(rows, replace(ALL, share=1.0))}
    moved = made["generated:both_sides:1:direction"]
    assert moved.texts[0].endswith("from Rome to Oslo?")
    assert moved.texts[1].endswith("from Rome to Oslo?")
    assert moved.label == 1
    assert not any(name.startswith("generated:both_sides:3") for name in made)


def test_scores_of_negatives_and_positives_are_those_that_are_given():
    rows = [
        TrainingPair("1", ("A dog is chasing a cat.", "A man is cooking."), 0.4),
        TrainingPair("2", ("A dog is biting a horse.", "A dog is biting a cat."), 3.0),
        TrainingPair("3", ("A woman is slicing an onion.", "A boy is reading."), None),
    ]
    made = generate(rows, same=5.0, different=1.5)
    assert {pair.label for pair in made if pair.kind == "roles"} == {1.5}
    assert {pair.label for pair in made if pair.kind == "voice"} == {5.0}


def test_nothing_has_a_form_of_the_pairs_that_measure(made: list[Generated]):
    assert made
    assert not any(is_held_out(text) for pair in made for text in pair.texts)


def test_the_pairs_that_measure_give_no_pair_themselves():
    held_out = [*build_order_pairs()]
    assert len(held_out) == 288
    rows = [TrainingPair(str(number), pair.texts, int(pair.is_same)) for number, pair in enumerate(held_out)]
    generator = Generator(ALL, 1, 0)
    for row in rows:
        generator.add(row)
    assert set(generator.count_candidates().values()) == {0}
    assert any(kind.rule(text) for kind in KINDS.values() for row in rows for text in row.texts)  # rules would fit


def test_a_form_is_held_out_whatever_it_is_about():
    assert len(FAMILIES) == 6
    assert is_held_out("why did the baker fire the whole night shift?")
    assert is_held_out("If A, while B: what should I do")
    assert not is_held_out("Why did the baker hire the whole night shift?")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 0}, r"generated_pairs.share is 0 \(expected above 0 to 1\)"),
        ({"across": 1.5}, "across is 1.5"),
        ({"kinds": ("direction",)}, "kinds is direction .*at least one of direction, .* and one of list"),
        ({"kinds": ("direction", "list", "list")}, "expected each once"),
        ({"kinds": ("both_sides",)}, "kinds is both_sides"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        GeneratedPairs(**settings)


def test_a_number_is_shared_out_as_far_as_it_goes():
    assert share_out(7, {"list": 9, "clause": 9, "voice": 1}) == {"list": 3, "clause": 3, "voice": 1}
    assert share_out(9, {"list": 2, "clause": 0, "voice": 1}) == {"list": 2, "clause": 0, "voice": 1}


def test_a_text_of_a_held_out_form_is_not_crossed_into_a_pair():
    asked, held_out = "What does a ticket from Delhi to Mumbai cost by bus?", "How far is Delhi from Mumbai?"
    assert is_held_out(held_out)
    rows = [
        TrainingPair("1", (asked, held_out), 1),
        TrainingPair("2", ("What is the best way to learn chess at home?", held_out), 1),
    ]
    made = generate(rows, replace(ALL, across=1.0))
    assert made
    assert not [text for pair in made for text in pair.texts if is_held_out(text)]
