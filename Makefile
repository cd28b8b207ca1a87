# Everything a newcomer needs: `make demo` and `make test`. Both do all of their set-up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test bench-events format lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/.core ## two simulated days with two hidden campaigns, scanned; prints where the report is
	@$(BIN)/stillwatch demo --out demo-out --force

test: $(VENV)/.dev ## every check that needs no root and no service
	@sh tools/check.sh $(BIN)

bench-events: $(VENV)/.core ## measure the event store
	@$(BIN)/python benchmarks/events.py

format: $(VENV)/.dev ## rewrite the sources in the house style, and print the generated pages again
	@$(BIN)/ruff check --fix --quiet src tests tools benchmarks; $(BIN)/ruff format --quiet src tests tools benchmarks
	@$(BIN)/python tools/document_exchange.py > docs/exchange.md
	@$(BIN)/python tools/document_detections.py > docs/detections/index.md
	@$(BIN)/python tools/document_corpus.py

lock: ## resolve the dependencies again (needs the network)
	@sh tools/lock.sh $(PYTHON)

clean: ## remove what was built
	@rm -rf $(VENV) demo-out out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find src tests tools benchmarks -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.core: requirements/core.txt pyproject.toml
	@sh tools/setup.sh $(PYTHON) $(VENV) $< --editable
	@touch $@

$(VENV)/.dev: $(VENV)/.core requirements/dev.txt
	@sh tools/setup.sh $(PYTHON) $(VENV) requirements/dev.txt
	@touch $@
