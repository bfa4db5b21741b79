# Every verb sets up what it needs, in .venv; a second call is quick.
PYTHON ?= python3
SERVICE ?= pypi
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Quiet tools and no telemetry, also for the child processes of a verb.
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false

.DEFAULT_GOAL := help
.PHONY: help run up test test-quick lint bench bench-audit bench-pages bench-peers load load-review torture audit-deps sbom setup lock clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.base ## one batch over sample_reports/, then the review queue
	@$(BIN)/spinetriage user sample
	@$(BIN)/spinetriage run
	@$(BIN)/spinetriage queue

up: .venv/.base ## the long-running form: Prefect server, schedules, review pages
	@$(BIN)/spinetriage up

test: .venv/.dev ## the whole suite, on SQLite and its database part again on PostgreSQL
	@$(BIN)/python -m pytest -n 2
	@$(BIN)/python -m pytest -n 2 -m database --database postgresql

test-quick: .venv/.dev ## what needs neither a Prefect server nor a browser
	@$(BIN)/python -m pytest -n 2 -q -m "not prefect and not browser"

lint: .venv/.dev ## ruff, mypy, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/.base ## speed of the reader, as a ratio to spaCy's bare tokenizer on the same texts
	@$(BIN)/python bench/reading.py

bench-audit: .venv/.base ## speed of `audit verify` at a million rows of the audit and 200,000 reports
	@$(BIN)/python bench/verifying.py

bench-pages: .venv/.dev ## worklist and case page at 1,000,000 reports beside 10,000, on SQLite and PostgreSQL
	@$(BIN)/python bench/worklist.py

bench-peers: .venv-peers/.done ## the same beside medspaCy and negspacy, which get an environment of their own
	@.venv-peers/bin/python bench/peers.py

load: .venv/.base ## a batch of 20,000 generated reports: time, memory, and the same batch again
	@$(BIN)/python bench/load.py

torture: .venv/.dev ## kill runs at every step of writing and at 100 random moments, on both databases: nothing lost or doubled
	@$(BIN)/python bench/torture.py
	@$(BIN)/python bench/torture.py --database postgresql

load-review: .venv/.dev ## 50 radiologists at once clear 5,000 cases on PostgreSQL; nothing lost, nothing twice
	@$(BIN)/python bench/radiologists.py

audit-deps: .venv-tools/.done ## known vulnerabilities of what requirements.lock names; SERVICE=osv asks the other service
	@.venv-tools/bin/python bench/dependencies.py audit --service $(SERVICE)

sbom: .venv-tools/.done .venv/.base ## list what requirements.lock has installed, with licences: build/sbom.cdx.json (CycloneDX)
	@.venv-tools/bin/python bench/dependencies.py sbom

setup: .venv/.base ## install what running needs

lock: .venv/.dev ## write requirements*.lock anew from pyproject.toml
	@echo pip | $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --no-header \
	  --no-emit-index-url --no-emit-find-links -o requirements-pip.lock -
	@$(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
	  --no-emit-index-url --no-emit-find-links --build-deps-for editable --extra dev -o requirements-dev.lock pyproject.toml
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	  --no-emit-index-url --no-emit-find-links --build-deps-for editable -c requirements-dev.lock -o requirements.lock pyproject.toml

clean: ## remove .venv and caches; var/ (the data) stays
	@rm -rf .venv .venv-peers .venv-tools build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "spinetriage needs Python 3.11 or newer; '$(PYTHON)' was not found. Install it, or name one: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("spinetriage needs Python 3.11 or newer; %s is %d.%d. Name another: make PYTHON=python3.11" % (sys.executable, v[0], v[1]))'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "This Python lacks venv and pip: install them (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv .venv

# The stamps are written last: an interrupted set-up starts again.
.venv/.base: requirements-pip.lock requirements.lock pyproject.toml | .venv/bin/python
	@echo "Setting up .venv (about 700 MB, once) ..."
	@$(PIP) install --require-hashes -r requirements-pip.lock # an older pip overlooks pins of packages with extras
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.base
	@echo "Adding the test tools ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

.venv-peers/.done: bench/requirements-peers.txt | .venv/bin/python
	@echo "Setting up .venv-peers (about 300 MB, once) ..."
	@.venv/bin/python -m venv .venv-peers
	@.venv-peers/bin/python -m pip --disable-pip-version-check --quiet install -r bench/requirements-peers.txt
	@touch $@

.venv-tools/.done: bench/requirements-tools.txt | .venv/bin/python
	@echo "Setting up .venv-tools (about 100 MB, once) ..."
	@.venv/bin/python -m venv .venv-tools
	@.venv-tools/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r bench/requirements-tools.txt
	@touch $@
