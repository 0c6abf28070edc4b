"""How odd a text is to a masked language model, against the text that it was made from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

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

    The pseudo-log-likelihood of a text is the mean over its tokens of the log probability that the model gives the
    token where it alone is masked. An edit is judged by how much it has less than the text it was made from. Every
    token costs a pass of the model, so take a small one: about 30 passes an edit.

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
        return max(self._scorer.score(text) - self._scorer.score(edited) for text, edited in candidate.edits)


class _Scorer:
    """Computes the pseudo-log-likelihood of texts."""

    def __init__(self, name: str) -> None:
        from transformers import AutoModelForMaskedLM, AutoTokenizer

        folder = str(Path(name).expanduser())
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model, found = AutoModelForMaskedLM.from_pretrained(folder, local_files_only=True, output_loading_info=True)
        except (OSError, ValueError) as error:
            raise ValueError(f"generated_pairs.fluency.model {name}: {error}") from None
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

    def score(self, text: str) -> float:
        """Return the mean log probability of the tokens of a text, each masked alone; 0 without tokens."""
        import torch

        encoded = self._tokenizer(
            text, truncation=True, max_length=self._longest, return_tensors="pt", return_special_tokens_mask=True
        )
        ids, special = encoded["input_ids"][0], encoded["special_tokens_mask"][0]
        places = torch.nonzero(special == 0)[:, 0]
        if not len(places):
            return 0.0
        total = 0.0
        with torch.inference_mode():
            for self._masked in torch.split(places, BATCH):
                rows = torch.arange(len(self._masked))
                masked = ids.repeat(len(rows), 1)
                masked[rows, self._masked] = self._tokenizer.mask_token_id
                logits = self._model(input_ids=masked).logits[:, 0]  # (B, V)
                total += float(logits.log_softmax(dim=-1)[rows, ids[self._masked]].sum())
        return total / len(places)
