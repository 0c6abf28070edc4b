"""Contractions said in full, and full words contracted: a changed word that changes no meaning."""

import re

from augmentation.tokens import Edit

QUESTION = r"(?:What|Who|Where|How|When|what|who|where|how|when)"
FULL = (
    (re.compile(rf"\b({QUESTION})['’]s (?=the|your|a|an|it|my|so|this|that)\b"), r"\1 is "),
    (re.compile(r"\bI['’]m\b"), "I am"),
    (re.compile(r"\bI['’]ve\b"), "I have"),
    (re.compile(r"\b([Yy]ou|[Ww]e|[Tt]hey)['’]re\b"), r"\1 are"),
    (re.compile(r"\b([Cc])an['’]t (?!it\b|we\b|you\b|I\b|they\b|people\b|the\b|he\b|she\b)"), r"\1annot "),
    (
        re.compile(r"\b([Dd]o|[Dd]id|[Cc]ould|[Ss]hould|[Ww]ould|[Aa]re|[Ww]ere)n['’]t (I|you|we|they|people)\b"),
        r"\1 \2 not",
    ),
    (re.compile(r"\b([Dd]oes|[Dd]id|[Ii]s|[Ww]as)n['’]t (he|she|it|God|Quora|Google|India)\b"), r"\1 \2 not"),
    (re.compile(r"\b(I|you|we|they|people) (do|did|could|should|would)n['’]t\b"), r"\1 \2 not"),
    (re.compile(r"\b(he|she|it) (does|did|could|should|would|is|was)n['’]t\b"), r"\1 \2 not"),
)
SHORT = (
    (re.compile(r"^What is (?=the |your |a |an )"), "What's "),
    (re.compile(r"\bI am (?=[a-z0-9])"), "I'm "),
    (re.compile(r"\b(I|you|we|they|people) (do|did) not\b"), r"\1 \2n't"),
    (re.compile(r"\bcannot\b"), "can't"),
)


def contract(text: str) -> Edit | None:
    """Say the first contraction in full, or contract the first two words that can be."""
    for pattern, full in (*FULL, *SHORT):
        changed = pattern.sub(full, text, count=1)
        if changed != text:
            return Edit(changed)
    return None
