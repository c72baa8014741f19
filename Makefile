# Every target does its own set-up: a fresh clone needs Python 3.11 or later, make and git.
# `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The first of these that is 3.11 or later; `make PYTHON=/path/to/python` overrides it.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup generate check format test test-all demo contract contract-diff lint-openapi \
	interop faults bench mutation build pins clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or later is needed; set PYTHON=" >&2; exit 1; }
	@echo "Setting up $(VENV) (about a minute, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --no-deps -r requirements.txt
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY) ## Make the environment in .venv

generate: $(READY) ## Make generated/ from openapi.yaml
	@python tools/generate.py

check: $(READY) ## Format, lint, types, description, generated/ up to date
	ruff format --check .
	ruff check .
	mypy
	pyright
	openapi-spec-validator openapi.yaml
	python tools/generate.py --check

format: $(READY) ## Format the code and sort its imports
	ruff check --fix-only --quiet .
	ruff format .

test: $(READY) ## Run the tests
	pytest -n auto --dist worksteal

test-all: $(READY) ## Run the tests on every supported Python of this machine
	nox

demo: generate ## Show all operations on the emulator; LIVE=1 reads the real account
	@python examples/demo.py $(if $(LIVE),--live)

contract: $(READY) ## Hold requests and answers against openapi.yaml; LIVE=1 the real account's, WRITE=1 too
	$(if $(LIVE),python tools/contract_live.py $(if $(WRITE),--write),pytest -n auto tests/contract)

contract-diff: $(READY) ## Classify the changes of openapi.yaml and generated/ since the last release, or BASE=
	@python -m tools.contract_diff $(if $(BASE),--base $(BASE))

lint-openapi: $(READY) ## Lint openapi.yaml (needs Node)
	@python tools/lint_openapi.py

interop: $(READY) ## Run the SDK against Prism, and other clients against the emulator (needs Node)
	@python tools/interop.py

faults: $(READY) ## Print the table of faults by operation, measured, and write it to docs/faults.md
	@python -m tests.faults.matrix

bench: $(READY) ## Measure the SDK beside bare httpx and its peers
	@python benchmarks/run.py

mutation: $(READY) ## Mutate the modules that decide, and list what no test notices
	@python tools/mutation.py

build: $(READY) ## Build the wheel and the source distribution in dist/
	@rm -rf dist
	python -m hatchling build

pins: ## Resolve requirements.in into requirements.txt anew
	@PYTHON=$(PYTHON) tools/pins

clean: ## Remove all that the other targets made
	rm -rf $(VENV) .bench dist .nox .pytest_cache .mypy_cache .ruff_cache .hypothesis node_modules mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
