"""Invented question pairs in which sharing words says little about asking the same thing."""

import random
import re
from collections.abc import Sequence
from pathlib import Path

from sample_data.words import known

# Values of each slot kind, separated by commas; spellings of one value are separated by slashes.
SLOTS = {
    kind: [value.strip().split("/") for value in values.split(",")]
    for kind, values in {
        "volume": "litres/liters, gallons, pints, cups, millilitres/ml, cubic metres, fluid ounces",
        "length": "miles, kilometres/km, feet, metres/meters, yards, inches, nautical miles",
        "money": "dollars/US dollars, euros, yen/Japanese yen, rupees/Indian rupees, pesos, Swiss francs, pounds",
        "city": "London, Lisbon, Mumbai/Bombay, New York/New York City, Berlin, Nairobi, Sydney, Toronto, Oslo, Lima",
        "language": "French, Spanish, Mandarin/Mandarin Chinese, Arabic, German, Hindi, Portuguese, Korean, Swahili",
        "code": "Python, Java, C++, JavaScript/JS, Ruby, Rust, Go/Golang, Kotlin",
        "phone": "an iPhone, an Android phone, a laptop/a notebook computer, a tablet, a smart TV, a Windows PC",
        "instrument": "the piano, the violin/the fiddle, the guitar, the drums, the cello, the flute, the trumpet",
        "illness": "migraine, asthma, the flu/influenza, back pain/backache, insomnia/sleeplessness, anaemia, "
        "hay fever, heartburn/acid reflux",
        "level": "blood pressure, cholesterol, body fat, screen brightness, blood sugar, room humidity",
        "dish": "rice, lentils, a boiled egg, a steak/a beef steak, risotto, sourdough bread, pumpkin soup",
        "animal": "cats, dogs, rabbits/bunnies, parrots, hamsters, goldfish, ferrets",
        "app": "Facebook, Instagram, Gmail, WhatsApp, Twitter, Spotify, LinkedIn",
        "job": "a pilot, a nurse, a lawyer/an attorney, a data scientist, a teacher, a plumber, a vet/a veterinarian",
        "plant": "tomatoes, roses, potatoes/spuds, sunflowers, orchids, strawberries, lemon trees",
        "number": "two/2, three/3, five/5, ten/10, twenty/20, fifty/50",
        "idiom": "break the ice, bite the bullet, spill the beans, under the weather, a blessing in disguise",
    }.items()
}
# Families of questions on one topic, separated by an empty line; the questions on one line ask the same.
FAMILIES = [
    [intent.split(" | ") for intent in family.splitlines()]
    for family in Path(__file__).with_name("questions.txt").read_text(encoding="utf-8").strip().split("\n\n")
]
# What can be replaced without a change of meaning.
EDITS = (
    ("How do I", "How can I"),
    ("How do I", "How would one"),
    ("What is", "What's"),
    ("Which", "What"),
    ("the best", "the ideal"),
    ("should I", "am I supposed to"),
    ("Why do", "Why is it that"),
    ("my ", ""),
)


def draw_question_pair(rng: random.Random, *, is_duplicate: bool, held_out: bool) -> tuple[str, str]:
    """Draw two questions.

    Duplicates ask the same in another sentence (two of three) or in almost the same words. Of the others, half
    differ in one entity or in the direction, a third in topic, the rest in what is asked: many share more words than
    duplicates do.

    Args:
        rng: Source of every choice.
        is_duplicate: Whether both ask the same thing.
        held_out: Whether to use the entities that training questions never name, next to the others.

    Returns:
        Both questions.
    """
    family = rng.choice(FAMILIES)
    intent = rng.choice(family)
    values = _draw_values(rng, family, held_out=held_out)
    question = rng.choice(intent)
    reworded = rng.choice([other for other in intent if other != question])
    first = _edit(rng, _fill(rng, question, values))
    if is_duplicate:
        return first, _edit(rng, _fill(rng, rng.choice((reworded, reworded, question)), values))
    departure = rng.choice(("entity", "entity", "entity", "topic", "topic", "intent"))
    if departure == "topic":
        family = rng.choice([other for other in FAMILIES if other is not family])
        values = _draw_values(rng, family, held_out=held_out)
    if departure == "entity" or (departure == "intent" and len(family) == 1):
        values = _swap_entity(rng, question, values)
        return first, _edit(rng, _fill(rng, rng.choice((question,) * 5 + (reworded,)), values))
    other_intent = rng.choice([other for other in family if other is not intent])
    return first, _edit(rng, _fill(rng, rng.choice(other_intent), values))


def _draw_values(rng: random.Random, family: Sequence[Sequence[str]], *, held_out: bool) -> dict[str, list[str]]:
    """Draw for each slot kind of a family, say city, three values: city1, city2 and city3, which no question names."""
    kinds = dict.fromkeys(re.findall(r"{([a-z]+)", str(family)))
    drawn = {kind: rng.sample(known(SLOTS[kind], held_out=held_out), 3) for kind in kinds}
    return {f"{kind}{number}": value for kind in kinds for number, value in enumerate(drawn[kind], start=1)}


def _swap_entity(rng: random.Random, question: str, values: dict[str, list[str]]) -> dict[str, list[str]]:
    """Change what a question is about: mostly a new first entity, at times its two exchanged."""
    slot = rng.choice(re.findall(r"{([a-z]+)", question))
    other = rng.choice((2, 3, 3, 3)) if f"{{{slot}2}}" in question else 3
    return {**values, f"{slot}1": values[f"{slot}{other}"], f"{slot}{other}": values[f"{slot}1"]}


def _fill(rng: random.Random, question: str, values: dict[str, list[str]]) -> str:
    """Put one spelling of its value into each slot of a question."""
    return question.format(**{slot: rng.choice(spellings) for slot, spellings in values.items()})


def _edit(rng: random.Random, question: str) -> str:
    """Apply at most one edit that keeps the meaning."""
    return question.replace(*rng.choice(EDITS), 1) if rng.random() < 0.5 else question
