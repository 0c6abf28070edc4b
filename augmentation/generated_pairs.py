"""The settings of pairs that are made from a task's training rows."""

from dataclasses import dataclass, replace

from augmentation.fluency import Fluency
from augmentation.kinds import BOTH_SIDES, KIND_NAMES, KINDS, KindName

RULES = 4  # raise when the same settings make other pairs


@dataclass(frozen=True, kw_only=True)
class GeneratedPairs:
    """Pairs for the train split of a pair task, made by rule from its rows, whose shared words do not tell the label.

    One half are negatives: a text beside an edit of it that has the same words, or all but one, and another meaning.
    The other half are positives: a text beside an edit that has the same words and the same meaning. The rules are for
    English.

    Args:
        share: Generated pairs per row of the train split; fewer where the rows do not give as many.
        kinds: Which edits to make, at least one that changes the meaning and one that keeps it; None for all.
        seed: Seed of which edits are taken.
        across: Share of the pairs of which the text beside the edit is not the edited one but that which the file pairs
            it with as the same; of rows of that label.
        same: Label of a pair that means the same, as the file has it; None for the last of two classes, or the highest
            score.
        different: Label of one that does not; None for the first of two classes, or 3/10 of the range of scores above
            the lowest, 1.5 of 0 to 5: such texts are on one topic, and annotators give unlike texts on a topic 1 to 2.
        fluency: Leaves out edits that a masked language model finds odd; None for all that the rules give.

    Raises:
        ValueError: If a setting is out of range.
    """

    share: float = 0.1
    kinds: tuple[KindName, ...] | None = None
    seed: int = 0
    across: float = 0.25
    same: str | int | float | None = None
    different: str | int | float | None = None
    fluency: Fluency | None = None

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"generated_pairs.share is {self.share} (expected above 0 to 1)")
        if not 0 <= self.across <= 1:
            raise ValueError(f"generated_pairs.across is {self.across} (expected 0 to 1)")
        chosen = {KINDS[kind].is_same for kind in self.chosen if kind != BOTH_SIDES}
        if chosen != {True, False} or len({*self.chosen}) != len(self.chosen):
            negatives, positives = (
                ", ".join(name for name, kind in KINDS.items() if kind.is_same == is_same) for is_same in (False, True)
            )
            raise ValueError(
                f"generated_pairs.kinds is {', '.join(self.chosen)} (expected each once, at least one of {negatives} "
                f"and one of {positives})"
            )

    @property
    def chosen(self) -> tuple[KindName, ...]:
        """The kinds of edits that are made."""
        return KIND_NAMES if self.kinds is None else self.kinds

    def reading_settings(self) -> str:
        """Return all that decides which pairs are made of given rows, for a cache key."""
        fluency = None if self.fluency is None else self.fluency.reading_settings()
        return f"{replace(self, fluency=None)!r}, rules {RULES}, fluency {fluency}"
