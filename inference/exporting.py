"""A trained model, written in another library's format and checked."""

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from inference import onnx_format, sentence_transformers_format, transformers_format
from inference.card import Origin, read_origin, write_card
from inference.checkpoint import Checkpoint, read_checkpoint
from inference.parity import DevSplit, answer_dev, read_dev
from inference.predictor import Predictor
from inference.written import Written
from runtime.errors import reason_of
from runtime.new_folder import new_folder
from runtime.strict_yaml import read_yaml_file
from tasks import InputError

WHY_NOT: dict[str, Callable[[Predictor, str], str | None]] = {
    "transformers": transformers_format.why_not,
    "sentence-transformers": sentence_transformers_format.why_not,
    "onnx": onnx_format.why_not,
}


def choose_tasks(
    predictor: Predictor, why_not: Callable[[Predictor, str], str | None], named: Sequence[str] | None
) -> list[str]:
    """Return the tasks to export, and print why others are not among them.

    Args:
        predictor: The trained model.
        why_not: Says why the format cannot hold a task; None if it can.
        named: The tasks that were asked for; None for all that the format can hold.

    Raises:
        InputError: If one that was asked for cannot be held, or none can.
    """
    unknown = [name for name in named or () if name not in predictor.tasks]
    if unknown:
        raise InputError(f"no task {unknown[0]!r} (expected {', '.join(predictor.tasks)})")
    reasons = {name: why_not(predictor, name) for name in named or predictor.tasks}
    refused = [f"task {name}: {reason}" for name, reason in reasons.items() if reason is not None]
    if refused and (named or len(refused) == len(reasons)):
        raise InputError("; ".join(refused))
    for line in refused:
        print(f"left out: {line}")
    return [name for name, reason in reasons.items() if reason is None]


def find_root(checkpoint: Checkpoint) -> Path:
    """Return the data folder of the run that wrote a checkpoint; the working folder where there is no run."""
    if checkpoint.run is None:
        return Path()
    try:
        config = read_yaml_file(checkpoint.run / "config.yaml")
    except ValueError as error:
        raise InputError(str(error)) from None
    return Path(config.get("data", {}).get("root", ".")).expanduser()


def write_format(
    kind: str, predictor: Predictor, splits: dict[str, DevSplit], folder: Path, *, max_loss: float | None
) -> list[Written]:
    """Write a format's folders and check each against the checkpoint.

    Args:
        kind: The format.
        predictor: The trained model.
        splits: The dev splits of the tasks to export.
        folder: The folder to fill.
        max_loss: What int8 may lose; None for no int8 file.

    Raises:
        InputError: If an export answers otherwise than the checkpoint.
    """
    names = list(splits)
    if kind == "sentence-transformers":
        write = sentence_transformers_format.write_sentence_transformers
        return [write(predictor, name, splits[name], folder / name) for name in names]
    references = answer_dev(predictor, splits)
    if kind == "transformers":
        return [
            transformers_format.write_transformers(predictor, name, splits[name], references[name], folder / name)
            for name in names
        ]
    return [
        onnx_format.write_onnx(
            predictor, heads, splits, references, folder / encoding, encoding=encoding, max_loss=max_loss
        )
        for encoding, heads in onnx_format.group_heads(predictor, names).items()
    ]


def export(options: argparse.Namespace, path: Path) -> list[Written]:
    """Write an export with its cards; the folder appears only when all of it was checked.

    Args:
        options: The command line.
        path: The checkpoint.

    Raises:
        InputError: If the export is refused.
    """
    why_not = WHY_NOT[options.format]
    checkpoint, predictor = read_checkpoint(path), Predictor.load(path, device="cpu")
    names = choose_tasks(predictor, why_not, options.tasks)
    root = options.root or find_root(checkpoint)
    origin: Origin = read_origin(checkpoint, predictor.tasks)
    with new_folder(options.folder) as partial:
        splits = {name: read_dev(predictor.tasks[name], root, most_rows=options.dev_rows) for name in names}
        max_loss = options.max_loss if options.int8 else None
        written = write_format(options.format, predictor, splits, partial, max_loss=max_loss)
        for one in written:
            for parity in one.parities:
                print(parity.describe())
            place = hub_name(options.push_to_hub, one) or str(options.folder / one.folder.name)
            write_card(one, origin, name=f"{options.folder.name}-{one.folder.name}", place=place)
    return [dataclasses.replace(one, folder=options.folder / one.folder.name) for one in written]


def hub_name(prefix: str | None, written: Written) -> str | None:
    """Return what an exported model is called on the hub, `PREFIX-<folder>`; None where it does not go there."""
    return None if prefix is None else f"{prefix}-{written.folder.name}"


def push(written: Written, name: str, *, public: bool) -> str:
    """Upload an exported model to the Hugging Face hub, and return its address there.

    The hub's own default is a public repository. A model may give away the texts that it was trained on, and what was
    public once cannot be taken back.

    Args:
        written: The exported model.
        name: What it is called there, `OWNER/MODEL`.
        public: Whether everybody may see it.

    Raises:
        InputError: If the hub refuses it or cannot be reached, or the repository exists and is public or private
            against the wish.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        url = HfApi().create_repo(name, private=not public, exist_ok=True)
        is_private = HfApi().model_info(url.repo_id).private  # one that existed keeps what it was
        if is_private == public:
            found, wanted, flag = ("private", "public", "no") if is_private else ("public", "private", "the flag")
            raise InputError(
                f"--push_to_hub {name}: is a {found} repository already (expected a {wanted} one, or {flag} --public)"
            )
        HfApi().upload_folder(repo_id=url.repo_id, folder_path=written.folder, commit_message="Exported model")
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError) as error:
        reason = reason_of(error)
        raise InputError(f"--push_to_hub {name}: not uploaded, {written.folder} is whole ({reason})") from None
    return str(url)
