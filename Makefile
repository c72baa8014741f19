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

.PHONY: help setup generate check format test test-full test-all test-lowest test-sdist test-wasm \
	test-browser docs demo contract contract-diff lint-openapi interop faults bench pictures mutation build \
	release-check pins clean

help: ## List the targets
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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

##@ Start here
setup: $(TOOLS) ## Create the environment in .venv

demo: generate ## Show all operations and the command on the emulator; LIVE=1 reads the real account
	@python examples/demo.py $(if $(LIVE),--live)

test: $(READY) ## Run the tests
	pytest -n auto --dist worksteal

check: $(TOOLS) ## Format, lint, types, OpenAPI document, generated/ up to date
	ruff format --check .
	ruff check .
	mypy
	pyright
	openapi-spec-validator openapi.yaml
	python tools/generate.py --check
	python -m tools.resources --check

format: $(READY) ## Format the code and sort its imports
	ruff check --fix-only --quiet .
	ruff format .

generate: $(READY) ## Generate generated/ from openapi.yaml, and the resources from their operations
	@python tools/generate.py
	@python -m tools.resources

##@ Test more
test-full: $(READY) ## Run the exhaustive cases that `make test` leaves out
	pytest -n auto -m exhaustive

test-lowest: $(READY) ## Run the tests with the lowest versions that pyproject.toml declares
	@tools/lowest_versions $(LOWEST)
	PATH="$(CURDIR)/$(LOWEST)/bin:$$PATH" $(LOWEST)/bin/pytest -n auto --dist worksteal

test-sdist: $(READY) ## Build the source distribution, and run its own tests away from this checkout
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	python -m hatchling build -t sdist -d "$$folder"; \
	tar -xzf "$$folder"/*.tar.gz -C "$$folder"; \
	$(MAKE) -C "$$folder"/*/ test PYTHON="$(CURDIR)/$(BIN)/python"

test-browser: $(BROWSER) docs ## Look at the HTML pages in Chromium: accessible, printable, usable without a mouse
	pytest -m browser tests/browser

test-wasm: $(TOOLS) ## Run the unit tests on CPython 3.14, compiled to WebAssembly (needs Node)
	@python -m tools.test_wasm

test-all: $(TOOLS) ## Run the tests on every supported Python of this machine
	nox

##@ The OpenAPI document, and other clients
contract: $(READY) ## Validate requests and responses against openapi.yaml; LIVE=1 on the real account, WRITE=1 writes
	$(if $(LIVE),$(if $(WRITE),CLOUDINARY_CONTRACT_WRITE=1) pytest -v -m live tests/live,pytest -n auto tests/contract)

contract-diff: $(TOOLS) ## Classify the changes for users since the last release, or BASE=
	@python -m tools.contract_diff $(if $(BASE),--base $(BASE))

lint-openapi: $(TOOLS) ## Lint openapi.yaml (needs Node)
	@python -m tools.lint_openapi

interop: $(TOOLS) ## Run the SDK against Prism and behind proxies, and other clients against the emulator
	pytest -m interop tests/interop tests/packaging

##@ Documentation
docs: $(DOCS) ## Build the site in site/: strict, offline, and each page as Markdown too
	@python -m tools.docs

##@ Figures
faults: $(READY) ## Measure the table of faults by operation, and write it to docs/faults.md
	@python -m tests.faults.matrix

bench: $(TOOLS) ## Benchmark the SDK against bare httpx and its peers
	@python benchmarks/run.py

pictures: $(BROWSER) ## Draw real runs of the command, and a report in the browser, in docs/
	@python tools/pictures.py
	@python -m tests.browser.pictures

mutation: $(READY) ## Mutate MODULE=overlay/..., and list what no test notices
	@python tools/mutation.py $(MODULE) $(TESTS)

##@ Release
build: $(READY) ## Build the wheel and the source distribution in dist/
	@rm -rf dist
	python -m hatchling build

release-check: $(TOOLS) ## Check that this commit can be released, and build it in dist/; BUILT=1 checks only what is built
	@nox --session release -- $(if $(BUILT),--built)

pins: $(READY) ## Resolve pyproject.toml into constraints.txt; UPGRADE=1 upgrades versions
	@tools/pins $(if $(UPGRADE),--upgrade)

clean: ## Remove the files that the other targets created
	rm -rf $(VENV) $(LOWEST) .bench dist site .site .nox .pytest_cache .mypy_cache .ruff_cache .hypothesis node_modules mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
