"""The shipped table of reviews: three labels of a row in one step, each with its own files and scores."""

import csv

from tests.cli.command_line import ROOT, read_report

REVIEWS = ROOT / "configs" / "reviews.yaml"
SAMPLE = ["--data.root", ROOT / "sample_data"]
TASKS = {"topic": "accuracy", "stars": "pearson", "tags": "micro_f1"}


def test_one_step_learns_all_labels_of_its_rows(train):
    run_folder = train("fit", *SAMPLE, "--trainer.max_steps", 3, config=REVIEWS)
    report = read_report(run_folder)
    assert report["streams"]["topic+stars+tags"]["tasks"] == [*TASKS]
    assert report["steps"] == 3
    assert report["drawn"]["topic+stars+tags"]["examples"] == 12
    assert set(report["metrics"]) == {*TASKS, "mean"}
    assert all(metric in report["metrics"][task] for task, metric in TASKS.items())
    labelled = {task: report["data"][task]["train"]["labelled"] for task in ("topic", "stars")}
    assert all(0 < count < 480 for count in labelled.values()), labelled

    validated = train("validate", *SAMPLE, "--ckpt_path", "last", config=REVIEWS)
    assert read_report(validated)["metrics"].keys() == report["metrics"].keys()
    predicted = train("predict", *SAMPLE, "--ckpt_path", "last", config=REVIEWS)
    ids = {}
    for task in TASKS:
        with (predicted / "predictions" / f"{task}-dev.csv").open(encoding="utf-8", newline="") as file:
            ids[task] = [row["id"] for row in csv.DictReader(file)]
    assert ids["topic"] == ids["stars"] == ids["tags"]
    assert len(ids["topic"]) == 120  # a row is predicted whether it has a label or not
