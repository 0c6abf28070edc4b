"""The code that the card of an ONNX export shows, on a file whose answer is the number of tokens."""

import json

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

pytest.importorskip("onnxruntime")
from inference.onnx_format import FILE, OPSET
from inference.onnx_usage import predict


@pytest.fixture
def exported(tmp_path):
    from onnx import TensorProto, helper, save

    words = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    given = helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["rows", "tokens"])
    counted = helper.make_tensor_value_info("count", TensorProto.INT64, ["sequences"])
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    node = helper.make_node("ReduceSum", ["attention_mask", "axes"], ["count"], keepdims=0)
    graph = helper.make_graph([node], "graph", [given], [counted], [axes])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10), tmp_path / FILE)

    def export(encoding):
        labels = {"encoding": encoding, "max_length": 8, "special_tokens_as_text": False, "answers": {}}
        (tmp_path / "labels.json").write_text(json.dumps(labels))
        return tmp_path

    return export


def test_rows_are_answered_in_their_order(exported):
    np.testing.assert_array_equal(predict(exported("single"), ["a b a", "a", "b a"], batch_size=2)["count"], [5, 3, 4])
    np.testing.assert_array_equal(predict(exported("cross"), [("a b", "a"), ["b", "b"]])["count"], [6, 5])


def test_what_is_cut_is_said(exported):
    with pytest.warns(UserWarning, match="^1 sequences were cut to 8 tokens$"):
        found = predict(exported("single"), ["a " * 20, "a"])
    np.testing.assert_array_equal(found["count"], [8, 3])


@pytest.mark.parametrize(
    ("encoding", "texts", "said"),
    [
        ("single", [], r"texts is \[\] \(expected a list of one text"),
        ("single", "a film", "texts is 'a film' .expected a list"),
        ("single", ["a", ""], r"texts\[1\] is '' \(expected a string, none of them empty\)"),
        ("single", ["a", float("nan")], r"texts\[1\] is nan"),
        ("single", [("a", "b")], r"texts\[0\] is \('a', 'b'\) \(expected a string"),
        ("cross", ["ab"], r"texts\[0\] is 'ab' \(expected a pair of strings"),
        ("bi", [("a", "b"), ("a", "b", "a")], r"texts\[1\] is .* \(expected a pair of strings"),
        ("bi", [("a", " ")], r"texts\[0\] is .*none of them empty"),
    ],
)
def test_what_is_no_such_text_is_refused(encoding, texts, said, exported):
    with pytest.raises(ValueError, match=said):
        predict(exported(encoding), texts)
