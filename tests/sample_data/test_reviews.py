"""The table of reviews: several labels a row, with gaps, each of which the text decides."""

import csv
import random
from collections import Counter
from pathlib import Path

import sample_data
from sample_data.reviews import REMARKS, TOPICS, draw_table_row

with (Path(sample_data.__file__).parent / "reviews.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def test_ids_and_texts_are_unique():
    assert len({row["id"] for row in ROWS}) == len({row["text"] for row in ROWS}) == len(ROWS) == 600


def test_topic_and_stars_have_gaps_and_no_value_dominates():
    topics, stars = (Counter(row[column] for row in ROWS) for column in ("topic", "stars"))
    assert topics.keys() == {"", *TOPICS}
    assert stars.keys() == {"", "1", "2", "3", "4", "5"}
    assert 30 < topics.pop("") < 90
    assert 80 < stars.pop("") < 160
    assert max(topics.values()) < 2 * min(topics.values())
    assert max(stars.values()) < 2 * min(stars.values())


def test_the_tags_are_those_that_the_text_remarks_on():
    assert any(not row["tags"] for row in ROWS)
    for row in ROWS:
        said = {tag for tag, sides in REMARKS.items() if any(one in row["text"] for side in sides for one in side)}
        assert said == set(filter(None, row["tags"].split(";"))), row


def test_the_topic_is_that_of_the_named_thing():
    for row in ROWS:
        if row["topic"]:
            wholes, _ = TOPICS[row["topic"]]
            assert any(f" {whole}" in row["text"] for whole in wholes.split()), row


def test_a_review_is_a_function_of_the_random_source():
    assert draw_table_row(random.Random(3)) == draw_table_row(random.Random(3))
    assert draw_table_row(random.Random(3)) != draw_table_row(random.Random(4))
