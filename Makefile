# Everything in a virtual environment of its own; nothing outside this folder is changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_INSTALLED := $(VENV)/.run-installed
DEV_INSTALLED := $(VENV)/.dev-installed

.PHONY: demo test check fidelity bench schema clean

demo: $(RUN_INSTALLED)  ## set up and run the demo campaign: no key, no account, no network
	$(BIN)/shotlist run campaigns/demo.yaml --provider proof

test: $(DEV_INSTALLED)  ## set up and run all tests
	$(BIN)/python -m pytest

check: $(DEV_INSTALLED)  ## format, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fidelity: $(DEV_INSTALLED)  ## hold the sandbox against the hosts' own Python clients
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,fidelity]'
	$(BIN)/python -m pytest tests/fidelity

bench: $(DEV_INSTALLED)  ## the long forms, with figures
	$(BIN)/python -m pytest -m slow -s
	$(BIN)/python -m tests.bench

schema: $(RUN_INSTALLED)  ## write the JSON Schema that editors find beside the campaigns
	$(BIN)/shotlist schema > campaigns/campaign.schema.json

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUN_INSTALLED): $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(DEV_INSTALLED): $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(RUN_INSTALLED)
