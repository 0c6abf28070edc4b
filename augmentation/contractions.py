"""Contractions said in full, and full words contracted: a changed word that changes no meaning."""

import re

from augmentation.tokens import Edit
from augmentation.verbs import BASES

QUOTES = frozenset('"“”')
QUESTION = r"(?:What|Who|Where|How|When|what|who|where|how|when)"
VERB = rf"(?= (?:{'|'.join(sorted(BASES))})\b)"  # without one, what is negated is the noun: people not on Quora
FULL = (
    (re.compile(rf"\b({QUESTION})['’]s (?=the|your|a|an|it|my|so|this|that)\b"), r"\1 is "),
    (re.compile(r"\bI['’]m\b"), "I am"),
    (re.compile(r"\bI['’]ve\b"), "I have"),
    (re.compile(r"\b([Yy]ou|[Ww]e|[Tt]hey)['’]re\b"), r"\1 are"),
    (re.compile(r"\b([Cc])an['’]t (?!it\b|we\b|you\b|I\b|they\b|people\b|the\b|he\b|she\b)"), r"\1annot "),
    (
        re.compile(r"\b([Dd]o|[Dd]id|[Cc]ould|[Ss]hould|[Ww]ould|[Aa]re|[Ww]ere)n['’]t (I|you|we|they)\b"),
        r"\1 \2 not",
    ),
    (re.compile(r"\b([Dd]oes|[Dd]id|[Ii]s|[Ww]as)n['’]t (he|she|it)\b"), r"\1 \2 not"),
    (re.compile(rf"\b([Dd]o|[Dd]oes|[Dd]id)n['’]t (people|God|Quora|Google|India){VERB}"), r"\1 \2 not"),
    (re.compile(r"\b(I|you|we|they|people) (do|did|could|should|would)n['’]t\b"), r"\1 \2 not"),
    (re.compile(r"\b(he|she|it) (does|did|could|should|would|is|was)n['’]t\b"), r"\1 \2 not"),
)
NOT_STRANDED = "".join(f"(?<!{word} )" for word in ("who", "whoever", "what", "where", "wherever", "than"))
SHORT = (
    (re.compile(r"^What is (?=the |your |a |an )"), "What's "),
    (re.compile(rf"{NOT_STRANDED}\bI am (?=[a-z0-9])"), "I'm "),
    (re.compile(r"\b(I|you|we|they|people) (do|did) not\b"), r"\1 \2n't"),
    (re.compile(r"\bcannot\b"), "can't"),
)


def contract(text: str) -> Edit | None:
    """Say the first contraction in full, or contract the first two words that can be; not in a text that quotes."""
    if not QUOTES.isdisjoint(text):
        return None  # how it is said may be what is asked
    for pattern, full in (*FULL, *SHORT):
        changed = pattern.sub(full, text, count=1)
        if changed != text:
            return Edit(changed)
    return None
