from collections.abc import Callable
from dataclasses import asdict

import pytest
import torch

from runtime.version import VERSION, find_code_version
from tests.runs import Project


@pytest.fixture
def project(tiny_project: Callable[..., Project]) -> Project:
    return tiny_project()


def test_the_report_and_all_checkpoints_say_which_code_wrote_them(project):
    assert project.run("--trainer.max_steps", "2").code == 0
    report, expected = project.report(0), asdict(find_code_version())
    assert (report["versions"]["tandem"], report["commit"]) == (VERSION, expected["commit"])
    assert report["dirty"] in (False, True, None)  # the checkout may be changed while the tests run
    paths = sorted((project.version(0) / "checkpoints").glob("*.ckpt"))
    assert [path.name[:4] for path in paths] == ["best", "last"]
    for path in paths:
        code = torch.load(path, weights_only=True)["code"]
        assert (code["version"], code["commit"], code["dirty"]) == (VERSION, report["commit"], report["dirty"])
