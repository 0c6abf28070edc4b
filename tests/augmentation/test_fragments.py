import pytest

from augmentation.fragments import cut_fragments, draw_fragments


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("A witty film , but it runs far too long .", ["A witty film", "it runs far too long"]),
        ("One two three, four five six.", ["One two three", "four five six"]),
        ("It cost 1,000.5 dollars in May", []),  # no mark between words
        ("a small dog", []),
        ("too short, and so this is it", ["this is it"]),
        ("But it is good, but short", ["it is good"]),
        ("An android runs", []),  # no conjunction inside of words
        ("", []),
        (", - !", []),
        ("Sehr schön gemacht – aber viel zu lang", ["Sehr schön gemacht", "aber viel zu lang"]),
        (
            "I came here because it rained although you said no rain",
            ["I came here", "I came here because it rained", "it rained although you said no rain", "you said no rain"],
        ),
    ],
)
def test_a_text_is_cut_at_marks_and_conjunctions(text, fragments):
    assert cut_fragments(text) == fragments


def test_a_fragment_has_three_pieces_at_most():
    text = ", ".join(f"piece number {number}" for number in range(5))
    found = cut_fragments(text)
    assert len(found) == 5 + 4 + 3
    assert max(fragment.count(",") for fragment in found) == 2


TEXTS = ["one fine day , we all went home", "We all went home", "it was late and we all went home . one fine day came"]


def test_no_fragment_is_a_text_or_comes_twice():
    found = draw_fragments(TEXTS, 100, seed=0)
    folded = [fragment.casefold() for fragment in found]
    assert "one fine day" in folded
    assert "we all went home" not in folded
    assert len(set(folded)) == len(folded) > 3


def test_the_draw_depends_on_the_seed_alone():
    assert draw_fragments(TEXTS, 3, seed=1) == draw_fragments(TEXTS, 3, seed=1)
    assert draw_fragments(TEXTS, 3, seed=1) != draw_fragments(TEXTS, 3, seed=2)
    assert len(draw_fragments(TEXTS, 3, seed=1)) == 3
    assert draw_fragments([], 3, seed=1) == []
