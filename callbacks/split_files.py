"""Which rows of one file were trained on and which were not, in the run folder."""

import csv
import io
from collections.abc import Mapping

import lightning.pytorch as L

from callbacks.run_folder import run_folder
from datamodules import TokenStore, multitask_data
from datamodules.generated_rows import file_ids
from runtime.whole_files import replacing


class SplitFiles(L.Callback):
    """Writes `splits/<task>.csv` with the id and the split of each example of a task whose source is one file.

    Only examples that were read are in it: rows that a limit or `broken_rows: skip` leaves out are in no split. Without
    an id column, the id is the number of the row in the file, from 0.
    """

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the files; those of a resumed training are equal."""
        folder = run_folder(trainer)
        if folder is None or not trainer.is_global_zero:
            return
        stores = multitask_data(trainer).stores
        for name, store in stores["train"].items():
            if "split" in store.source:
                with replacing(folder / "splits" / f"{name}.csv") as file:
                    file.write(_list_ids({split: stores[split][name] for split in ("train", "dev")}))


def _list_ids(stores: Mapping[str, TokenStore]) -> bytes:
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["id", "split"])
    for split, store in stores.items():
        rows.writerows([name, split] for name in file_ids(store))
    return text.getvalue().encode()
