"""Train, validate, test and predict: `python train.py fit -c configs/quickstart.yaml`; see README.md."""

from runtime.importing import heavy_imports

with heavy_imports():
    from cli import MultitaskCLI, run
    from datamodules import MultitaskDataModule
    from lightning_modules import MultitaskModule
    from runtime.utf8 import use_utf8

if __name__ == "__main__":
    use_utf8()
    run(MultitaskCLI, MultitaskModule, MultitaskDataModule)
