"""What is told about the files of a stage."""

import logging

from tasks import Classification, Source
from tests.tiny import open_data


def test_a_file_that_is_split_is_told_of_once(word_backbone, tmp_path, caplog):
    cells = [f'"the cat {number}\ngood",{number % 2}' for number in range(8)]
    (tmp_path / "own.csv").write_text("\n".join(["a,y", *cells]) + "\n")
    task = Classification(source=Source(all="own.csv", dev_share=0.5), texts=("a",), label="y", num_classes=2)
    data = open_data(word_backbone, tmp_path, tmp_path / "cache", tasks={"one": task})
    with caplog.at_level(logging.INFO, logger="datamodules"):
        data.prepare_data()
    told = [message for message in caplog.messages if "over several lines" in message]
    assert told == [
        f"{tmp_path}/own.csv: 8 rows over several lines, the first at line 2 (quotes: false if quotes are text)"
    ]
