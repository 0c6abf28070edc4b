"""Pairs of questions that share all their words and differ in order, made by rule, with and without the same meaning.

They are for measuring alone: no pair for training is made from a question of their forms, nor has one their forms. Each
pair of fillers comes in questions that mean something else when both change places and in questions that do not, so
that no filler tells.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class OrderPair:
    """Two questions with the same words.

    Args:
        phenomenon: What the order of words decides in its family.
        texts: The questions.
        is_same: Whether they mean the same.
    """

    phenomenon: str
    texts: tuple[str, str]
    is_same: bool


@dataclass(frozen=True)
class Family:
    """Questions about two fillers, `{a}` and `{b}`.

    Args:
        phenomenon: What the order of words decides.
        different: Questions that ask something else when the fillers change places.
        same: Questions that do not; of two texts, the same question with its clauses in another order.
        fillers: What is filled in.
    """

    phenomenon: str
    different: tuple[str, ...]
    same: tuple[str | tuple[str, str], ...]
    fillers: str


FAMILIES = (
    Family(
        "direction",
        ("How do I get from {a} to {b} by train?", "Is it expensive to move from {a} to {b}?"),
        ("How far is {a} from {b}?", "What is the time difference between {a} and {b}?"),
        "Paris Lyon, Berlin Munich, Rome Milan, Tokyo Osaka, Delhi Mumbai, Boston Chicago, Madrid Seville, "
        "London Leeds, Oslo Bergen, Vienna Graz, Toronto Montreal, Sydney Melbourne",
    ),
    Family(
        "who does it to whom",
        ("Why did {a} fire {b}?", "What did {a} say about {b}?"),
        ("Why did {a} and {b} break up?", "Where did {a} meet {b}?"),
        "Anna Tom, Maria John, Emma Paul, Laura Mark, Sofia Peter, Nina David, Julia Simon, Clara Martin, Rosa Felix, "
        "Ella Oscar, Ida Hugo, Vera Leo",
    ),
    Family(
        "comparison",
        ("Why is {a} more expensive than {b}?", "Why do people buy {a} instead of {b}?"),
        ("Which is better, {a} or {b}?", "What do {a} and {b} have in common?"),
        "tea coffee, butter margarine, rice pasta, honey sugar, silver gold, cotton silk, beef chicken, wood plastic, "
        "beer wine, oil gas, leather linen, glass paper",
    ),
    Family(
        "before and after",
        ("Should I {a} before I {b}?", "Why do I have to {a} after I {b}?"),
        ("Is it possible to {a} and {b} on the same day?", "Is it harder to {a} or to {b}?"),
        "eat run, sleep study, shower swim, stretch jog, read write, cook clean, drive drink, work travel, rest train, "
        "shop bake, sing dance, walk meditate",
    ),
    Family(
        "cause and effect",
        ("Can {a} cause {b}?", "How does {a} lead to {b}?"),
        ("What is the link between {a} and {b}?", "Is it common to have {a} and {b} at once?"),
        "stress insomnia, anxiety headaches, fever dehydration, pain depression, obesity diabetes, fatigue nausea, "
        "asthma allergies, boredom overeating, loneliness addiction, anger hypertension, dizziness vomiting, "
        "inflammation swelling",
    ),
    Family(
        "conditions",
        ("Is it normal that {a} when {b}?", "Does it always happen that {a} because {b}?"),
        (
            ("What should I do if {a} while {b}?", "If {a} while {b}, what should I do?"),
            ("Who can help me when {a} and {b}?", "When {a} and {b}, who can help me?"),
        ),
        "my phone gets hot|the battery is low, my car shakes|the engine is loud, my dog barks|the baby is crying, "
        "my screen freezes|the fan is loud, my knee hurts|the weather is cold, my plants die|the soil is dry, "
        "my boss is angry|the project is late, my cat hides|the guests are noisy, my skin itches|the air is dry, "
        "my internet fails|the router is hot, my oven smokes|the filter is dirty, my eyes burn|the room is dusty",
    ),
)


def build_order_pairs() -> Iterator[OrderPair]:
    """Yield all pairs: 6 families, 12 fillers, two questions of each label."""
    for family in FAMILIES:
        for filler in family.fillers.split(", "):
            a, b = filler.split("|") if "|" in filler else filler.split()
            for question in family.different:
                yield OrderPair(family.phenomenon, (question.format(a=a, b=b), question.format(a=b, b=a)), False)
            for each in family.same:
                if isinstance(each, str):
                    texts = (each.format(a=a, b=b), each.format(a=b, b=a))
                else:
                    texts = (each[0].format(a=a, b=b), each[1].format(a=a, b=b))
                yield OrderPair(family.phenomenon, texts, True)


@cache
def _forms() -> re.Pattern[str]:
    templates = [
        text
        for family in FAMILIES
        for each in (*family.different, *family.same)
        for text in ((each,) if isinstance(each, str) else each)
    ]
    return re.compile("|".join(re.sub(r"\\{[ab]\\}", ".+", re.escape(_simplify(each))) for each in templates))


def _simplify(text: str) -> str:
    return " ".join(re.sub(r"[,:;?.!\"]", " ", text.lower()).split())


def is_held_out(text: str) -> bool:
    """Whether a text has the form of a question of these pairs, whatever it is about and however it is punctuated.

    Example:
        >>> is_held_out("Which is better: Rust or Go?"), is_held_out("Which language is better, Rust or Go?")
        (True, False)
    """
    return _forms().fullmatch(_simplify(text)) is not None
