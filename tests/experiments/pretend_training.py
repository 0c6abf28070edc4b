"""A program with the face of train.py that takes no time: leaves the folders of a run; fails or waits if asked to."""

import json
import os
import sys
import time
from itertools import pairwise
from pathlib import Path


def main(arguments: list[str]) -> int:
    values = dict(pairwise(arguments))
    folder = Path(values["--trainer.logger.save_dir"]) / values["--trainer.logger.name"]
    attempt = folder / f"version_{len(list(folder.glob('version_*')))}"
    (attempt / "checkpoints").mkdir(parents=True)
    (attempt / "checkpoints" / "last.ckpt").write_text("state")
    threads = {os.environ[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    print(f"started with {' and '.join(sorted(threads))} thread(s), process {os.getpid()}", flush=True)
    while (hold := Path(values.get("--hold", "/nowhere"))).exists():
        time.sleep(0.02)
    if "--fail" in values and not hold.with_name("repaired").exists():
        print("something is wrong", flush=True)
        return 3
    (attempt / "config.yaml").write_text("{}")
    (attempt / "report.json").write_text(json.dumps({"weights_sha256": "0", "arguments": arguments}))
    return 0


if __name__ == "__main__":
    sys.exit(main([*sys.argv[1:], ""]))
