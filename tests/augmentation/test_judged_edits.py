"""Which edits a masked language model drops, how many it has to read for that, and texts of any kind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from augmentation import Fluency, GeneratedPairs, Generator, TrainingPair
from augmentation.fluency import Edited, Judge

USUAL = "why do cats like dogs?"


@dataclass(frozen=True)
class Change:
    """Texts with their edits."""

    edits: Sequence[Edited]


def changes(*edits: Edited) -> list[Change]:
    return [Change([edit]) for edit in edits]


def test_the_edits_that_lose_most_are_dropped(folder: Path):
    edits = changes(
        (USUAL, "dogs like cats do why?"), (USUAL, USUAL), (USUAL, "why do cats like cats?"), (USUAL, "? ? ? ? ?")
    )
    assert Judge(Fluency(model=str(folder), drop=0.5)).choose(edits, 2) == [edits[1], edits[2]]
    assert Judge(Fluency(model=str(folder), drop=0.0)).choose(edits, 4) == edits


def test_no_more_are_read_than_are_needed(folder: Path):
    first, bad, worse, second = changes(
        (USUAL, USUAL), (USUAL, "? ? ? ? ?"), (USUAL, "cats cats ? do do"), (USUAL, "why do cats like cats?")
    )
    judge = Judge(Fluency(model=str(folder), drop=0.5))
    unread = Change([("? ? ? ? ?", USUAL)])  # which nothing would beat
    assert judge.choose([first, bad, worse, second, unread], 2) == [first, second]
    assert judge.choose([first, bad, worse, second, unread], 0) == []


def test_of_two_edits_each_is_judged_against_its_own_text(folder: Path):
    odd = "dogs cats why like do?"
    good, as_good = Change([(odd, USUAL), (odd, USUAL)]), Change([(odd, USUAL), (USUAL, USUAL)])
    first_worse, second_worse = Change([(USUAL, odd), (odd, odd)]), Change([(odd, odd), (USUAL, odd)])
    judge = Judge(Fluency(model=str(folder), drop=0.5))
    assert judge.choose([good, first_worse, second_worse, as_good], 2) == [good, as_good]


def test_pairs_of_which_both_sides_were_moved_are_judged_against_the_row(folder: Path):
    """Both edits are as odd as each other, so that one tells nothing of the other."""
    generator = Generator(GeneratedPairs(share=1.0, fluency=Fluency(model=str(folder))), 1, 0)
    texts = ("How do I fly from Oslo to Rome?", "Is there a flight from Oslo to Rome?")
    generator.add(TrainingPair("1", texts, 1))
    (found,) = generator._candidates["both_sides"].values()
    assert found.edits == tuple(zip(texts, (found.text, found.edited), strict=True))
    assert found.text != texts[0]
    assert found.edited != texts[1]


def test_as_many_are_made_as_without_where_there_are_enough(folder: Path):
    names = ("Rome", "Bonn", "Kiel", "Bern", "Oslo", "Kiev", "Riga", "Lima", "Graz", "Lyon")
    rows = [
        TrainingPair(str(n), (f"How do I fly from {a} to Cairo?", f"What's a {a}?"), 0) for n, a in enumerate(names)
    ]
    settings = GeneratedPairs(share=0.6, kinds=("direction", "contraction"))
    found = []
    for each in (settings, replace(settings, fluency=Fluency(model=str(folder), drop=0.5))):
        generator = Generator(each, 1, 0)
        for row in rows:
            generator.add(row)
        made = generator.generate()
        assert sum(pair.label for pair in made) * 2 == len(made)
        found.append(len(made))
    assert found == [6, 6]


@pytest.mark.parametrize("text", ["", "😀", "为什么?", "cats [MASK] dogs [SEP]", "why " * 700, "<b>cats</b>"])
def test_texts_of_any_kind_are_judged(folder: Path, text: str):
    (kept,) = Judge(Fluency(model=str(folder))).choose(changes((text, f"{text} dogs")), 1)
    assert kept.edits[0][0] == text


def test_the_key_knows_the_weights_and_not_where_they_lie(folder: Path, tmp_path: Path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    one, other = (GeneratedPairs(fluency=Fluency(model=str(place))) for place in (folder, tmp_path))
    assert one.reading_settings() == other.reading_settings()
    assert replace(one, fluency=Fluency(model=str(folder), drop=0.2)).reading_settings() != one.reading_settings()
    assert replace(one, fluency=None).reading_settings() != one.reading_settings()
