import pytest

from shortcuts.words import overlap, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Isn't THIS, that?", {"isn't", "this", "that"}),
        ("...", set()),
        ("C++ or C# or C?", {"c++", "c#", "or", "c"}),
        ("猫が好き", {"猫", "が", "好", "き"}),
        ("Python入門2", {"python", "入", "門", "2"}),
        ("naïve café", {"naïve", "café"}),
    ],
)
def test_words_of_a_text(text, expected):
    assert words(text) == expected


def test_overlap_of_a_few_words_by_hand():
    assert overlap("a b c", "B c d") == 0.5
    assert overlap("a", "b") == 0.0
    assert overlap("?", "!") == 1.0
