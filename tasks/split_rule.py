"""How the rows of one file become a train and a dev split: the settings."""

from dataclasses import dataclass
from fractions import Fraction

from runtime.errors import InputError


@dataclass(frozen=True, kw_only=True)
class SplitRule:
    """How one file is split; either `dev_share`, or `folds` with `fold`. The settings are those of `Source`.

    Args:
        dev_share: Share of the rows that becomes the dev split.
        folds: Number of parts of equal size.
        fold: The part that is the dev split, from 0.
        group: Column whose equal values stay on one side.
        stratify: Column whose values are to be equally frequent on both sides; None for the task's label.
    """

    dev_share: float | None
    folds: int | None
    fold: int | None
    group: str | None
    stratify: str | None

    def check(self, task: str) -> None:
        """Check that the settings fit each other.

        Args:
            task: Class name of the task, for messages.

        Raises:
            InputError: If there is neither a share nor folds, or both, or a number is out of range.
        """
        if self.dev_share is not None and self.folds is not None:
            raise InputError(f"{task}: source has dev_share and folds (expected one of them, the other null)")
        if self.dev_share is None and self.folds is None:
            raise InputError(
                f"{task}: source.all without dev_share or folds (expected dev_share: 0.1, or folds: 5 and fold: 0)"
            )
        if self.dev_share is not None and not 0 < self.dev_share < 1:
            raise InputError(f"{task}: source.dev_share is {self.dev_share} (expected more than 0 and less than 1)")
        if self.folds is None:
            if self.fold is not None:
                raise InputError(f"{task}: source.fold is {self.fold} without source.folds (expected folds: 5)")
        elif self.folds < 2:
            raise InputError(f"{task}: source.folds is {self.folds} (expected 2 or more)")
        elif self.fold is None or not 0 <= self.fold < self.folds:
            found = "missing" if self.fold is None else self.fold
            raise InputError(f"{task}: source.fold is {found} with {self.folds} folds (expected 0 to {self.folds - 1})")

    @property
    def shares(self) -> tuple[Fraction, ...]:
        """Share of the rows that each part gets; exact, so that rounding is the same on every machine."""
        if self.folds is not None:
            return (Fraction(1, self.folds),) * self.folds
        share = Fraction(str(self.dev_share))
        return share, 1 - share

    @property
    def dev_part(self) -> int:
        """Number of the part that is the dev split; all others are the train split."""
        return self.fold or 0

    def describe(self) -> str:
        """Return the settings that are given.

        Example:
            >>> SplitRule(dev_share=None, folds=5, fold=0, group="author", stratify=None).describe()
            'folds: 5, fold: 0, group: author'
        """
        return ", ".join(f"{name}: {value}" for name, value in vars(self).items() if value is not None)
