"""A folder that sentence-transformers loads, for tasks that encode each side of a pair by itself."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from backbones.families import pooler_dense
from backbones.lora import merge_lora
from backbones.saving import save_encoder
from inference.parity import LARGEST_DIFFERENCE, DevSplit, Parity, compare, score_range
from inference.predictor import Predictor
from inference.transformers_format import save_tokenizer
from inference.written import Written
from tasks import InputError, Task

USAGE = """from sentence_transformers import SentenceTransformer

model = SentenceTransformer("DIR")
vectors = model.encode(["A cat sits outside.", "A dog plays in the garden."])
print(model.similarity(vectors, vectors))  # cosines"""


def why_not(predictor: Predictor, name: str) -> str | None:
    """Say why sentence-transformers has no modules for a task; None if it has them."""
    encoding = predictor.tasks[name].encoding
    if encoding != "bi":
        return f"its encoding is {encoding}, which gives no vector of one text (--format onnx can hold that)"
    if predictor.model.backbone.task_layers is not None:
        return "its backbone has PALs, layers of each task (no format but the checkpoint holds them)"
    backbone = predictor.model.backbone
    if backbone.pooling == "pooler" and pooler_dense(backbone.bert) is None:
        return f"the pooler of {backbone.family} models is none of its stock modules (--format onnx can hold that)"
    if predictor.model.trunk is not None:
        return "there is a trunk between backbone and head, which no stock module is (--format onnx can hold that)"
    return None


def write_sentence_transformers(predictor: Predictor, name: str, split: DevSplit, folder: Path) -> Written:
    """Write a task's embedder with stock modules alone, and compare its vectors with the checkpoint's.

    Args:
        predictor: The trained model.
        name: Name of a task, of which `why_not` says nothing.
        split: Its dev split.
        folder: The folder to make.

    Raises:
        InputError: If sentence-transformers is not installed, or answers otherwise than the checkpoint.
    """
    check_package()
    task, head = predictor.tasks[name], predictor.model.head(name)
    build_embedder(predictor, name).save_pretrained(str(folder), create_model_card=False)
    sides = [list(side) for side in zip(*split.texts, strict=True)]
    own = [predictor.embed(name, side) for side in sides]
    found = _encode(folder, sides)
    notes = []
    if head.compares_by_cosine:
        low, high = score_range(task.labels)
        parity = compare(name, task, split, _score(task, own), _score(task, found))
        notes.append(f"score = {low:.15g} + {high - low:.15g} * cosine of two texts' vectors.")
    else:
        difference = max(float((one - other).abs().max()) for one, other in zip(own, found, strict=True))
        parity = Parity(name, None, None, None, difference, 0, len(split.texts), split.size, LARGEST_DIFFERENCE)
        notes.append(
            f"The vectors are what the task's {type(head).__name__} reads; it does not score by their cosine, and its "
            "own answers need --format onnx."
        )
    return Written(
        folder=folder,
        library="sentence-transformers",
        tasks=(name,),
        packages=("sentence-transformers",),
        usage=USAGE,
        parities=(parity.check(),),
        notes=tuple(notes),
    )


def check_package() -> None:
    """Raise an InputError if sentence-transformers is not installed."""
    try:
        import sentence_transformers  # noqa: F401
    except ImportError as error:
        raise InputError(f"--format sentence-transformers: {error} (pip install -r requirements-export.txt)") from None


def build_embedder(predictor: Predictor, name: str) -> Any:
    """Build a SentenceTransformer of the backbone, its pooling, the head's projection and a normalisation."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    backbone, head = predictor.model.backbone, predictor.model.head(name)
    bert = deepcopy(backbone.bert)
    merge_lora(bert)
    size = backbone.hidden_size
    with TemporaryDirectory(prefix="tandem-") as temporary:
        save_encoder(bert, Path(temporary))
        save_tokenizer(predictor, Path(temporary))
        transformer = Transformer(temporary, max_seq_length=predictor.max_length)
    modules: list[nn.Module] = [transformer, Pooling(size, "mean" if backbone.pooling == "mean" else "cls")]
    dense = pooler_dense(bert) if backbone.pooling == "pooler" else None
    if dense is not None:
        modules.append(Dense(size, size, activation_function=nn.Tanh(), init_weight=dense.weight, init_bias=dense.bias))
    if head.projection is not None:
        weight, bias = head.projection.weight.detach(), head.projection.bias.detach()
        options: dict[str, Any] = {"activation_function": None, "init_weight": weight, "init_bias": bias}
        modules.append(Dense(weight.shape[1], weight.shape[0], **options))
    return SentenceTransformer(modules=[*modules, Normalize()], similarity_fn_name="cosine", device="cpu")


def _encode(folder: Path, sides: Sequence[list[str]]) -> list[Tensor]:
    """Return the vectors of texts as sentence-transformers computes them from a folder, one (n, P) a side."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    return [model.encode(side, convert_to_tensor=True, show_progress_bar=False).float() for side in sides]


def _score(task: Task, sides: Sequence[Tensor]) -> Tensor:
    first, second = sides
    low, high = score_range(task.labels)
    return low + (high - low) * F.cosine_similarity(first, second)
