# The whole dev loop. Every target makes .venv itself when it is missing or older than the lock.
PYTHON ?= python3.11
PYTHON := $(shell command -v $(PYTHON) || command -v python3)
BIN := .venv/bin
# Tests mostly wait, for processes and for each other, so more workers than cores are faster.
WORKERS ?= 4
STAMP := .venv/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export VIRTUAL_ENV := $(CURDIR)/.venv

.PHONY: help install demo up test test-postgres test-browser test-pooler test-proxy pictures coverage check format lock mutate simulate simulate-soak bench load-test clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing the locked dependencies into .venv (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

install: $(STAMP)  ## make .venv

demo: $(STAMP)  ## make a sandbox station, run the whole graph once, sum up
	@$(BIN)/wxyc demo

up: $(STAMP)  ## start the Dagster UI on that station; Ctrl-C stops all
	@$(BIN)/wxyc up

test: $(STAMP)  ## run every test, on the embedded PostgreSQL and real HTTP on loopback
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

VERSION ?= 14
TESTS ?=
test-postgres: $(STAMP)  ## run the tests that use a database on PostgreSQL 14 (VERSION=14 to 17; TESTS=FOLDER; Linux on x86_64)
	@sh tests/need-npm
	@$(BIN)/python -m tests.server_of_version $(VERSION) --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

coverage: $(STAMP)  ## the tests again, then the lines and branches that they do not execute
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term
	@rm -f .coverage.*

test-browser: $(STAMP)  ## click through the Dagster UI in a real Chromium (installs it if it may)
	@sh tests/browser/need-chromium
	@$(BIN)/python -m pytest tests/browser

test-pooler: $(STAMP)  ## run commands and an asset behind a real pgbouncer (installs it if it may)
	@sh tests/pooler/need-pgbouncer
	@$(BIN)/python -m pytest tests/pooler

test-proxy: $(STAMP)  ## reach the services' UI through a real nginx, with a login and read-only (installs it if it may)
	@sh tests/services/proxy/need-nginx
	@$(BIN)/python -m pytest tests/services/proxy

pictures: export WXYC_PICTURES := $(CURDIR)/docs/img
pictures: test-browser  ## the same, and take the README's pictures of it

# The definitions are loaded once; docs/decisions/0008 says why not by `dg check defs` as well.
check: $(STAMP)  ## lint, spelling, types, import rules, definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports
	PYTHONWARNINGS=ignore $(BIN)/dagster definitions validate -w workspace.yaml

format: $(STAMP)  ## format the code and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:  ## resolve the dependencies again (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --no-strip-extras --quiet --output-file requirements.lock
	uv pip compile pyproject.toml deploy/requirements.in --constraint requirements.lock --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras --quiet \
	  --output-file deploy/requirements.lock

# These tests compute more than they wait.
mutate: WORKERS = 2
mutate: $(STAMP)  ## put each kept defect into a copy of the code, and require that its tests find it (LIST=1, ID=..., PART=3/10)
	@$(BIN)/python -m tests.mutation --workers $(WORKERS) $(if $(ID),--id $(ID)) $(if $(PART),--part $(PART)) $(if $(LIST),--list)

HOURS ?= 24
simulate: $(STAMP)  ## simulate a station's days under fixed seeds, for four minutes at most (SEED=7 HOURS=168: that seed, a week)
	@$(BIN)/python -m tests.simulation --hours $(HOURS) $(if $(SEED),--seed $(SEED),--minutes 4)

MINUTES ?= 60
simulate-soak: $(STAMP)  ## the same with new seeds, for an hour (MINUTES=10)
	@$(BIN)/python -m tests.simulation --hours $(HOURS) --new-seeds --minutes $(MINUTES)

bench: $(STAMP)  ## measure the claims about speed
	@$(BIN)/python -m benchmarks.library_identity
	@$(BIN)/python -m benchmarks.track_credits
	@$(BIN)/python -m benchmarks.album_metadata
	@$(BIN)/python -m benchmarks.flowsheet_enrichment
	@$(BIN)/python -m benchmarks.rated_usage
	@$(BIN)/python -m benchmarks.seals
	@$(BIN)/python -m benchmarks.status

load-test: $(STAMP)  ## measure the Discogs calls per minute under load, against the cap (about 8 minutes)
	@$(BIN)/python -m benchmarks.discogs_load

clean:  ## remove what make made; the station's state in WXYC_HOME stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
