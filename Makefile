# Khaos Swap. `make help` says what there is.

PYTHON ?= python3
PORT ?= 3000
RETURNS ?= 500
SEED ?= 1
TESTS ?=

BIN := .venv/bin
READY := .venv/.ready
DEMO := .khaos-swap-demo
OLD := Khaos Swap needs Python 3.11 or newer, and $(PYTHON) is not: name one, e.g. make PYTHON=python3.12
BUSY := the demo in $(DEMO) is running, and nothing was removed: stop it with Ctrl-C in its terminal, then make clean again

# Every process of the demo and of the tests would compile all sources again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-once test coverage prove bench lint docs clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## /\1	/' | expand -t 12

setup: $(READY) ## Set up .venv from the locked requirements

demo: $(READY) ## Show it all on invented data, with the UI; PORT=3001 moves the UI, Ctrl-C ends it
	@$(BIN)/khaos-swap demo --port $(PORT)

demo-once: $(READY) ## Play one month without the UI and print the figures; RETURNS=500 SEED=1
	@$(BIN)/khaos-swap demo --once --returns $(RETURNS) --seed $(SEED)

test: $(READY) ## Run all tests; TESTS=path runs some
	@$(BIN)/pytest -q -n 4 --dist worksteal $(TESTS)

coverage: $(READY) ## Run all tests and show what they do not reach
	@$(BIN)/pytest -q -n 4 --dist worksteal --cov --cov-report=term:skip-covered $(TESTS)

prove: $(READY) ## Run the proofs at full size (long) and write one JSON
	@$(BIN)/python -m khaos_swap_assets_tests.prove

bench: $(READY) ## Run the benchmarks, one JSON line each
	@$(BIN)/python benchmarks/run.py

lint: $(READY) ## Check style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

docs: $(READY) ## Write the pages that are made from the code
	@$(BIN)/python -m khaos_swap_assets_tests.generated_docs

clean: ## Remove the demo's data and everything that the tools left
	@for lock in supervisor.lock postgres.lock; do \
		[ ! -e $(DEMO)/$$lock ] || flock --nonblock $(DEMO)/$$lock true || { echo '$(BUSY)' >&2; exit 1; }; done
	@rm -rf $(DEMO) build *.egg-info .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo '$(OLD)' >&2; exit 1; }
	@echo 'setting up .venv (once)'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)
