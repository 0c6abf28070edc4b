"""What one program has to do: the workload all programs of a suite share, and the program's own options."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

Precision = Literal["fp32", "onednn", "bf16", "int8"]


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The work, equal for every program.

    Args:
        family: Family of the randomly initialised encoder, see benchmarks.shapes.
        num_layers: Its layers.
        hidden_size: Its hidden size (H).
        num_heads: Its attention heads.
        intermediate_size: Width of its feed-forward layers.
        dropout: Dropout everywhere: hidden states, attention, classifier.
        num_rows: Examples an epoch.
        batch_size: Examples per batch.
        max_length: Tokens a sequence at most.
        lr: Learning rate of AdamW, constant.
        weight_decay: Decoupled weight decay of matrices.
        clip: Largest norm of the gradients.
        seed: Seed of weights and order.
    """

    family: str = "bert"
    num_layers: int = 4
    hidden_size: int = 256
    num_heads: int = 4
    intermediate_size: int = 1024
    dropout: float = 0.1
    num_rows: int = 1024
    batch_size: int = 32
    max_length: int = 128
    lr: float = 1e-4
    weight_decay: float = 0.01
    clip: float = 1.0
    seed: int = 42


@dataclass(frozen=True, kw_only=True)
class Job:
    """One program's work.

    Args:
        program: Its module, which has `run(job, meter)`.
        folder: The prepared folder (see benchmarks.prepare).
        workload: The work.
        rounds: Epochs to measure, after one for warming up.
        threads: CPU threads.
        precision: `fp32`; `onednn` for fp32 products by oneDNN where that is exact; `bf16` for bf16 autocast; `int8`
            for int8 products in inference.
        sorts_by_length: Whether a peer groups (or, in evaluation, sorts) examples of similar length.
        frozen: Whether only the head trains.
        num_tasks: Tasks that a trained model of ours answers at once, or that ours trains on one table: 1 or 3.
        shares_rows: Whether tasks over one table share batches and passes.
        caches_vectors: Whether ours computes the vectors of a frozen backbone once.
        device: Where Hugging Face's Trainer runs: `cpu` or `cuda`.
        trains: Whether bare products are those of a training step.
        compiles: Whether Hugging Face's Trainer compiles the model.
        round_tokens: `--data.round_tokens` of ours.
        is_profiled: Whether one more epoch follows, in which operators are timed.
    """

    program: str
    folder: Path = Path()
    workload: Workload = Workload()
    rounds: int = 5
    threads: int = 1
    precision: Precision = "fp32"
    sorts_by_length: bool = False
    frozen: bool = False
    num_tasks: int = 1
    shares_rows: bool = True
    caches_vectors: bool = True
    device: str = "cpu"
    trains: bool = True
    compiles: bool = False
    round_tokens: int = 0
    is_profiled: bool = False

    @property
    def num_epochs(self) -> int:
        """Epochs that the program makes."""
        return 1 + self.rounds + self.is_profiled

    @property
    def lengths(self) -> Path:
        """Tokens of each pair, a JSON list."""
        return self.folder / "lengths.json"

    @property
    def pairs(self) -> Path:
        """The sentence pairs, in the format of CS224N's quora files."""
        return self.folder / "pairs.csv"

    @property
    def table(self) -> Path:
        """The table with several label columns."""
        return self.folder / "table.tsv"

    @property
    def sentences(self) -> Path:
        """The sentences of masked language modelling, one a line."""
        return self.folder / "sentences.txt"

    @property
    def train_lines(self) -> Path:
        """Numbers of the lines of `sentences` that are trained on, a JSON list."""
        return self.folder / "train-lines.json"

    @property
    def classifier(self) -> Path:
        """Initial weights of the classifier, with the tokenizer."""
        return self.folder / "classifier"

    @property
    def masked_lm(self) -> Path:
        """Initial weights of the masked language model, with the tokenizer."""
        return self.folder / "masked-lm"

    @property
    def checkpoint(self) -> Path:
        """The trained checkpoint of the inference suite."""
        return self.folder / "trained.ckpt"

    @property
    def exported(self) -> Path:
        """The same model's first task as transformers loads it."""
        return self.folder / "exported"

    @property
    def onnx(self) -> Path:
        """The same task's ONNX files, with the tokenizer."""
        return self.folder / "onnx"

    def to_json(self) -> str:
        """Write the job as one line."""
        return json.dumps(asdict(replace(self, folder=self.folder.absolute())), default=str)

    @classmethod
    def from_json(cls, line: str) -> "Job":
        """Read a job from its line."""
        fields = json.loads(line)
        return cls(**{**fields, "folder": Path(fields["folder"]), "workload": Workload(**fields["workload"])})
