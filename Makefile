# Every target sets itself up: a fresh clone needs Python 3.11 or later, make and git.
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
# READY, and another dependency group each, installed when a target first needs it.
TOOLS := $(VENV)/.check
BROWSER := $(VENV)/.browser
DOCS := $(VENV)/.docs
LOWEST := .venv-lowest
# Container images set it, and then every process compiles every module anew.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# uv needs seconds where pip needs half a minute; pip is the fallback, because it reads the indexes
# of a pip.conf, which uv ignores. pip knows dependency groups since 25.1, build constraints since 25.3.
PINNED := -c constraints.txt --build-constraint constraints.txt
install = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(PINNED) $(1) || \
	{ echo "  uv could not; trying with pip"; $(BIN)/python -m pip install --quiet "pip>=25.3" && \
	$(BIN)/python -m pip install --quiet $(PINNED) $(1); }

.PHONY: help setup generate check format test test-lowest test-sdist test-wasm \
	test-browser docs drawings demo contract contract-diff lint-openapi interop faults bench pictures mutation build \
	release-check pins clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or later is needed; set PYTHON=" >&2; exit 1; }
	@echo "Setting up $(VENV), once: an empty environment (1 of 2)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet "$$(grep '^uv==' constraints.txt)"
	@echo "  the project and what its tests need (2 of 2)"
	@$(call install,-e . --group test)
	@touch $@

$(TOOLS) $(BROWSER) $(DOCS): $(VENV)/.%: $(READY)
	@echo "  the dependency group $*"
	@$(call install,--group $*)
	@touch $@

# Start here
setup: $(TOOLS) ## Create the environment in .venv

demo: generate ## Run all operations on the emulator; LIVE=1 reads the account
	@python examples/demo.py $(if $(LIVE),--live)

test: $(READY) ## Run the tests; FULL=1 the exhaustive cases instead
	pytest -n auto --dist worksteal $(if $(FULL),-m exhaustive) $(TESTS)

check: $(TOOLS) ## Check format, lint, types, workflows, openapi.yaml and generated/
	ruff format --check .
	ruff check .
	mypy
	pyright
	openapi-spec-validator openapi.yaml
	zizmor --offline --quiet .github action.yml
	python tools/generate.py --check

format: $(READY) ## Format the code and sort its imports
	ruff check --fix-only --quiet .
	ruff format .

generate: $(READY) ## Generate the client from openapi.yaml
	@python tools/generate.py

# Test more
# What of the tests uses each declared dependency; the rest of a version's effect is the same.
USING_DEPENDENCIES := tests/unit tests/emulator tests/limiter tests/assistant \
	$(addprefix tests/contract/test_,contract_check.py emulator.py requests.py) \
	$(addprefix tests/membership/test_,apply.py lease.py reading.py) \
	$(addprefix tests/command/test_,completion.py everyday.py groups.py profiles.py streams.py tables.py)

test-lowest: $(READY) ## Test with the lowest versions that pyproject.toml declares
	@tools/lowest_versions $(LOWEST)
	PATH="$(CURDIR)/$(LOWEST)/bin:$$PATH" $(LOWEST)/bin/pytest -n auto --dist worksteal \
		$(or $(TESTS),$(USING_DEPENDENCIES))

test-sdist: $(READY) ## Test the source distribution, away from this checkout
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	python -m hatchling build -t sdist -d "$$folder"; \
	tar -xzf "$$folder"/*.tar.gz -C "$$folder"; \
	$(MAKE) -C "$$folder"/*/ test PYTHON="$(CURDIR)/$(BIN)/python" TESTS="tests/packaging tests/unit"; \
	cd "$$folder"/*/; PATH="$$PWD/$(BIN):$$PATH" pytest --collect-only -q | tail -n 1

test-browser: $(BROWSER) docs ## Test the HTML pages in Chromium
	pytest -m browser tests/browser

test-wasm: $(TOOLS) ## Test on CPython 3.14 in WebAssembly (needs Node)
	@python -m tools.test_wasm

# The OpenAPI document, and other clients
contract: $(READY) ## Test the contract; LIVE=1 on the real account, WRITE=1 writes
	$(if $(LIVE),$(if $(WRITE),CLOUDINARY_CONTRACT_WRITE=1) pytest -v -m live tests/live,pytest -n auto tests/contract)

contract-diff: $(TOOLS) ## Classify the changes for users since the release, or BASE=
	@python -m tools.contract_diff $(if $(BASE),--base $(BASE))

lint-openapi: $(TOOLS) ## Lint openapi.yaml (needs Node)
	@python -m tools.lint_openapi

interop: $(TOOLS) ## Test with other clients, servers and proxies
	pytest -m interop tests/interop tests/packaging

# Documentation
docs: $(DOCS) ## Build the site in site/: strict and offline
	@python -m tools.docs

drawings: $(READY) ## Draw the diagrams of docs/
	@python -m tools.drawings

# Figures
faults: $(READY) ## Measure the faults by operation, and write docs/faults.md
	@python -m tests.faults.matrix

bench: $(TOOLS) ## Benchmark the SDK against bare httpx and its peers
	@python benchmarks/run.py

pictures: $(BROWSER) ## Draw real runs of the command, and a report, in docs/
	@python tools/pictures.py
	@python -m tests.browser.pictures

mutation: $(READY) ## Mutate MODULE=overlay/..., and list what no test notices
	@python tools/mutation.py $(MODULE) $(TESTS)

# Release
build: $(READY) ## Build the wheel and the source distribution in dist/
	@rm -rf dist
	python -m hatchling build

release-check: $(TOOLS) ## Check that this commit can be released, or what is BUILT=1
	@nox --session release -- $(if $(BUILT),--built)

pins: $(READY) ## Resolve pyproject.toml into constraints.txt; UPGRADE=1
	@tools/pins $(if $(UPGRADE),--upgrade)

clean: ## Remove the files that the other targets created
	rm -rf $(VENV) $(LOWEST) .bench dist site .site docs/reference/commands .nox .pytest_cache .mypy_cache .ruff_cache .hypothesis node_modules mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
