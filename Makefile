# The whole dev loop. Every target makes .venv itself when it is missing or older than the lock.
PYTHON ?= python3.11
PYTHON := $(shell command -v $(PYTHON) || command -v python3)
BIN := .venv/bin
# Tests mostly wait, for processes and for each other: more of them than cores go along at once.
WORKERS ?= 4
STAMP := .venv/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export VIRTUAL_ENV := $(CURDIR)/.venv

.PHONY: help install demo up test test-browser pictures check format lock bench load-test clean

help:  ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing the locked dependencies into .venv (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

install: $(STAMP)  ## make .venv

demo: $(STAMP)  ## a sandbox station, the whole graph once, a summary
	@$(BIN)/wxyc demo

up: $(STAMP)  ## the Dagster UI on that station; Ctrl-C stops all
	@$(BIN)/wxyc up

test: $(STAMP)  ## every test, on the embedded PostgreSQL and real HTTP on loopback
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

test-browser: $(STAMP)  ## the Dagster UI, clicked through in a real Chromium (installs it if it may)
	@sh tests/browser/need-chromium
	@$(BIN)/python -m pytest tests/browser

pictures: export WXYC_PICTURES := $(CURDIR)/docs/img
pictures: test-browser  ## the same, and the README's pictures of it

check: $(STAMP)  ## lint, types, import rules, definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PYTHONWARNINGS=ignore $(BIN)/dagster definitions validate -w workspace.yaml
	PYTHONWARNINGS=ignore $(BIN)/dg check defs

format: $(STAMP)  ## rewrite the code in the one style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:  ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --no-strip-extras --quiet --output-file requirements.lock
	uv pip compile pyproject.toml deploy/requirements.in --constraint requirements.lock --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras --quiet \
	  --output-file deploy/requirements.lock

bench: $(STAMP)  ## what is claimed of speed, measured
	@$(BIN)/python -m benchmarks.library_identity
	@$(BIN)/python -m benchmarks.album_metadata
	@$(BIN)/python -m benchmarks.flowsheet_enrichment
	@$(BIN)/python -m benchmarks.rated_usage
	@$(BIN)/python -m benchmarks.status

load-test: $(STAMP)  ## Discogs calls a minute at LML, under load, against the cap (about 8 minutes)
	@$(BIN)/python -m benchmarks.discogs_load

clean:  ## remove what make made; the station's state in WXYC_HOME stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
