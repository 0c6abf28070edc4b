"""Reweighting: rows that a shortcut tells count less."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from heads import OutputKind, ScoreOutput
from objectives.debias import Debias, Floats, LossInputs, label_confidence


@dataclass(frozen=True)
class Reweighting(Debias):
    """Each row's loss times 1 - strength + strength · (1 - B) / mean(1 - B), B how sure the shortcut is of its label.

    The weights have the mean 1 over the rows that an epoch draws whatever the strength is, so that the task keeps its
    share of a joint training and batches their place in it; Clark et al. divide by the sum of each batch's, which would
    depend on how rows fall into batches and processes. A strength below 1 leaves every row at least 1 - strength: rows
    that the shortcut has wrong are also those whose label is wrong, and should not be all that is learnt. Utama et al.
    take the power (1 - B)^strength instead, whose mean changes with it.

    For the B of a score see `label_confidence`. It fits every loss but Correlation. Prefer ProductOfExperts where
    probabilities are used: weights change what frequencies the model is calibrated to.

    Source: Clark et al. 2019 (reweight), https://aclanthology.org/D19-1418; Utama et al. 2020,
        https://aclanthology.org/2020.emnlp-main.613
    """

    def check_output(self, output: OutputKind) -> None:
        """Refuse a correlation, to which a row alone adds nothing."""
        if isinstance(output, ScoreOutput) and output.correlation > 0:
            raise ValueError("debias Reweighting weighs rows, but the loss Correlation is of the whole batch")

    def prepare(self, answers: Floats, labels: Floats, draws: Floats) -> Floats:
        """Return (1 - B) / mean(1 - B), the mean over what an epoch draws, (rows,)."""
        rest = 1 - label_confidence(answers, labels)
        mean = float(np.nansum(rest * draws) / draws[~np.isnan(rest)].sum())
        return rest / max(mean, np.finfo(np.float64).tiny)

    def change(self, inputs: LossInputs, shortcut: Tensor, strength: float) -> LossInputs:
        """Multiply the weights."""
        weights = 1 - strength + strength * shortcut
        return inputs._replace(weights=weights if inputs.weights is None else inputs.weights * weights)
