"""Invented reviews whose sentiment follows from strength, intensifier, negation and contrast, not from one keyword."""

import random
import string
from collections.abc import Sequence

from sample_data.words import known

DOMAINS = (
    (
        "film movie thriller comedy documentary sequel western",
        "acting script ending soundtrack dialogue plot camerawork",
    ),
    ("restaurant bistro diner pizzeria brasserie café", "soup service dessert menu seafood atmosphere bread"),
    ("novel memoir biography anthology paperback saga", "prose plot ending narrator translation humour structure"),
    ("hotel guesthouse resort hostel inn lodge", "breakfast room view location bathroom bar welcome"),
    ("concert musical opera ballet play revue", "orchestra singing staging lighting sound choreography finale"),
)
ADJECTIVES = {
    "superb": "superb magnificent outstanding brilliant wonderful extraordinary flawless exquisite astonishing "
    "phenomenal sublime breathtaking",
    "good": "pleasant enjoyable attractive likeable charming agreeable engaging good nice satisfying appealing clever",
    "plain": "ordinary average unremarkable typical so-so middling standard conventional passable run-of-the-mill",
    "poor": "dull weak bland uneven forgettable disappointing clumsy stale flat lacklustre tedious underwhelming",
    "awful": "dreadful atrocious appalling terrible abysmal awful horrendous horrible disgraceful ghastly vile",
}
# Ways to express each valence in a clause, -2 to 2; the fields are the keys of ADJECTIVES.
PHRASES = {
    -2: (
        "{awful}",
        "absolutely {awful}",
        "{awful} beyond belief",
        "painfully {poor}",
        "{poor} and frankly {awful}",
        "not just {poor} but {awful}",
        "unforgivably {poor}",
    ),
    -1: (
        "{poor}",
        "a little {poor}",
        "rather {poor}",
        "not very {good}",
        "far from {superb}",
        "hardly {superb}",
        "less {good} than I had hoped",
        "never really {good}",
    ),
    0: (
        "{plain}",
        "fairly {plain}",
        "neither {good} nor {poor}",
        "{plain} , no more and no less",
        "not {superb} and not {awful} either",
        "as {plain} as most of its kind",
    ),
    1: (
        "{good}",
        "quite {good}",
        "{good} enough",
        "not {poor} at all",
        "anything but {poor}",
        "often {good} and never {awful}",
        "more {good} than {poor}",
        "reliably {good}",
    ),
    2: (
        "{superb}",
        "absolutely {superb}",
        "nothing short of {superb}",
        "extraordinarily {good}",
        "{superb} and thoroughly {good}",
        "not just {good} but {superb}",
        "{superb} in every respect",
    ),
}
VERDICTS = {
    -2: (
        "avoid it at all costs",
        "I want my money back",
        "I have never been so angry about a wasted evening",
        "nobody should have to sit through this",
        "I would rather stay at home for a year",
    ),
    -1: (
        "I will not hurry back",
        "I expected more",
        "my attention kept wandering",
        "there are better ways to spend a Sunday",
        "most of us were glad when it was over",
    ),
    0: (
        "take it or leave it",
        "I felt nothing either way",
        "some will like it and some will not",
        "it does its job and then you move on",
        "I have no strong opinion about it",
    ),
    1: (
        "it is worth a look",
        "I left in a good mood",
        "we had a nice time overall",
        "I would recommend it with small reservations",
        "it is time reasonably well spent",
    ),
    2: (
        "I would go again tomorrow",
        "I cannot praise it highly enough",
        "it is the best thing I have come across in years",
        "do not miss it under any circumstances",
        "I was moved to tears of joy",
    ),
}
SINGLE = (
    "The {one} of this {whole} is {first} .",
    "I found the {one} {first} .",
    "This {whole} is {first} from beginning to end .",
    "What stays with me about this {whole} is its {one} , which is {first} .",
    "I had read nothing about it beforehand : this {whole} is {first} .",
    "My note about the {one} reads : {verdict} .",
    "My sister told me that the {one} would be {first} , and she was right .",
    "This {whole} ? In short : {verdict} .",
    "We spent two hours on it , and I can report that the {one} is {first} .",
    "When friends ask about the {whole} , I say : {verdict} .",
    "Of all there is to say about this {whole} , the first thing is that the {one} is {first} .",
)
TOGETHER = (
    "The {one} is {first} and the {two} is {second} .",
    "Its {one} is {first} , its {two} is {second} ; in short , {verdict} .",
    "The {one} of the {whole} is {first} ; {verdict} .",
    "Everyone agreed that the {one} was {first} , and I thought the {two} was {second} .",
)
# What follows "but", and the clause that "although" leaves standing, weighs twice: it is the writer's conclusion.
CONTRAST = (
    "The {one} is {first} , but the {two} is {second} .",
    "Although the {one} is {first} , the {two} of this {whole} is {second} .",
    "I thought the {one} was {first} , yet the {two} turned out {second} .",
    "Granted , the {one} is {first} ; the {whole} as a whole , however , is {second} .",
    "The {one} was {first} in the first hour , while the {two} was {second} throughout .",
)


def draw_review(rng: random.Random, *, held_out: bool) -> tuple[str, int]:
    """Draw one review.

    Args:
        rng: Source of every choice.
        held_out: Whether to use the words and frames that training reviews never show, next to the others.

    Returns:
        The sentence, tokenised as in SST ("The plot is dull ."), and its sentiment from 0 (awful) to 4 (superb).
    """
    wholes, aspects = rng.choice(DOMAINS)
    one, two = rng.sample(known(aspects.split(), held_out=held_out), 2)
    first = rng.randint(-2, 2)
    opposite = rng.choice([second for second in range(-2, 3) if first * second <= 0 and first != second])
    frames, second = rng.choice(((SINGLE, first), (TOGETHER, first), (CONTRAST, opposite)))
    valence = round((first + 2 * second) / 3)
    sentence = rng.choice(known(frames, held_out=held_out)).format(
        whole=rng.choice(known(wholes.split(), held_out=held_out)),
        one=one,
        two=two,
        first=fill_phrase(rng, PHRASES[first], held_out=held_out),
        second=fill_phrase(rng, PHRASES[second], held_out=held_out),
        verdict=rng.choice(known(VERDICTS[valence], held_out=held_out)),
    )
    return sentence, valence + 2


def fill_phrase(rng: random.Random, phrases: Sequence[str], *, held_out: bool) -> str:
    """Choose a phrase and put an adjective into each of its fields."""
    phrase = rng.choice(known(phrases, held_out=held_out))
    fields = [field for _, field, _, _ in string.Formatter().parse(phrase) if field]
    return phrase.format(**{field: rng.choice(known(ADJECTIVES[field].split(), held_out=held_out)) for field in fields})
