"""The command line of further masked-LM pre-training: pretrain.py."""

import lightning.pytorch as L
from lightning.pytorch.cli import LightningArgumentParser

from callbacks import ExportBackbone, RunReport, TaskLosses
from cli.tandem import TandemCLI
from tasks import Task


class PretrainCLI(TandemCLI):
    """Further masked-LM pre-training of a BERT backbone."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add `--tasks`, whose train texts are read, and `--export_dir`."""
        super().add_arguments_to_parser(parser)
        parser.add_argument("--tasks", type=dict[str, Task] | None, help="The tasks whose train texts are read.")
        parser.link_arguments("tasks", "data.tasks")
        parser.link_arguments("model.backbone", "data.tokenizer")
        parser.add_argument(
            "--export_dir", type=str | None, help="Folder for the result; `backbone` in the run's folder."
        )

    def own_callbacks(self) -> list[L.Callback]:
        """Return the callbacks of every pre-training run."""
        own = [*super().own_callbacks(), TaskLosses(), RunReport()]
        if self.subcommand != "fit":
            return own
        return [*own, ExportBackbone(self.built["export_dir"])]
