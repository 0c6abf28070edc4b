import numpy as np
import pytest

from inference.rows import check_texts
from tasks import InputError


@pytest.mark.parametrize("row", [{"text": "a film", "text_pair": "a song"}, {"a film", "a song"}, None, 3.5])
def test_what_has_no_first_and_second_text_is_no_pair(row):
    """A pair for transformers' pipeline is a dictionary, whose keys are no texts; a cell without one is None or NaN."""
    with pytest.raises(InputError, match=r"texts\[1\] is .*\(expected a pair of strings\)"):
        check_texts([("a", "b"), row], 2)


def test_the_keys_of_a_dictionary_are_no_texts():
    with pytest.raises(InputError, match=r"texts is a dict \(expected a list\)"):
        check_texts({"id 1": "a film"}, 1)


def test_pairs_may_be_tuples_lists_or_rows_of_an_array():
    assert check_texts([("a", "b"), ["c", "d"], np.array(["e", "f"])], 2) == [("a", "b"), ("c", "d"), ("e", "f")]
