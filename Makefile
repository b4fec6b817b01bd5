# `make leaderboard` and `make test` are all that a new machine needs: Python 3.11+ and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MACHINE ?= here

.PHONY: leaderboard test check docs bench install dev clean

leaderboard: $(STAMP)
	$(BIN)/harness run quick

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist worksteal

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(STAMP)
	$(BIN)/python docs/reference.py

# The page also covers files of other machines, such as one with a GPU, that are put into the same folder.
bench: $(STAMP)
	mkdir -p build/benchmarks
	$(BIN)/python -m pytest tests/benchmarks --benchmark-enable --benchmark-only -n 0 \
		--benchmark-json=build/benchmarks/$(MACHINE).json
	$(BIN)/python tests/benchmarks/report.py build/benchmarks/*.json

install: $(STAMP)

dev: $(VENV)/.installed-dev

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# The torch of the constraints file is pinned: an unpinned one could pull gigabytes.
$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

$(VENV)/.installed-dev: $(STAMP)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache
