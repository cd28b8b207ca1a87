# Everything a newcomer needs: `make demo` and `make test`. Both do all of their set-up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test bench-events bench-evidence bench-keyed bench-keyed-students bench-capability bench-ledger bench-scan bench-scan-seeds bench-scan-scale bench-detection smoke-detection bench-gateway smoke-gateway bench-watermark bench-cases bench-intel proof smoke-proof campaign-free format lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/.core ## two simulated days with two hidden campaigns, scanned; prints where the report is
	@$(BIN)/stillwatch demo --out demo-out --force

test: $(VENV)/.dev ## every check that needs no root and no service
	@sh tools/check.sh $(BIN)

bench-events: $(VENV)/.core ## measure the event store
	@$(BIN)/python benchmarks/events.py

bench-ledger: $(VENV)/.dev ## the ledger: appends, proofs and verification at a million entries, beside SQLite and pymerkle
	@$(BIN)/python -m benchmarks.ledger

bench-evidence: ## the ledger, keyed tests and cases, one after the other; docs/benchmarks/evidence.md
	@$(MAKE) --no-print-directory bench-ledger
	@$(MAKE) --no-print-directory bench-keyed
	@$(MAKE) --no-print-directory bench-cases

bench-keyed: $(VENV)/.core ## whom tests of provenance accuse, and whom keyed ones find; with PEERS=VENV the public peer, too
	@$(BIN)/python -m benchmarks.keyed $(if $(PEERS),--peer $(PEERS))
	@$(BIN)/python -m benchmarks.false_positives

bench-keyed-students: $(VENV)-proof/.proof ## keyed tests of trained students; about half an hour of one core, can be resumed
	@$(VENV)-proof/bin/python -m benchmarks.keyed_students --out out/keyed-students $(if $(PEERS),--peer $(PEERS))

bench-capability: $(VENV)-proof/.proof ## how much students take over of a teacher, for how many answers; half an hour of one core
	@$(VENV)-proof/bin/python -m benchmarks.capability_students

bench-scan: bench-scan-seeds bench-scan-scale ## measure what a scan finds, whom it accuses, its speed and memory
	@$(BIN)/python benchmarks/sketching.py
	@$(BIN)/python benchmarks/reading.py
	@$(BIN)/python benchmarks/scan_accounts.py --accounts 1000000
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/baselines.py --seeds 1000 1001

bench-scan-seeds: $(VENV)/.core ## ten reporting seeds of the demonstration, then every other preset
	@$(BIN)/python benchmarks/scan_seeds.py
	@$(BIN)/python benchmarks/scan_seeds.py --every-preset --seeds 1000

bench-scan-scale: $(VENV)/.core ## a scan of 5 and of 20 million exchanges; needs 20 GB of disk
	@mkdir -p out
	@$(BIN)/stillwatch simulate demo --seed 1000 --out out/a.parquet --labels out/a.labels.parquet
	@$(BIN)/stillwatch simulate demo --seed 1001 --out out/b.parquet --labels out/b.labels.parquet
	@$(BIN)/python benchmarks/scan_scale.py --traffic out/a.parquet out/b.parquet --work out

bench-detection: $(VENV)/.core ## the benchmark of detection: 30 cells, 20 seeds, two and a half hours on two cores; can be resumed
	@$(BIN)/stillwatch bench detection --size full --seeds 1000-1019 --out out/bench-detection

smoke-detection: $(VENV)/.core ## its small size, with the floors of recall and the promise that CI holds
	@rm -rf out/smoke-detection
	@$(BIN)/stillwatch bench detection --size smoke --seeds 1 --out out/smoke-detection --guard

bench-gateway: $(VENV)/.core ## the gateway against nginx, about ten minutes; needs nginx, wrk and a quiet machine
	@$(BIN)/python -m benchmarks.gateway

smoke-gateway: $(VENV)/.core ## that each part of it runs and every exchange is kept; needs nginx and wrk
	@$(BIN)/python -m benchmarks.gateway --quick

bench-watermark: $(VENV)/.core ## the mark: sampling, detection; with PEERS=VENV (torch) and VLLM=WHEEL others beside it
	@$(BIN)/python -m benchmarks.watermark $(if $(PEERS),--peers $(PEERS)) $(if $(VLLM),--vllm $(VLLM))

bench-cases: $(VENV)/.core ## how soon four gateways obey a verdict, cases a second
	@$(BIN)/python -m benchmarks.cases

bench-intel: $(VENV)/.dev ## sharing: TAXII, beside the clients of others; matching; two providers; private sets; overlaps
	@$(BIN)/python -m benchmarks.intel

proof: $(VENV)-proof/.proof ## the mark in students: small transformers trained on marked text; hours, can be resumed
	@$(VENV)-proof/bin/python -m benchmarks.watermark.proof --out out/proof

smoke-proof: $(VENV)-proof/.proof ## its small size, and the tests of its parts, on one core
	@$(VENV)-proof/bin/python -m pytest -q tests/lab/students/with_torch/*.py \
		tests/provenance/with_hugging_face.py tests/provenance/keyed/with_trained_students.py \
		tests/watermark/hooks/with_huggingface.py
	@rm -rf out/smoke-proof out/smoke-keyed
	@$(VENV)-proof/bin/python -m benchmarks.watermark.proof --smoke --out out/smoke-proof
	@$(VENV)-proof/bin/python -m benchmarks.keyed_students --smoke --out out/smoke-keyed
	@$(VENV)-proof/bin/python -m benchmarks.capability_students --smoke

campaign-free: $(VENV)/.core ## fifty simulated weeks without a campaign: how often the tests say otherwise; of ACCOUNTS=500
	@$(BIN)/python benchmarks/campaign_free.py --weeks 50 --accounts $(or $(ACCOUNTS),500)

format: $(VENV)/.dev ## rewrite the sources in the house style, and print the generated pages again
	@$(BIN)/ruff check --fix --quiet src tests tools benchmarks; $(BIN)/ruff format --quiet src tests tools benchmarks
	@$(BIN)/python tools/document_exchange.py > docs/exchange.md
	@$(BIN)/python tools/document_detections.py > docs/detections/index.md
	@$(BIN)/python tools/document_corpus.py

lock: ## resolve the dependencies again (needs the network)
	@sh tools/lock.sh $(PYTHON)

clean: ## remove what was built
	@rm -rf $(VENV) $(VENV)-litellm $(VENV)-proof demo-out out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find src tests tools benchmarks -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.core: requirements/core.txt pyproject.toml
	@sh tools/setup.sh $(PYTHON) $(VENV) $< --editable
	@touch $@

$(VENV)/.dev: $(VENV)/.core requirements/dev.txt
	@sh tools/setup.sh $(PYTHON) $(VENV) requirements/dev.txt
	@touch $@

$(VENV)-proof/.proof: requirements/core.txt requirements/proof.txt pyproject.toml
	@sh tools/setup.sh $(PYTHON) $(VENV)-proof requirements/core.txt --editable
	@sh tools/setup.sh $(PYTHON) $(VENV)-proof requirements/proof.txt
	@touch $@
