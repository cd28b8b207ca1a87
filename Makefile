# Everything a newcomer needs: `make demo` and `make test`. Both do all of their set-up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile

.DEFAULT_GOAL := help
.PHONY: help demo test format lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/.core ## two simulated days with two hidden campaigns, scanned; prints where the report is
	@$(BIN)/stillwatch demo --out demo-out --force

test: $(VENV)/.dev ## every check that needs no root and no service
	@sh tools/check.sh $(BIN)

format: $(VENV)/.dev ## rewrite the sources in the house style
	@$(BIN)/ruff check --fix --quiet src tests tools; $(BIN)/ruff format --quiet src tests tools

lock: ## resolve the dependencies again (needs the network)
	@sh tools/lock.sh $(PYTHON)

clean: ## remove what was built
	@rm -rf $(VENV) demo-out out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.core: requirements/core.txt pyproject.toml
	@sh tools/prerequisites.sh $(PYTHON)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements/core.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core requirements/dev.txt
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@
