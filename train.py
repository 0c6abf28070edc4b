"""Train, validate, test and predict: `python train.py fit -c configs/quickstart.yaml`; see README.md."""

from cli import MultitaskCLI, run
from datamodules import MultitaskDataModule
from lightning_modules import MultitaskModule

if __name__ == "__main__":
    run(MultitaskCLI, MultitaskModule, MultitaskDataModule)
