"""What overlap is measured as does not hang on the order in which Python happens to keep a set of words."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PRINT_DIGEST = """
import hashlib, random
from shortcuts.features import Rarity, overlap_features
words = [f"word{number}" for number in range(300)]
rng = random.Random(0)
texts = [" ".join(rng.choice(words[: rng.randint(5, 300)]) for _ in range(12)) for _ in range(400)]
pairs = [*zip(texts[::2], texts[1::2])]
print(hashlib.sha256(overlap_features(pairs, Rarity(texts)).tobytes()).hexdigest())
"""


def test_features_are_the_same_numbers_in_every_process():
    digests = {
        subprocess.run(
            [sys.executable, "-c", PRINT_DIGEST],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(digests) == 1
