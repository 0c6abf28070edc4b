"""How odd a text is to a masked language model, against the text that it was made from."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from runtime.messages import quiet_transformers

BATCH = 64  # masked texts a batch

Edited = tuple[str, str]  # a text, and what was made of it


class Change(Protocol):
    """What is judged: a text that was edited, or two."""

    @property
    def edits(self) -> Sequence[Edited]:
        """Each text with its edit."""


AnyChange = TypeVar("AnyChange", bound=Change)


@dataclass(frozen=True, kw_only=True)
class Fluency:
    """Drops the edits that lose the most likelihood.

    An edit is judged by the log probability that the model gives each token where it alone is masked: the sum over the
    tokens that were edited and one on either side, of the edit less than of the text it was made from. The sum is the
    ratio of two pseudo-likelihoods. Its mean over a whole text, which is the usual score of a single text, would be
    lost among the tokens of a long text that stay as they are.

    It finds broken texts, not wrong labels: an edit that means what it should not is as likely as another. Every token
    costs a pass of the model, so take a small one: about 20 passes an edit.

    Args:
        model: Folder of a masked language model in the format of transformers.
        drop: Share of the edits of each kind that is dropped, from 0 up to, and without, 1.

    Raises:
        ValueError: If `drop` is out of range.

    Source: Salazar et al. 2020, https://arxiv.org/abs/1910.14659
    """

    model: str
    drop: float = 0.3

    def __post_init__(self) -> None:
        if not 0 <= self.drop < 1:
            raise ValueError(f"generated_pairs.fluency.drop is {self.drop} (expected 0 to below 1)")

    def reading_settings(self) -> str:
        """Return what decides which edits are dropped: the files of the model, wherever they lie, and the share.

        Raises:
            ValueError: If there is no such folder.
        """
        folder = Path(self.model).expanduser()
        if not (folder / "config.json").is_file():
            raise ValueError(f"generated_pairs.fluency.model {self.model}: no config.json (expected a model's folder)")
        found = hashlib.sha256()
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            with path.open("rb") as file:
                found.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
        return f"drop {self.drop}, masked LM {found.hexdigest()}"

    def count_kept(self, judged: int) -> int:
        """Return how many of some edits are kept."""
        return judged - round(self.drop * judged)


class Judge:
    """Chooses the likeliest edits.

    Args:
        settings: The model, and which share is dropped.

    Raises:
        ValueError: If the folder holds no masked language model.
    """

    def __init__(self, settings: Fluency) -> None:
        self._settings = settings
        self._scorer = _Scorer(settings.model)

    def choose(self, candidates: Sequence[AnyChange], count: int) -> list[AnyChange]:
        """Return edits, in order, as many as are wanted; no more of the first ones are judged than that takes.

        Args:
            candidates: The edits, in the order in which they are taken.
            count: How many are wanted, at most what is kept of all.
        """
        judged = count
        while self._settings.count_kept(judged) < count:
            judged += 1
        losses = [self._loss(candidate) for candidate in candidates[:judged]]
        order = sorted(range(judged), key=lambda place: (losses[place], place))
        return [candidates[place] for place in sorted(order[:count])]

    def _loss(self, candidate: Change) -> float:
        """Return what the edit loses; of two the one that loses more."""
        return max(self._scorer.compare(text, edited) for text, edited in candidate.edits)


class _Scorer:
    """Computes how likely tokens are where they stand."""

    def __init__(self, name: str) -> None:
        from transformers import AutoModelForMaskedLM, AutoTokenizer

        folder = str(Path(name).expanduser())
        try:
            with quiet_transformers():
                self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
                loaded = AutoModelForMaskedLM.from_pretrained(folder, local_files_only=True, output_loading_info=True)
        except (OSError, ValueError) as error:
            raise ValueError(f"generated_pairs.fluency.model {name}: {error}") from None
        model, found = loaded
        if found["missing_keys"]:
            missing = ", ".join(sorted(found["missing_keys"])[:3])
            raise ValueError(f"generated_pairs.fluency.model {name}: has no masked-LM head (it lacks {missing})")
        model.base_model.register_forward_hook(self._keep_masked)
        self._model: Any = model.eval()
        self._masked: Any = None  # place of the masked token in each row
        positions = getattr(model.config, "max_position_embeddings", None) or self._tokenizer.model_max_length
        self._longest = min(self._tokenizer.model_max_length, positions - 2)  # RoBERTa's begin behind the padding's

    def _keep_masked(self, module: Any, inputs: Any, output: Any) -> Any:
        """Leave the masked tokens alone to the head, (B, 1, H): a large vocabulary costs as much as all layers."""
        states = output.last_hidden_state
        output.last_hidden_state = states[range(len(states)), self._masked][:, None]
        return output

    def compare(self, text: str, edited: str) -> float:
        """Return how much log likelihood an edit has less than the text it was made from, where both differ."""
        one, other = self.encode(text), self.encode(edited)
        before, behind = _count_common(one, other)
        spans = (range(max(before - 1, 0), min(len(ids) - behind + 1, len(ids))) for ids in (one, other))
        first, second = (self.add_up(ids, span) for ids, span in zip((one, other), spans, strict=True))
        return first - second

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, special tokens at both ends."""
        ids: list[int] = self._tokenizer(text, truncation=True, max_length=self._longest)["input_ids"]
        return ids

    def add_up(self, ids: Sequence[int], places: Iterable[int]) -> float:
        """Return the sum of the log probabilities of tokens, each masked alone; special tokens count nothing."""
        import torch

        special = {*self._tokenizer.all_special_ids} - {self._tokenizer.unk_token_id}
        wanted = torch.tensor([place for place in places if ids[place] not in special], dtype=torch.long)
        tokens, total = torch.tensor(ids), 0.0
        with torch.inference_mode():
            for self._masked in torch.split(wanted, BATCH) if len(wanted) else ():
                rows = torch.arange(len(self._masked))
                masked = tokens.repeat(len(rows), 1)
                masked[rows, self._masked] = self._tokenizer.mask_token_id
                logits = self._model(input_ids=masked).logits[:, 0]  # (B, V)
                total += float(logits.log_softmax(dim=-1)[rows, tokens[self._masked]].sum())
        return total


def _count_common(one: Sequence[int], other: Sequence[int]) -> tuple[int, int]:
    """Return how many tokens two texts begin and end with alike, the special tokens among them."""
    most = min(len(one), len(other))
    before = next((place for place in range(most) if one[place] != other[place]), most)
    rest = range(1, most - before + 1)
    return before, next((place - 1 for place in rest if one[-place] != other[-place]), len(rest))
