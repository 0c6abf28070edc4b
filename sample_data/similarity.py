"""Invented captions and headlines whose similarity is the weighted share of roles (who, where, ...) that agree."""

import random
from collections.abc import Sequence
from configparser import ConfigParser
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sample_data.words import known

WEIGHTS = {"who": 1.0, "does": 1.4, "what": 1.4, "where": 0.7, "when": 0.5}
OPTIONAL = ("where", "when")
SCENES = ConfigParser()
SCENES.read_string(Path(__file__).with_name("scenes.ini").read_text(encoding="utf-8"))
SAME, SYNONYM, RELATED, ONE_MISSING = 1.0, 0.95, 0.45, 0.5


class Choice(NamedTuple):
    """A wording for one role of a sentence, its meaning, and the group of meanings related to it."""

    group: str
    meaning: str
    wording: str


Sentence = dict[str, Choice | None]


def draw_sentence_pair(rng: random.Random, *, similarity: float, held_out: bool) -> tuple[str, str]:
    """Draw two sentences of a given similarity.

    Args:
        rng: Source of every choice.
        similarity: Wanted similarity, 0 (unrelated) to 5 (equivalent); a multiple of 0.2.
        held_out: Whether to use the wordings that training sentences never show, next to the others.

    Returns:
        Both sentences.
    """
    while True:
        scene = rng.choice(SCENES.sections())
        other_scene = scene if similarity > 1 else rng.choice(SCENES.sections())
        first = {role: _choose(rng, scene, role, held_out=held_out) for role in WEIGHTS}
        second = {
            role: _reword(rng, scene, role, choice, held_out=held_out)
            if scene == other_scene and rng.random() < similarity / 5
            else _choose(rng, other_scene, role, held_out=held_out)
            for role, choice in first.items()
        }
        if round(5 * compare(first, second)) == round(5 * similarity):
            return _write(rng, first), _write(rng, second)


def compare(first: Sentence, second: Sentence) -> float:
    """Give the similarity of two sentences: the weighted share of their roles that agree.

    Args:
        first: The choice for each role, None if it is omitted.
        second: The same of the other sentence.

    Returns:
        Similarity, 0 to 5. A role that both leave out does not count.
    """
    weights = {role: weight for role, weight in WEIGHTS.items() if first[role] or second[role]}
    agreed = sum(weight * _agreement(first[role], second[role]) for role, weight in weights.items())
    return 5 * agreed / sum(weights.values())


def _agreement(first: Choice | None, second: Choice | None) -> float:
    """Give how far two choices for one role agree, 0 to 1."""
    if first is None or second is None:
        return ONE_MISSING
    if first.meaning == second.meaning:
        return SAME if first.wording == second.wording else SYNONYM
    return RELATED if first.group == second.group else 0.0


@cache
def _list_choices(scene: str, role: str, *, held_out: bool) -> Sequence[Choice]:
    """List what a role can be."""
    choices = [
        Choice(group.strip(), meaning.strip(), wording.strip())
        for group in SCENES[scene][role].strip().splitlines()
        for meaning in group.split(",")
        for wording in meaning.split("/")
    ]
    return known(choices, held_out=held_out)


def _choose(rng: random.Random, scene: str, role: str, *, held_out: bool) -> Choice | None:
    """Choose what a role is; four optional roles in ten stay empty."""
    if role in OPTIONAL and rng.random() < 0.4:
        return None
    return rng.choice(_list_choices(scene, role, held_out=held_out))


def _reword(rng: random.Random, scene: str, role: str, choice: Choice | None, *, held_out: bool) -> Choice | None:
    """Choose a wording for the meaning of a choice, maybe the same one."""
    if choice is None:
        return None
    choices = _list_choices(scene, role, held_out=held_out)
    return rng.choice([other for other in choices if other.meaning == choice.meaning])


def _write(rng: random.Random, sentence: Sentence) -> str:
    """Write a sentence out; the place, if any, may come first."""
    wordings = {role: choice.wording for role, choice in sentence.items() if choice}
    place = wordings.pop("where") + ", " if "where" in wordings and rng.random() < 0.25 else ""
    text = place + " ".join(wordings.values()) + "."
    return text[0].upper() + text[1:]
