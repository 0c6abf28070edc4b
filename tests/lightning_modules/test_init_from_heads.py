from typing import Any


def test_heads_that_are_no_task_of_the_new_training_are_told(whole_run: Any, tiny_project: Any) -> None:
    old = whole_run(trainer__max_epochs=1)
    project = tiny_project(tasks={"sst": "Sst", "fourth": "Sts"}, trainer__max_epochs=1)

    ended = project.run("--model.init_from", str(old.version(0)))

    assert ended.code == 0, ended.output
    said = " ".join(ended.output.split())
    assert "heads of sst; new heads: fourth; left behind, since they are no tasks here: quora, sts" in said
