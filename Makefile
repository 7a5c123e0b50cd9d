# Two commands do all the set-up: `make demo` and `make test`. `make help` lists the rest.

PYTHON ?= python3
DEMO ?= demo
PYTEST_WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
# The stamps say what was installed here, and from which pyproject.toml; an environment without them is filled in place.
CORE := $(VENV)/.cellsynth-core
DEV := $(VENV)/.cellsynth-dev
FAST := not slow and not gpu and not network and not external

export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-slow check format clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(CORE) ## Run the main job on the images that the package carries, into ./demo (DEMO=folder for another)
	$(BIN)/cellsynth demo "$(DEMO)" --resume
	@echo "Report: $(abspath $(DEMO))/report.html"

test: check ## Install the development tools, run all checks and the fast tests
	$(BIN)/python -m pytest -m "$(FAST)" -n $(PYTEST_WORKERS)

test-slow: $(DEV) ## Run the tests that take longer or read the development data
	$(BIN)/python -m pytest -m "slow and not gpu and not network and not external" -n $(PYTEST_WORKERS)

check: $(DEV) ## Lint, format, types, direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(DEV) ## Format the code and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove the environment, the demo, and everything that can be made again
	rm -rf $(VENV) demo build dist .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks proofs -name __pycache__ -type d -prune -exec rm -rf {} +

$(CORE): pyproject.toml
	@$(call make_venv)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

# The development install holds the core as well, so it leaves both stamps.
$(DEV): pyproject.toml
	@$(call make_venv)
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $(CORE) $@

define make_venv
set -e; \
is_new='import sys; sys.exit(sys.version_info < (3, 11))'; \
if [ ! -x $(BIN)/python ]; then \
  command -v "$(PYTHON)" > /dev/null || { \
    echo "make: no '$(PYTHON)' here; install Python 3.11 or newer, or name one: make demo PYTHON=/path/to/python3" >&2; exit 1; }; \
  "$(PYTHON)" -c "$$is_new" || { \
    echo "make: $(PYTHON) is $$("$(PYTHON)" --version 2>&1), cellsynth needs Python 3.11 or newer;" \
      "name one: make demo PYTHON=/path/to/python3.11" >&2; exit 1; }; \
  echo "Making $(VENV)"; \
  "$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
    echo "make: could not make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; \
fi; \
$(BIN)/python -c "$$is_new" || { \
  echo "make: $(VENV) holds $$($(BIN)/python --version 2>&1), cellsynth needs Python 3.11 or newer; remove it: make clean" >&2; \
  exit 1; }; \
$(BIN)/python -m pip --version > /dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade > /dev/null; \
echo "Installing into $(VENV), which takes about a minute"
endef
