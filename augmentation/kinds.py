"""The kinds of edits by name: what each does, what label it gives, and whether it keeps every word."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from augmentation.clauses import move_clause, reorder_sentences
from augmentation.comparisons import swap_comparison
from augmentation.contractions import contract
from augmentation.directions import swap_direction
from augmentation.lists import reorder_list
from augmentation.negations import toggle_negation
from augmentation.numbers import swap_numbers
from augmentation.relations import swap_relation
from augmentation.roles import swap_names, swap_roles
from augmentation.small_words import swap_before_after, swap_or_and
from augmentation.tokens import Edit
from augmentation.voices import change_voice, swap_passive

Rule = Callable[[str], Edit | None]
KindName = Literal[
    "direction",
    "comparison",
    "names",
    "roles",
    "passive",
    "before_after",
    "or_and",
    "numbers",
    "negation",
    "list",
    "relation",
    "clause",
    "sentences",
    "voice",
    "contraction",
    "both_sides",
]
BOTH_SIDES: KindName = "both_sides"


@dataclass(frozen=True)
class Kind:
    """A kind of edit.

    Args:
        rule: Edits a text; None where it does not apply.
        is_same: Whether the text means the same afterwards.
        keeps_words: Whether it has the same words, each as often as before.
    """

    rule: Rule
    is_same: bool
    keeps_words: bool


KINDS: Mapping[KindName, Kind] = {
    "direction": Kind(swap_direction, is_same=False, keeps_words=True),
    "comparison": Kind(swap_comparison, is_same=False, keeps_words=True),
    "names": Kind(swap_names, is_same=False, keeps_words=True),
    "roles": Kind(swap_roles, is_same=False, keeps_words=True),
    "passive": Kind(swap_passive, is_same=False, keeps_words=False),
    "before_after": Kind(swap_before_after, is_same=False, keeps_words=False),
    "or_and": Kind(swap_or_and, is_same=False, keeps_words=False),
    "numbers": Kind(swap_numbers, is_same=False, keeps_words=True),
    "negation": Kind(toggle_negation, is_same=False, keeps_words=False),
    "list": Kind(reorder_list, is_same=True, keeps_words=True),
    "relation": Kind(swap_relation, is_same=True, keeps_words=True),
    "clause": Kind(move_clause, is_same=True, keeps_words=True),
    "sentences": Kind(reorder_sentences, is_same=True, keeps_words=True),
    "voice": Kind(change_voice, is_same=True, keeps_words=False),
    "contraction": Kind(contract, is_same=True, keeps_words=False),
}
MOVED_ON_BOTH_SIDES: tuple[KindName, ...] = ("direction", "comparison", "names", "roles", "numbers")
KIND_NAMES: tuple[KindName, ...] = get_args(KindName)
