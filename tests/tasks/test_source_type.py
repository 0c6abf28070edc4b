import pytest

from tasks import Classification, InputError, Texts


@pytest.mark.parametrize("source", [{"train": "train.csv"}, "train.csv", None])
def test_what_python_code_gives_as_a_source_and_is_none_is_refused(source):
    expected = rf": source is of type {type(source).__name__} \(expected a Source, as in Source\(train='train.csv'\)\)"
    with pytest.raises(InputError, match=f"^Classification{expected}$"):
        Classification(source=source, texts=("text",), label="label", num_classes=2, encoding="single")
    with pytest.raises(InputError, match=f"^Texts{expected}$"):
        Texts(source=source)
