from pathlib import Path

import pytest

from augmentation import PREFIX, GeneratedPairs
from tasks import InputError, PairClassification, PairMultiLabel, PairRegression, Quora, Source, Sst, Sts

SAMPLE = Path(__file__).resolve().parent.parent.parent / "sample_data"
NLI = {"source": Source(train="nli.csv"), "texts": ("a", "b"), "label": "verdict"}
THREE = ("entailment", "neutral", "contradiction")


def test_the_pairs_come_behind_the_rows_of_train_and_of_train_alone():
    task, notes = Quora(generated_pairs=GeneratedPairs(share=0.2)), list[str]()
    rows = list(task.read("train", SAMPLE, notes.append))
    trained = list(task.read_trained("train", SAMPLE, notes.append))
    assert trained[: len(rows)] == rows
    assert len(trained) == len(rows) + 96
    assert all(example.id.startswith(PREFIX) for example in trained[len(rows) :])
    assert {example.label for example in trained[len(rows) :]} == {0, 1}
    for split in ("dev", "test"):
        assert list(task.read_trained(split, SAMPLE, notes.append)) == list(task.read(split, SAMPLE, notes.append))


def test_one_sentence_says_what_was_made():
    notes: list[str] = []
    list(Quora(generated_pairs=GeneratedPairs(share=0.2)).read_trained("train", SAMPLE, notes.append))
    (note,) = notes
    assert note.startswith("96 pairs made by rule and trained on beside 480 rows, half of them with the same meaning (")
    assert "direction " in note


def test_fewer_than_asked_for_are_told():
    notes: list[str] = []
    list(Sts(generated_pairs=GeneratedPairs(share=1.0)).read_trained("train", SAMPLE, notes.append))
    assert " pairs of 400 asked for made by rule" in notes[0]


def test_pairs_are_made_of_the_rows_that_a_limit_leaves():
    task = Quora(train_limit=100, generated_pairs=GeneratedPairs(share=0.5))
    trained = list(task.read_trained("train", SAMPLE, lambda note: None))
    rows = {example.id for example in trained if not example.id.startswith(PREFIX)}
    assert len(rows) == 100
    assert {example.id.split(":")[2] for example in trained if example.id.startswith(PREFIX)} <= rows


def test_scores_of_generated_pairs_lie_low_and_at_the_top():
    trained = Sts(generated_pairs=GeneratedPairs(kinds=("roles", "voice"))).read_trained("train", SAMPLE, print)
    assert {example.label for example in trained if example.id.startswith(PREFIX)} == {1.5, 5.0}


def test_labels_can_be_chosen_as_the_file_has_them():
    settings = GeneratedPairs(same="entailment", different="neutral", kinds=("direction", "list"))
    task = PairClassification(**NLI, classes=THREE, generated_pairs=settings)
    assert task.generation_settings("train")["generated"].startswith("GeneratedPairs(share=0.1")
    scored = Sts(generated_pairs=GeneratedPairs(different=2, kinds=("roles", "voice")))
    labels = {example.label for example in scored.read_trained("train", SAMPLE, print) if PREFIX in example.id}
    assert labels == {2.0, 5.0}


def test_only_the_key_of_train_knows_them():
    plain, generated = Quora(), Quora(generated_pairs=GeneratedPairs())
    assert plain.reading_settings() == generated.reading_settings()
    assert plain.generation_settings("train") == generated.generation_settings("dev") == {}
    keys = {
        str(Quora(generated_pairs=settings).generation_settings("train"))
        for settings in (GeneratedPairs(), GeneratedPairs(seed=1), GeneratedPairs(share=0.2), None)
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda settings: Sst(generated_pairs=settings), "Sst: generated_pairs is set, but an example is one sentence"),
        (
            lambda settings: PairClassification(**NLI, classes=THREE, generated_pairs=settings),
            "generated_pairs.same or .different is not set .*of entailment, neutral, contradiction",
        ),
        (
            lambda settings: PairMultiLabel(
                source=Source(train="x.csv"),
                texts=("a", "b"),
                label="tags",
                classes=("x", "y"),
                generated_pairs=settings,
            ),
            "generated_pairs is set, but a label is a set of classes",
        ),
    ],
)
def test_tasks_that_it_does_not_fit_are_refused(build, message):
    with pytest.raises(InputError, match=message):
        build(GeneratedPairs())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"same": "maybe"}, "generated_pairs.same is 'maybe'"),
        ({"same": 0}, "generated_pairs.same and .different mean 0 and 0"),
    ],
)
def test_labels_that_are_none_or_equal_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Quora(generated_pairs=GeneratedPairs(**options))


def test_a_positive_score_below_the_negative_one_is_refused():
    with pytest.raises(InputError, match="expected a higher score for the same"):
        PairRegression(
            source=Source(train="x.csv"),
            texts=("a", "b"),
            label="s",
            low=0,
            high=1,
            generated_pairs=GeneratedPairs(same=0.1),
        )


def test_rows_that_give_no_pair_are_refused(tmp_path):
    (tmp_path / "quora-train.csv").write_text("\tid\tsentence1\tsentence2\tis_duplicate\n0\ta\twarm\tcold\t1\n")
    task = Quora(generated_pairs=GeneratedPairs())
    with pytest.raises(InputError, match=r"the rules made no pair from 1 rows .*they are for English"):
        list(task.read_trained("train", tmp_path, print))


def test_rows_without_a_label_give_pairs_too(tmp_path):
    lines = ["Why do owls hunt at night?\tWhat's an owl?\t", "Why do bats sleep by day?\tWhat's a bat?\t1"]
    text = "\n".join(
        ["\tid\tsentence1\tsentence2\tis_duplicate", *(f"{n}\tr{n}\t{line}" for n, line in enumerate(lines))]
    )
    (tmp_path / "quora-train.csv").write_text(f"{text}\n")
    task = Quora(missing_labels="ignore", generated_pairs=GeneratedPairs(share=1.0))
    made = [each for each in task.read_trained("train", tmp_path, print) if each.id.startswith(PREFIX)]
    assert len(made) == 2
    assert {each.label for each in made} == {0, 1}
