# Khaos Swap. `make help` says what there is.

PYTHON ?= python3
PORT ?= 3000
RETURNS ?= 500
SEED ?= 1
TESTS ?=
HOURS ?=
MERCHANTS ?=
EVERY ?=
MINUTES ?=

BIN := .venv/bin
RUNS := .venv/.runs
READY := .venv/.ready
DEMO := .khaos-swap-demo
OLD := Khaos Swap needs Python 3.11 or newer, and $(PYTHON) is not: name one, e.g. make PYTHON=python3.12
BUSY := the demo in $(DEMO) is running, and nothing was removed: stop it with Ctrl-C in its terminal, then make clean again

# Every process of the demo and of the tests would compile all sources again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-once quick test houses coverage prove cluster cluster-prove bench lint sbom docs clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## /\1	/' | expand -t 16

setup: $(RUNS) ## Set up .venv with what runs, from the locked requirements

demo: $(RUNS) ## Show it all on invented data, with the UI; PORT=3001 moves the UI, Ctrl-C ends it
	@$(BIN)/khaos-swap demo --port $(PORT)

demo-once: $(RUNS) ## Play one month without the UI and print the figures; RETURNS=500 SEED=1
	@$(BIN)/khaos-swap demo --once --returns $(RETURNS) --seed $(SEED)

test: $(READY) ## Run all tests but those of make houses; TESTS=path runs some, whichever they are
	@$(BIN)/pytest -q -n 3 --dist worksteal $(or $(TESTS),-m 'not house and not long and not browser and not alone')

houses: $(READY) ## Run the rest: whole houses, runs of Dagster, kills, many seeds, pages in a browser (minutes)
	@$(BIN)/pytest -q -n 3 --dist worksteal -m 'house or long or browser'
	@$(BIN)/pytest -q -m alone khaos_swap_assets_tests/test_cluster.py

quick: $(READY) ## The inner loop: style, house rules and the pure rules, in seconds
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/pytest -q -n 2 $(addprefix khaos_swap_assets_tests/,domain test_floors.py test_house.py)

coverage: $(READY) ## Run all tests, houses too, and show what they do not reach
	@$(BIN)/pytest -q -n 3 --dist worksteal --cov --cov-report=term:skip-covered $(or $(TESTS),-m 'not alone')

prove: $(READY) ## Run the proofs at full size (long) and write one JSON; HOURS=2 soaks longer
	@HOURS=$(HOURS) $(BIN)/python -m khaos_swap_assets_tests.prove

cluster: $(READY) ## Start a house of many merchants on nine machines, as namespaces (root); MERCHANTS=6 RETURNS=500
	@MERCHANTS=$(MERCHANTS) RETURNS=$(RETURNS) EVERY=$(EVERY) MINUTES=$(MINUTES) $(BIN)/python -m khaos_swap_assets_tests.cluster

cluster-prove: $(READY) ## Strike it, measure it, and let one merchant's Khaos die (root, half an hour); RETURNS=2000 is full
	@MERCHANTS=$(MERCHANTS) RETURNS=$(RETURNS) EVERY=$(EVERY) MINUTES=$(MINUTES) $(BIN)/python -m khaos_swap_assets_tests.prove \
		cluster cluster_pace cluster_apart

bench: $(READY) ## Run the benchmarks, one JSON line each
	@$(BIN)/python benchmarks/run.py

lint: $(READY) ## Check style, format, types and what is known to be unsafe
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/bandit --quiet --recursive khaos_swap_assets --configfile pyproject.toml

sbom: $(READY) ## Write sbom.json: what the image holds (CycloneDX)
	@$(BIN)/python -W ignore -m cyclonedx_py requirements requirements/image.txt --pyproject pyproject.toml \
		--output-reproducible --output-file sbom.json
	@echo 'sbom.json is written'

docs: $(READY) ## Write the pages that are made from the code
	@$(BIN)/python -m khaos_swap_assets_tests.generated_docs

clean: ## Remove the demo's data and everything that the tools left
	@for lock in supervisor.lock postgres.lock; do \
		[ ! -e $(DEMO)/$$lock ] || flock --nonblock $(DEMO)/$$lock true || { echo '$(BUSY)' >&2; exit 1; }; done
	@rm -rf $(DEMO) build sbom.json *.egg-info .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

$(RUNS): requirements/build.txt requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo '$(OLD)' >&2; exit 1; }
	@echo 'setting up .venv (once): what runs; the test tools come with make test'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python requirements/install.py $(BIN)/python requirements/build.txt requirements/run.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $(RUNS)

$(READY): $(RUNS) requirements/dev.txt requirements/celery.txt
	@echo 'adding the test tools to .venv (once)'
	@$(BIN)/python requirements/install.py $(BIN)/python requirements/dev.txt requirements/celery.txt
	@touch $(READY)
