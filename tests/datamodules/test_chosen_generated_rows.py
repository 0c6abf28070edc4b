"""A choice of training rows beside generated pairs: what is not named is not trained on."""

from pathlib import Path

import pytest

from augmentation import PREFIX, GeneratedPairs
from tasks import InputError, Quora
from tests.tiny import open_data

SAMPLE = Path(__file__).resolve().parent.parent.parent / "sample_data"


def open_chosen(backbone: Path, tmp_path: Path, *ids: str) -> list[str]:
    """Return the ids of the rows that are trained on where a file names some."""
    rows = tmp_path / "rows.csv"
    rows.write_text("\n".join(["id", *ids]) + "\n")
    task = Quora(generated_pairs=GeneratedPairs(share=0.1), train_rows=str(rows))
    data = open_data(backbone, SAMPLE, tmp_path / "cache", tasks={"quora": task})
    data.setup("fit")
    store = data.stores["train"]["quora"]
    return [store.all_ids()[row] for row in store.train_rows]


def test_pairs_are_not_made_for_a_choice_that_names_none(tiny_backbone: Path, tmp_path: Path):
    first = next(iter(Quora().read("train", SAMPLE, print))).id
    with pytest.raises(InputError, match=r"names none of the 48 generated pairs, .*expected generated_pairs: null"):
        open_chosen(tiny_backbone, tmp_path, first)


def test_pairs_that_are_named_are_trained_on(tiny_backbone: Path, tmp_path: Path):
    first = next(iter(Quora().read("train", SAMPLE, print))).id
    task = Quora(generated_pairs=GeneratedPairs(share=0.1))
    made = [one.id for one in task.read_trained("train", SAMPLE, lambda note: None) if one.id.startswith(PREFIX)]
    assert open_chosen(tiny_backbone, tmp_path, first, *made) == [first, *made]
