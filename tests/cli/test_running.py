from cli.running import OUR_PACKAGES
from runtime.version import ROOT
from tests.test_imports import FILES

APART = {"analysis", "experiments", "benchmarks", "docs", "tests"}  # which train.py and pretrain.py never import


def test_what_any_package_tells_is_shown():
    telling = {path.parts[0] for path in FILES if "log.info" in (ROOT / path).read_text(encoding="utf-8")} - APART
    assert {"callbacks", "inference", "lightning_modules"} <= telling
    assert telling <= set(OUR_PACKAGES)
