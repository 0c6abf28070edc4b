"""The data of further pre-training."""

import logging
import math
from dataclasses import asdict
from typing import Any

from lightning.pytorch.utilities import rank_zero_only

from datamodules.corpus import Corpus, CorpusSettings, open_corpus
from datamodules.evaluation import EvaluationSampler
from datamodules.masked_batch import TASK, MaskedTexts, MixedTexts
from datamodules.masking import Masking, TokenMasker
from datamodules.resumable import ResumableDataModule, ResumableLoader
from datamodules.sampler import MultitaskSampler
from datamodules.schedules import Sequential
from runtime.cache_folder import CACHE_DIR
from tasks import InputError, Task, Texts
from tasks.meaning import MAY_CHANGE

log = logging.getLogger(__name__)


class MaskedLMDataModule(ResumableDataModule):
    """Masked batches of the train texts of some tasks, or of the user's own texts.

    Dev and test files are never opened. Masks and order are functions of (seed, epoch, row).

    Args:
        tokenizer: The backbone whose tokenizer is used.
        tasks: Tasks whose train texts are read; their labels are not.
        texts: Sources without labels.
        corpus: How texts become sequences.
        weights: How often each source's texts come in an epoch, by the name of the task or source; 1 for the others.
        train_limit: Read this many texts of a task at most, as its own limit does; None for all.
        masking: Which tokens are to be guessed.
        root: Folder that relative paths start from.
        batch_size: Sequences a batch over all processes.
        max_length: Tokens a sequence at most, special tokens included.
        special_tokens_as_text: Read `[SEP]`, `[MASK]` and the like in a text as the letters they are, not as tokens.
        tokens_per_batch: Tokens of a validation batch at most.
        num_workers: Processes that prepare batches.
        cache_dir: Folder of the tokenised files.
        seed: Seed of order and masks.
        allow_changes: Whether `--ckpt_path` may go on with other texts, batch size or another seed.

    Raises:
        InputError: If there is no text, a task and a source have one name, `weights` names an unknown source, or a
            setting is out of range; from `prepare_data` if a file is wrong.
    """

    def __init__(
        self,
        tokenizer: str,
        *,
        tasks: dict[str, Task] | None = None,
        texts: dict[str, Texts] | None = None,
        corpus: CorpusSettings = CorpusSettings(),
        weights: dict[str, float] | None = None,
        train_limit: int | None = None,
        masking: Masking = Masking(),
        root: str = ".",
        batch_size: int = 64,
        max_length: int = 100,
        special_tokens_as_text: bool = False,
        tokens_per_batch: int = 2048,
        num_workers: int = 0,
        cache_dir: str = CACHE_DIR,
        seed: int = 42,
        allow_changes: bool = False,
    ) -> None:
        super().__init__(
            tokenizer,
            root=root,
            batch_size=batch_size,
            max_length=max_length,
            special_tokens_as_text=special_tokens_as_text,
            tokens_per_batch=tokens_per_batch,
            num_workers=num_workers,
            cache_dir=cache_dir,
            seed=seed,
            allow_changes=allow_changes,
        )
        for name in (tasks or {}).keys() & (texts or {}).keys():
            raise InputError(f"data.texts names {name}, which is a task (expected another name)")
        if train_limit is not None and texts:
            raise InputError(f"data.train_limit is {train_limit}, but data.texts has no limit (expected tasks alone)")
        limited = {name: task.with_limits(train=train_limit, dev=None) for name, task in (tasks or {}).items()}
        self.sources: dict[str, Task | Texts] = {**limited, **(texts or {})}
        if not self.sources:
            raise InputError("no text to train on (expected tasks or data.texts)")
        for name, weight in (weights or {}).items():
            if name not in self.sources or not 0 < weight < math.inf:
                known = ", ".join(self.sources)
                raise InputError(f"data.weights has {name}: {weight} (expected a number above 0 for one of {known})")
        self.corpus = corpus
        self.weights = weights or {}
        self.masking = masking
        self.corpora: dict[str, Corpus] = {}

    def prepare_data(self) -> None:
        """Read and tokenise the texts, on one process, and say what they are."""
        for name, corpus in self._open(rank_zero_only(log.info)).items():
            source = corpus.train.source
            log.info(
                "%s: %d sequences to train on, %d held out, from %s (sha256 %s)",
                name,
                len(corpus.train),
                len(corpus.held_out),
                source["path"],
                source["sha256"],
            )

    def setup(self, stage: str) -> None:
        """Open the tokenised files on every process."""
        self.corpora = self.corpora or self._open(lambda _: None)

    def _open(self, report: Any) -> dict[str, Corpus]:
        return {
            name: open_corpus(
                texts,
                self.corpus,
                root=self.root,
                tokenizer=self.tokenizer,
                max_length=self.max_length,
                cache_dir=self.cache_dir,
                report=report,
            )
            for name, texts in self.sources.items()
        }

    def train_dataloader(self) -> ResumableLoader:
        """Return all texts in one mixed order."""
        sampler, position = self.make_sampler(), self.take_position()
        if position is not None:
            sampler.resume(*position)
        return self.make_loader(MaskedTexts(self._trained_texts(), self._masker(), masks_change=True), sampler)

    def make_sampler(self) -> MultitaskSampler:
        """Return the order of the texts to train on."""
        return MultitaskSampler(
            {TASK: len(self._trained_texts())},
            {TASK: self.batch_size},
            Sequential(),
            seed=self.seed,
            rank=self.rank,
            world_size=self.world_size,
        )

    def _trained_texts(self) -> MixedTexts:
        trained = {name: corpus.train for name, corpus in self.corpora.items()}
        return MixedTexts(trained, self.weights, seed=self.seed)

    def val_dataloader(self) -> ResumableLoader:
        """Return the held-out texts with masks that stay the same."""
        texts = MixedTexts({name: corpus.held_out for name, corpus in self.corpora.items()}, {})
        sampler = EvaluationSampler(
            {TASK: texts}, tokens_per_batch=self.tokens_per_batch, rank=self.rank, world_size=self.world_size
        )
        return self.make_loader(MaskedTexts(texts, self._masker(), masks_change=False), sampler)

    def identity(self) -> dict[str, Any]:
        """Return all that decides which examples a step sees."""
        return {
            "seed": self.seed,
            "max_length": self.max_length,
            **({"special_tokens_as_text": True} if self.tokenizer.split_special_tokens else {}),
            "batch_size": self.batch_size,
            "weights": dict(self.weights),
            "masking": asdict(self.masking),
            "corpus": asdict(self.corpus),
            "texts order": list(self.corpora),
            "texts": {
                name: {
                    "sequences": len(corpus.train),
                    "sha256": corpus.train.source["sha256"],
                    "reading": corpus.train.key,
                }
                for name, corpus in self.corpora.items()
            },
        }

    def meaning(self) -> dict[str, Any]:
        """Return what the numbers of a model that was trained on this data depend on, as plain data."""
        whole = super().meaning()
        return {**whole, MAY_CHANGE: {**whole[MAY_CHANGE], "masking": asdict(self.masking)}}

    def _masker(self) -> TokenMasker:
        return TokenMasker(self.tokenizer, self.masking, seed=self.seed)

    def describe_data(self) -> dict[str, Any]:
        """Return path, SHA-256 and number of sequences of every source, by part."""
        return {
            name: {
                part: {**file.source, "sequences": len(file)}
                for part, file in (("train", corpus.train), ("held_out", corpus.held_out))
            }
            for name, corpus in self.corpora.items()
        }
