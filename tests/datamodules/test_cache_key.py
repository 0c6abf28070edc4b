from pathlib import Path

import tasks
from tests.tiny import open_data


class Sst(tasks.Sst):
    """A task of the same name as a shipped one, which turns the labels round."""

    def parse_label(self, value: str) -> int:
        return 4 - int(super().parse_label(value))


def test_classes_of_one_name_in_two_modules_share_no_rows(
    tiny_backbone: Path, cs224n_root: Path, tmp_path: Path
) -> None:
    def labels(task: tasks.Task) -> list[float]:
        data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tasks={"sst": task})
        data.prepare_data()
        data.setup("validate")
        return [float(label) for label in data.stores["dev"]["sst"].labels]

    assert Sst.__qualname__ == tasks.Sst.__qualname__
    assert repr(Sst()) == repr(tasks.Sst())
    assert labels(Sst()) == [4 - label for label in labels(tasks.Sst())]
