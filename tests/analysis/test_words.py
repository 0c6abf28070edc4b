from analysis.words import has_negation, mark_shared, numbers


def test_negation_is_a_word_or_a_contracted_not():
    assert [has_negation(text) for text in ("No.", "it is n't", "don’t", "cannot", "nothing")] == [True] * 5
    assert [has_negation(text) for text in ("notable", "know", "")] == [False] * 3


def test_numbers_are_read_whole():
    assert numbers("1,000 of 2.5 in 3rd") == {"1,000", "2.5", "3"}


def test_shared_words_are_marked_and_nothing_of_the_text_is_lost():
    texts = ("How do I <b>learn</b>?", "how can I learn")
    marked = mark_shared(texts)
    assert ["".join(part for part, _ in parts) for parts in marked] == list(texts)
    assert [[part for part, is_shared in parts if is_shared] for parts in marked] == [
        ["How", "I", "learn"],
        ["how", "I", "learn"],
    ]
    assert mark_shared(("one text",)) == [[("one text", False)]]
