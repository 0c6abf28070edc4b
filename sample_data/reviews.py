"""Invented reviews in one table: what a text is about, how many stars it gave, what it remarks on; some cells empty."""

import random
from typing import NamedTuple

from sample_data.sentiment import DOMAINS, PHRASES, fill_phrase

TOPICS = dict(zip(("film", "restaurant", "book", "hotel", "stage"), DOMAINS, strict=True))
# What a remark on each tag says against the reviewed thing, and in its favour.
REMARKS = {
    "price": (
        ("it costs twice what it is worth", "we paid far too much", "the bill was a shock"),
        ("it is good value for money", "we paid less than we had feared", "the price is more than fair"),
    ),
    "staff": (
        ("nobody there answered a question", "the people at the desk were rude", "we were treated like a nuisance"),
        ("everybody there was helpful", "the people at the desk were kind", "we were treated like old friends"),
    ),
    "waiting": (
        ("we queued for an hour", "it began forty minutes late", "my order took three weeks"),
        ("we did not have to queue", "it began on the minute", "my order came the next day"),
    ),
    "noise": (
        ("the neighbours shouted all evening", "a drill ran next door", "one could not hear oneself think"),
        ("it is wonderfully quiet there", "no telephone rang all evening", "one hears nothing of the street"),
    ),
}
OPENINGS = (
    "The {aspect} of this {whole} is {phrase}.",
    "I found the {aspect} of the {whole} {phrase}.",
    "What I remember of this {whole} is its {aspect}, which is {phrase}.",
    "In this {whole}, the {aspect} is {phrase}.",
)
JOINTS = ("Besides, {remark}.", "And {remark}.", "Mind you, {remark}.", "I should add that {remark}.")
# Share of the cells that nobody filled in.
GAPS = {"topic": 0.1, "stars": 0.2}


class Review(NamedTuple):
    """A row of the table.

    Args:
        text: One to four sentences.
        topic: One of TOPICS, or "" where nobody noted it.
        stars: "1" to "5", or "".
        tags: Those of REMARKS that the text remarks on, joined by a semicolon; "" for none.
    """

    text: str
    topic: str
    stars: str
    tags: str


def draw_table_row(rng: random.Random) -> Review:
    """Draw one review; its stars follow from the opening sentence and the remarks."""
    topic = rng.choice(list(TOPICS))
    wholes, aspects = TOPICS[topic]
    valence = rng.randint(-2, 2)
    opening = rng.choice(OPENINGS).format(
        aspect=rng.choice(aspects.split()),
        whole=rng.choice(wholes.split()),
        phrase=fill_phrase(rng, PHRASES[valence], held_out=True).replace(" ,", ","),
    )
    tags = rng.sample(list(REMARKS), rng.choice((0, 1, 1, 2, 3)))
    signs = [rng.choice((-1, 1)) for _ in tags]
    remarks = [
        joint.format(remark=rng.choice(REMARKS[tag][sign > 0]))
        for joint, tag, sign in zip(rng.sample(JOINTS, len(tags)), tags, signs, strict=True)
    ]
    stars = min(max(3 + valence + round(sum(signs) / 2), 1), 5)
    return Review(
        text=" ".join([opening, *remarks]),
        topic="" if rng.random() < GAPS["topic"] else topic,
        stars="" if rng.random() < GAPS["stars"] else str(stars),
        tags=";".join(sorted(tags)),
    )
