import json
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer


def predict(
    folder: Path | str, texts: list[str] | list[tuple[str, str]], file: str = "model.onnx", batch_size: int = 32
) -> dict[str, np.ndarray]:
    """Return the answers of each task: probabilities of its classes (n, C), or scores (n,).

    `texts` are strings, or pairs of strings where the tasks are about pairs. Long ones are cut, as in training.
    """
    folder = Path(folder)
    settings = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    session = onnxruntime.InferenceSession(folder / file, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = settings["special_tokens_as_text"]  # which its file does not hold
    tokenizer.enable_truncation(settings["max_length"])
    tokenizer.enable_padding()
    if isinstance(texts, str) or not len(texts):
        raise ValueError(f"texts is {texts!r} (expected a list of one text or pair at least)")
    rows = [tuple(row) if isinstance(row, (list, tuple)) else (row,) for row in texts]
    length, expected = (1, "a string") if settings["encoding"] == "single" else (2, "a pair of strings")
    for number, row in enumerate(rows):
        if len(row) != length or not all(isinstance(text, str) and text.strip() for text in row):
            raise ValueError(f"texts[{number}] is {texts[number]!r} (expected {expected}, none of them empty)")
    order = np.argsort([sum(map(len, row)) for row in rows], kind="stable")  # rows of similar length together
    num_cut = 0
    found: dict[str, list[np.ndarray]] = {output.name: [] for output in session.get_outputs()}
    for start in range(0, len(rows), batch_size):
        chosen = [rows[number] for number in order[start : start + batch_size]]
        if settings["encoding"] == "bi":  # each side by itself: all first ones, then all second ones
            inputs = [row[side] for side in (0, 1) for row in chosen]
        else:
            inputs = [row if len(row) == 2 else row[0] for row in chosen]
        encoded = tokenizer.encode_batch(inputs)
        num_cut += sum(bool(each.overflowing) for each in encoded)
        feed = {
            "input_ids": np.array([each.ids for each in encoded]),
            "attention_mask": np.array([each.attention_mask for each in encoded]),
            "token_type_ids": np.array([each.type_ids for each in encoded]),
        }
        known = {given.name: feed[given.name] for given in session.get_inputs()}  # not all encoders have segments
        for output, values in zip(found, session.run(None, known), strict=True):
            found[output].append(values)
    if num_cut:
        warnings.warn(f"{num_cut} sequences were cut to {settings['max_length']} tokens", stacklevel=2)
    return {name: np.concatenate(values)[np.argsort(order)] for name, values in found.items()}
