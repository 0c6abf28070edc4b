"""Generated pairs: candidates by rule from training rows, and a choice of as many of either label."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from augmentation.fluency import Edited, Fluency, Judge
from augmentation.generated_pairs import GeneratedPairs
from augmentation.held_out import is_held_out
from augmentation.kinds import BOTH_SIDES, KINDS, MOVED_ON_BOTH_SIDES, KindName
from augmentation.tokens import Tokens

PREFIX = "generated:"  # of the ids of generated pairs


@dataclass(frozen=True)
class TrainingPair:
    """A row that pairs are made of.

    Args:
        id: Its id.
        texts: Its two texts.
        label: Its label; None without one.
    """

    id: str
    texts: tuple[str, ...]
    label: Any


@dataclass(frozen=True)
class Generated:
    """A pair that was made by rule.

    Args:
        id: `generated:KIND:ROW:SIDE` of the row and side that was edited.
        kind: The kind of edit.
        texts: Its texts.
        label: Its label.
    """

    id: str
    kind: KindName
    texts: tuple[str, str]
    label: Any


@dataclass(frozen=True)
class _Candidate:
    id: str
    kind: KindName
    text: str  # beside the edit: what was edited, or the other edit of both sides
    edited: str
    other: str | None  # what the file pairs the text with as the same
    label: Any
    edits: tuple[Edited, ...]


_Pools = dict[bool, dict[KindName, list[_Candidate]]]


@dataclass
class Generator:
    """Collects candidates row by row and chooses among them at the end.

    Memory grows with the edits that are found, and by a number for each row. It is used once: `add` all rows, then
    `generate`.

    Args:
        settings: What to make.
        same: Label of a pair that means the same.
        different: Label of one that does not.
    """

    settings: GeneratedPairs
    same: Any
    different: Any
    _candidates: dict[KindName, dict[str, _Candidate]] = field(default_factory=dict)
    _known: set[int] = field(default_factory=set)
    _rows: int = 0

    def __post_init__(self) -> None:
        self._candidates = {kind: {} for kind in self.settings.chosen}

    def add(self, pair: TrainingPair) -> None:
        """Apply the rules to a row."""
        self._rows += 1
        texts = tuple(text.strip() for text in pair.texts)
        self._known.add(hash(frozenset(map(_words, texts))))
        for side, text in enumerate(texts):
            if is_held_out(text):
                continue
            for kind in self._candidates:
                if kind != BOTH_SIDES and text not in self._candidates[kind]:
                    self._edit(pair, kind, side, texts)
        if BOTH_SIDES in self._candidates and pair.label is not None and not any(map(is_held_out, texts)):
            self._edit_both(pair, texts)

    def _edit(self, pair: TrainingPair, kind: KindName, side: int, texts: Sequence[str]) -> None:
        edit = KINDS[kind].rule(texts[side])
        if edit is None or is_held_out(edit.text):
            return
        other = texts[1 - side] if pair.label == self.same and not is_held_out(texts[1 - side]) else None
        label = self.same if KINDS[kind].is_same else self.different
        name = f"{PREFIX}{kind}:{pair.id}:{side + 1}"
        edits = ((texts[side], edit.text),)
        self._candidates[kind][texts[side]] = _Candidate(name, kind, texts[side], edit.text, other, label, edits)

    def _edit_both(self, pair: TrainingPair, texts: Sequence[str]) -> None:
        for kind in MOVED_ON_BOTH_SIDES:
            first, second = (KINDS[kind].rule(text) for text in texts)
            if first is None or second is None or first.moved != second.moved:
                continue
            name = f"{PREFIX}{BOTH_SIDES}:{pair.id}:{kind}"
            edits = ((texts[0], first.text), (texts[1], second.text))
            found = _Candidate(name, BOTH_SIDES, first.text, second.text, None, pair.label, edits)
            self._candidates[BOTH_SIDES].setdefault(f"{texts[0]}\n{texts[1]}", found)
            return

    def count_candidates(self) -> dict[KindName, int]:
        """Return how many edits of each kind were found."""
        return {kind: len(found) for kind, found in self._candidates.items()}

    def generate(self, made: Collection[str] | None = None) -> list[Generated]:
        """Choose pairs: as many of either label, and within a label the same number of each kind as far as they go.

        Args:
            made: Ids of the pairs that the same settings made of the same rows before: they are made again, and no edit
                is judged once more. None to choose.
        """
        rng = random.Random(f"generated pairs {self.settings.seed}")
        pools = self._pool(rng)
        chosen = self._choose(pools) if made is None else _find(pools, made)
        return [self._pair(candidate, rng) for candidate in chosen]

    def _pool(self, rng: random.Random) -> _Pools:
        """Return the candidates whose texts are new, by whether they mean the same and kind, in an order by chance."""
        pools: _Pools = {False: {}, True: {}}
        for kind, found in self._candidates.items():
            fresh = [each for each in found.values() if self._is_new((each.text, each.edited))]
            for is_same, pool in pools.items():
                pool[kind] = [each for each in fresh if self._means_same(each) == is_same]
                rng.shuffle(pool[kind])
        return pools

    def _choose(self, pools: _Pools) -> list[_Candidate]:
        fluency = self.settings.fluency
        kept = {is_same: _count_kept(pool, fluency) for is_same, pool in pools.items()}
        wanted = round(self.settings.share * self._rows / 2)
        half = min(wanted, *(sum(counts.values()) for counts in kept.values()))
        choose = _take_first if fluency is None else Judge(fluency).choose
        return [
            candidate
            for is_same, pool in pools.items()
            for kind, size in share_out(half, kept[is_same]).items()
            for candidate in choose(pool[kind], size)
        ]

    def _is_new(self, texts: Sequence[str]) -> bool:
        """Whether neither the rows nor the pairs so far have these texts, which are known from then on.

        Spaces, marks and capitals do not count; a text beside itself is not new.
        """
        words = {_words(text) for text in texts}
        key = hash(frozenset(words))
        is_new = len(words) > 1 and key not in self._known
        self._known.add(key)
        return is_new

    def _means_same(self, candidate: _Candidate) -> bool:
        if isinstance(candidate.label, float):  # a score, not the number of a class
            return bool(candidate.label >= (self.same + self.different) / 2)
        return bool(candidate.label == self.same)

    def _pair(self, candidate: _Candidate, rng: random.Random) -> Generated:
        crossed, swapped = rng.random() < self.settings.across, rng.random() < 0.5
        other = candidate.text
        if crossed and candidate.other is not None and self._is_new((candidate.other, candidate.edited)):
            other = candidate.other
        texts = (candidate.edited, other) if swapped else (other, candidate.edited)
        return Generated(candidate.id, candidate.kind, texts, candidate.label)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in Tokens.of(text).lower if word[0].isalnum())


def _find(pools: _Pools, names: Collection[str]) -> list[_Candidate]:
    """Return the candidates of some ids, in the order in which they are chosen."""
    return [each for pool in pools.values() for found in pool.values() for each in found if each.id in names]


def _count_kept(pool: Mapping[KindName, Sequence[_Candidate]], fluency: Fluency | None) -> dict[KindName, int]:
    return {kind: len(found) if fluency is None else fluency.count_kept(len(found)) for kind, found in pool.items()}


def _take_first(candidates: Sequence[_Candidate], count: int) -> Sequence[_Candidate]:
    return candidates[:count]


def share_out(count: int, available: Mapping[KindName, int]) -> dict[KindName, int]:
    """Share a number out evenly; what one cannot take goes to the others.

    Args:
        count: What is shared out.
        available: What each can take at most.

    Example:
        >>> share_out(10, {"list": 2, "clause": 9, "voice": 9})
        {'list': 2, 'clause': 4, 'voice': 4}
    """
    shares = dict.fromkeys(available, 0)
    rest = min(count, sum(available.values()))
    while rest:
        open_kinds = [kind for kind, most in available.items() if shares[kind] < most]
        each = max(1, rest // len(open_kinds))
        for kind in open_kinds:
            more = min(each, available[kind] - shares[kind], rest)
            shares[kind] += more
            rest -= more
    return shares
