"""Edits that a masked language model has judged once are made again without it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers

from augmentation import PREFIX, Fluency, GeneratedPairs
from objectives import ProductOfExperts
from shortcuts.answers import answer_unseen_folds
from tasks import Quora
from tests.tiny import open_data

SAMPLE = Path(__file__).resolve().parent.parent.parent / "sample_data"


@pytest.mark.parametrize("drop", [None, 0.4])
def test_the_pairs_of_known_ids_are_made_again(drop: float | None, folder: Path):
    fluency = None if drop is None else Fluency(model=str(folder), drop=drop)
    task = Quora(train_limit=60, generated_pairs=GeneratedPairs(share=0.2, across=0.5, fluency=fluency))
    first = list(task.read_trained("train", SAMPLE, lambda note: None))
    names = {example.id for example in first}
    assert len([name for name in names if name.startswith(PREFIX)]) == 12
    gone = None if drop is None else Fluency(model="/nowhere", drop=drop)
    again = replace(task, generated_pairs=GeneratedPairs(share=0.2, across=0.5, fluency=gone))
    assert list(again.read_trained("train", SAMPLE, lambda note: None, made=names)) == first


def test_debiasing_judges_no_edit_again(folder: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch):
    loaded, load = [], transformers.AutoModelForMaskedLM.from_pretrained

    def count(*args: Any, **kwargs: Any) -> Any:
        loaded.append(args)
        return load(*args, **kwargs)

    monkeypatch.setattr(transformers.AutoModelForMaskedLM, "from_pretrained", count)
    made = GeneratedPairs(share=0.2, fluency=Fluency(model=str(folder)))
    task = Quora(train_limit=60, generated_pairs=made, debias=ProductOfExperts())
    data = open_data(tiny_backbone, SAMPLE, tmp_path / "cache", tasks={"quora": task})
    data.setup("fit")
    assert len(loaded) == 1

    store = data.stores["train"]["quora"]
    by_id = {example.id: example.texts for example in task.read_trained("train", SAMPLE, lambda note: None)}
    expected = answer_unseen_folds([by_id[name] for name in store.all_ids()], store.labels, is_score=False)
    (kept,) = (tmp_path / "cache").glob("*-shortcut.npy")
    assert len(expected) == 72
    assert np.array_equal(np.load(kept), expected)
