"""Texts of which an edit would be broken or mean something else than its label says, and like ones that are edited."""

import pytest

from augmentation import KINDS

LEFT_ALONE = [
    ("list", "Is Sherlock Holmes INTJ or INTP?"),
    ("list", "Are most American Muslims Sunni or Shias? How can I tell?"),
    ("relation", "What is the best university to study medicine in Ukraine, Europe and why?"),
    ("relation", "What is the difference between moving coil and moving iron ammeter?"),
    ("relation", "What is the difference between inner right and outer right join?"),
    ("relation", "What is the difference between Indian polity M Laxmikant 4th and 5th edition?"),
    ("list", "Who are the heads of Protestant and Orthodox Churches?"),
    ("list", "Can they stay if someone bought them the room and checked in with them?"),
    ("voice", 'Why do people use the phrase "what a prude"?'),
    ("voice", "Why do guys ignore the girl who likes them?"),
    ("passive", 'Can this be if the spin is caused by the local "collapse" of the wave?'),
    ("clause", "Can I get pregnant a couple hours before I got my period?"),
    ("sentences", "Should I go for the old model or the new one? What are the major differences between the two?"),
    ("sentences", "What influences does the mob still have in America? Specifically New York, Chicago and Las Vegas?"),
    ("before_after", "My wife left me after three months, what can I do?"),
    ("before_after", "After 2 years of quitting programming how can I restart?"),
]
EDITED = [
    ("list", "Is it better to live in Denmark or Norway?", "in Norway or Denmark"),
    ("relation", "What is the best time to study, day or night?", "night or day"),
    (
        "comparison",
        "How is the prime minister more powerful than the king?",
        "king more powerful than the prime minister",
    ),
    ("clause", "Can I leave for two weeks if I ask?", "If I ask, can I leave for two weeks?"),
    ("relation", "What is the difference between test strategy and test plan?", "test plan and test strategy"),
    ("relation", "What is the difference between data base management system and file system?", "file system and data"),
    ("list", "Who would win in a war between Sri Lanka and Myanmar?", "Myanmar and Sri Lanka"),
    ("list", "What is a good name for a cat and dog in a film?", "a dog and cat"),
    ("voice", "Why do guys ignore girls on dates?", "Why are girls ignored by guys on dates?"),
    (
        "comparison",
        "Why is the question more important than the answer?",
        "the answer more important than the question",
    ),
    ("clause", "Can I get pregnant before I got my period?", "Before I got my period, can I get pregnant?"),
    ("before_after", "How do I increase my height after 22?", "before 22"),
    ("before_after", "What should I do after two exams?", "before two exams"),
]


@pytest.mark.parametrize(("kind", "text"), LEFT_ALONE)
def test_a_text_is_left_alone(kind, text):
    assert KINDS[kind].rule(text) is None


@pytest.mark.parametrize(("kind", "text", "part"), EDITED)
def test_a_like_text_is_edited(kind, text, part):
    edit = KINDS[kind].rule(text)
    assert edit is not None
    assert part in edit.text
