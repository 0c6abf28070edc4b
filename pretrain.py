"""Further masked-LM pre-training: `python pretrain.py fit -c configs/pretrain.yaml --data.root DIR`; see README.md."""

from runtime.importing import heavy_imports

with heavy_imports():
    from cli import PretrainCLI, run
    from datamodules import MaskedLMDataModule
    from lightning_modules import MaskedLMModule
    from runtime.utf8 import use_utf8

if __name__ == "__main__":
    use_utf8()
    run(PretrainCLI, MaskedLMModule, MaskedLMDataModule)
