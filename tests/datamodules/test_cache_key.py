from pathlib import Path

import tasks
from tests.tiny import open_data


def test_classes_of_one_name_in_two_modules_share_no_rows(
    tiny_backbone: Path, cs224n_root: Path, tmp_path: Path
) -> None:
    class Stars(tasks.Sst):  # local: any other class could be named in the configurations of later tests
        pass

    class Turned(tasks.Sst):
        def parse_label(self, value: str) -> int:
            return 4 - int(super().parse_label(value))

    Turned.__name__, Turned.__qualname__, Turned.__module__ = Stars.__name__, Stars.__qualname__, "elsewhere"

    def labels(task: tasks.Task) -> list[float]:
        data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tasks={"sst": task})
        data.prepare_data()
        data.setup("validate")
        return [float(label) for label in data.stores["dev"]["sst"].labels]

    assert repr(Turned()) == repr(Stars())
    assert labels(Turned()) == [4 - label for label in labels(Stars())]
