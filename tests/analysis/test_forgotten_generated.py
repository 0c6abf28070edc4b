"""Predictions of a train split that pairs were made beside."""

import yaml

from analysis.forgotten import main
from augmentation import PREFIX
from tests.analysis.written import predict_all, write_data, write_run


def test_pairs_that_were_made_by_rule_are_not_in_the_way(tmp_path, capsys):
    write_data(tmp_path / "data")
    run = write_run(tmp_path / "run", tmp_path / "data", predict_all(q1="yes, same"))
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["tasks"]["same"]["init_args"]["generated_pairs"] = {"share": 0.5}
    (run / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    path, output = run / "predictions" / "same-dev.csv", tmp_path / "rows.csv"  # the same rows are train and dev
    with path.open("a") as file:
        file.write(f"{PREFIX}direction:q1:1, no\n")  # as predict writes them, behind the rows of the file
    command = [str(run), "--task", "same", "--output", str(output), "--predictions", str(path)]
    assert main(command) == 0, capsys.readouterr().err
    assert output.read_text().splitlines() == ["id,reason", "q1,never learnt"]
