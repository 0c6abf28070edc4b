"""How an ONNX file becomes int8: the fast way first, then a more exact one."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

BLOCK = 128  # weights with a scale in common; divides the usual hidden sizes


def quantize_by_channel(file: Path, target: Path) -> None:
    """Write a file with int8 weights, one scale for each output channel, and one scale for a batch's activations.

    Weights have seven bits: without VNNI a CPU adds products of eight bits in sixteen, which overflow.

    Args:
        file: The fp32 file.
        target: The file to write.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _without_advice():
        quantize_dynamic(str(file), str(target), weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


def quantize_by_block(file: Path, target: Path) -> None:
    """Write a file in which each block of weights, and of the activations that meet it, has a scale of its own.

    Slower than `quantize_by_channel`, with a third of its error: one outlier spoils its block, not the batch.

    Args:
        file: The fp32 file.
        target: The file to write.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    with TemporaryDirectory(prefix="tandem-") as temporary, _without_advice():
        embedded = Path(temporary) / "embeddings-int8.onnx"
        quantize_dynamic(str(file), str(embedded), weight_type=QuantType.QInt8, op_types_to_quantize=["Gather"])
        blocks = MatMulNBitsQuantizer(
            onnx.load(embedded),
            bits=8,
            block_size=BLOCK,
            is_symmetric=True,
            accuracy_level=4,  # activations are computed in int8 too
        )
        blocks.process()
        blocks.model.save_model_to_file(str(target))


RECIPES: Mapping[str, Callable[[Path, Path], None]] = {
    "a scale for each output channel of a matrix": quantize_by_channel,
    f"a scale for each {BLOCK} values of weights and activations": quantize_by_block,
}


@contextmanager
def _without_advice() -> Iterator[None]:
    """Keep silent what onnxruntime advises: a step that these ways do without."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.root.setLevel(level)
