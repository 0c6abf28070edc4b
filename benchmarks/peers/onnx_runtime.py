"""ONNX Runtime on the exported file, fp32 or int8, with the tokenizers library."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from benchmarks.job import Job
from benchmarks.meter import Meter, Unavailable, Work
from benchmarks.peers.ordering import in_batches
from benchmarks.serving import Served, Texts, serve


def run(job: Job, meter: Meter) -> None:
    """Answer the pairs."""
    if not job.onnx.is_dir():
        raise Unavailable("there is no ONNX file (pip install -r requirements-export.txt)")
    serve(job, meter, load)


def load(job: Job) -> Served:
    """Load a file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = job.threads, 1
    file = job.onnx / ("model-int8.onnx" if job.precision == "int8" else "model.onnx")
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(job.onnx / "tokenizer.json"))
    tokenizer.enable_truncation(job.workload.max_length)
    tokenizer.enable_padding()
    done = [Work()]

    def answer_batch(texts: Texts) -> list[float]:
        encoded = tokenizer.encode_batch(list(texts))
        mask = np.array([each.attention_mask for each in encoded])
        done[0] = replace(
            done[0],
            examples=done[0].examples + len(texts),
            tokens=done[0].tokens + int(mask.sum()),
            slots=done[0].slots + mask.size,
        )
        feed = {
            "input_ids": np.array([each.ids for each in encoded]),
            "attention_mask": mask,
            "token_type_ids": np.array([each.type_ids for each in encoded]),
        }
        found: list[float] = session.run(None, feed)[0][:, 1].tolist()
        return found

    def answer(texts: Texts) -> Sequence[float]:
        return in_batches(answer_batch, texts, size=job.workload.batch_size, sorts=job.sorts_by_length)

    def take() -> Work:
        work, done[0] = done[0], Work()
        return work

    return Served(answer, take, file)
