"""How CS224N wants the predictions of its own tasks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HandIn:
    """The file of a task's predictions in the starter code of CS224N's default project.

    Args:
        name: The files are `<name>-dev-output.csv` and `<name>-test-output.csv`.
        header: Second column name.
        decimal_classes: Whether a class is written as `1.0`.

    Source: https://github.com/gpoesia/minbert-default-final-project, evaluation.py
    """

    name: str
    header: str
    decimal_classes: bool = False

    def file_name(self, split: str) -> str:
        """Return the name of a split's file.

        Example:
            >>> HandIn("sst", "Predicted_Sentiment").file_name("dev")
            'sst-dev-output.csv'
        """
        return f"{self.name}-{split}-output.csv"

    def format_label(self, label: str) -> str:
        """Write a label as the starter code does.

        Args:
            label: The label as the task formats it.

        Example:
            >>> HandIn("para", "Predicted_Is_Paraphrase", decimal_classes=True).format_label("1")
            '1.0'
        """
        return f"{label}.0" if self.decimal_classes else label
