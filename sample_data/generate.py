"""Write the sample data: small, invented files in the CS224N format for three sentence tasks, and a table of reviews.

The ten files next to this script are its output with the defaults; a test regenerates and compares them.

Example:
    python sample_data/generate.py --seed 0 --output sample_data
"""

import argparse
import csv
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

if not __package__:  # run as a script: the folder on the path is this one, not the repository
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sample_data.paraphrase import draw_question_pair
from sample_data.reviews import Review, draw_table_row
from sample_data.sentiment import draw_review
from sample_data.similarity import draw_sentence_pair

Split = Literal["train", "dev", "test-student"]
Sentences = tuple[str, ...]
DrawSentences = Callable[[random.Random, str, bool], Sentences]

SPLIT_SIZES: dict[str, dict[Split, int]] = {
    "ids-sst": {"train": 480, "dev": 200, "test-student": 60},
    "quora": {"train": 480, "dev": 240, "test-student": 60},
    "sts": {"train": 400, "dev": 200, "test-student": 60},
}
COLUMNS = {
    "ids-sst": ("sentence", "sentiment"),
    "quora": ("sentence1", "sentence2", "is_duplicate"),
    "sts": ("sentence1", "sentence2", "similarity"),
}
NUM_REVIEWS = 600
# Labels are dealt out in this proportion.
LABELS = {
    "ids-sst": "0" * 3 + "1" * 5 + "2" * 4 + "3" * 5 + "4" * 3,
    "quora": ("0.0", "0.0", "0.0", "1.0", "1.0"),
    "sts": tuple(str(fifths / 5) for fifths in range(26)),
}


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description="Write the sample data.", allow_abbrev=False)
    parser.add_argument("--seed", type=int, default=0, help="another seed, other sentences (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="folder (default: this script's)")
    arguments = parser.parse_args()
    generate(arguments.output, seed=arguments.seed)


def generate(output: Path, *, seed: int) -> None:
    """Write the ten files.

    Args:
        output: Folder to write to; made if missing.
        seed: Each dataset is a function of it and of the dataset's name.
    """
    output.mkdir(parents=True, exist_ok=True)
    for dataset, draw in DRAW_SENTENCES.items():
        rng = random.Random(f"{seed} {dataset}")
        earlier: set[str] = set()
        for split, size in SPLIT_SIZES[dataset].items():
            rows = _draw_rows(rng, draw, LABELS[dataset], size=size, held_out=split != "train", earlier=earlier)
            earlier = earlier.union(*(sentences for sentences, _ in rows))
            _write_split(output / f"{dataset}-{split}.csv", COLUMNS[dataset], rows, rng=rng)
    _write_reviews(output / "reviews.csv", random.Random(f"{seed} reviews"))


def _draw_rows(
    rng: random.Random,
    draw: DrawSentences,
    labels: Sequence[str],
    *,
    size: int,
    held_out: bool,
    earlier: set[str],
) -> list[tuple[Sentences, str]]:
    """Draw labelled examples: no pair twice, no sentence with itself or from an earlier split."""
    rows: dict[Sentences, str] = {}
    while len(rows) < size:
        label = labels[len(rows) % len(labels)]
        sentences = draw(rng, label, held_out)
        is_new = sentences not in rows and sentences[::-1] not in rows and earlier.isdisjoint(sentences)
        if is_new and len(set(sentences)) == len(sentences):
            rows[sentences] = label
    examples = list(rows.items())
    rng.shuffle(examples)
    return examples


def _draw_labelled_review(rng: random.Random, label: str, held_out: bool) -> Sentences:
    """Draw reviews until one has the label."""
    while True:
        sentence, sentiment = draw_review(rng, held_out=held_out)
        if sentiment == int(label):
            return (sentence,)


DRAW_SENTENCES: dict[str, DrawSentences] = {
    "ids-sst": _draw_labelled_review,
    "quora": lambda rng, label, held_out: draw_question_pair(rng, is_duplicate=label == "1.0", held_out=held_out),
    "sts": lambda rng, label, held_out: draw_sentence_pair(rng, similarity=float(label), held_out=held_out),
}


def _write_split(
    path: Path, columns: Sequence[str], rows: Sequence[tuple[Sentences, str]], *, rng: random.Random
) -> None:
    """Write one file. A test file has no label column; that of SST has two index columns, as in the original."""
    is_test = path.stem.endswith("test-student")
    index_columns = ["0", ""] if is_test and len(rows[0][0]) == 1 else [""]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow([*index_columns, "id", *(columns[:-1] if is_test else columns)])
        for index, (sentences, label) in enumerate(rows):
            indices = [index + 1, float(index)] if len(index_columns) == 2 else [index]
            identifier = f"{rng.getrandbits(100):025x}"
            writer.writerow([*indices, identifier, *sentences, *([] if is_test else [label])])


def _write_reviews(path: Path, rng: random.Random) -> None:
    """Write the table of reviews, no text twice: one file without a split, comma-separated."""
    reviews: dict[str, Review] = {}
    while len(reviews) < NUM_REVIEWS:
        review = draw_table_row(rng)
        reviews.setdefault(review.text, review)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", *Review._fields])
        writer.writerows([f"r{number:04d}", *review] for number, review in enumerate(reviews.values(), start=1))


if __name__ == "__main__":
    main()
