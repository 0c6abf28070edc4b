"""One table with several label columns: invented reviews with a topic, stars and tags."""

import csv
import random
from pathlib import Path

TOPICS = ("food", "room", "service", "travel")
TAGS = ("clean", "loud", "cheap", "friendly", "slow")
TEXT = (
    "the a of and was with we it very not again staff room dinner train station night morning bed window music price "
    "coffee breakfast waiter ticket platform driver reception noise shower towel garden street menu soup bread table "
    "chair late early warm cold bright small large fresh old new good bad fine great never always stayed ate paid left"
)
WORDS = TEXT.split()
LENGTHS = (8, 70)  # words of a text


def write_table(path: Path, rows: int, *, seed: int) -> None:
    """Write a tab-separated table with id, text, topic, stars and tags.

    Args:
        path: The file.
        rows: Its rows.
        seed: Seed of what is drawn.
    """
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["id", "text", "topic", "stars", "tags"])
        for number in range(rows):
            text = " ".join(rng.choices(WORDS, k=rng.randint(*LENGTHS)))
            tags = ";".join(sorted(rng.sample(TAGS, k=rng.randint(1, 3))))
            writer.writerow([f"row-{number}", text, rng.choice(TOPICS), rng.randint(1, 5), tags])
