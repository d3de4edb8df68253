# Every command sets up what it needs; nothing has to be installed by hand.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BOOTSTRAP := infra/local/bootstrap
PYTHON := .venv/bin/python
LOCAL := $(PYTHON) -m igloo_local
TESTS ?= tests

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## Start all of igloo on this machine and print its address (Ctrl-C stops it)
	@$(BOOTSTRAP) local
	@exec $(LOCAL) run

.PHONY: test
test: check ## Run every check and every test against the real parts (TESTS=path for fewer)
	@$(LOCAL) install rabbitmq chromium faketime
	@exec $(PYTHON) -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadscope --no-loadscope-reorder $(TESTS)

.PHONY: check
check: .venv-dev ## Lint, types, layer contracts, migrations and container files (no server needed)
	@.ci/check

.PHONY: bench
bench: .venv-dev ## Measure CPU per request at production settings; writes report/bench
	@PYTHONPATH=tests exec $(PYTHON) -m bench $(ARGS)

.PHONY: bench-data
bench-data: .venv-dev ## Build towns of 20,000 and of 1,000,000 posts in report/bench-data, for bench ARGS="--only growth"
	@PYTHONPATH=tests exec $(PYTHON) -m bench --only growth-data $(ARGS)

.PHONY: chaos
chaos: .venv-dev ## Kill processes under load and check that nothing acknowledged was lost; writes report/chaos
	@$(LOCAL) install rabbitmq faketime
	@PYTHONPATH=tests exec $(PYTHON) -m chaos $(ARGS)

.PHONY: fuzz
fuzz: .venv-dev ## Change good photos in bad ways, 20,000 times, and check what comes of each; writes report/fuzz
	@PYTHONPATH=tests exec $(PYTHON) -m fuzz $(ARGS)

.PHONY: seed
seed: ## Add the demo people and posts to the running stack
	@$(BOOTSTRAP) local
	@exec $(LOCAL) seed

.PHONY: migrate
migrate: ## Bring the running stack's three schemas to the newest migration
	@$(BOOTSTRAP) local
	@exec $(LOCAL) migrate

.PHONY: backup
backup: ## Back up the running stack into a new folder: make backup TO=folder
	@test -n "$(TO)" || { echo "igloo: make backup TO=folder" >&2; exit 2; }
	@$(BOOTSTRAP) local
	@exec $(LOCAL) backup "$(TO)" $(ARGS)

.PHONY: restore
restore: ## Restore a backup into an empty stack, before make run: make restore FROM=folder
	@test -n "$(FROM)" || { echo "igloo: make restore FROM=folder" >&2; exit 2; }
	@$(BOOTSTRAP) local
	@exec $(LOCAL) restore "$(FROM)"

.PHONY: openapi
openapi: .venv-dev ## Write the merged OpenAPI document that the gateway serves
	@exec $(PYTHON) -m igloo_local.openapi

.PHONY: docs
docs: .venv-dev ## Write the documents that are drawn from the code: data model and events
	@exec $(LOCAL) documents

.PHONY: clean
clean: ## Stop the local stack and remove its data, the virtual environment and all caches
	@infra/local/clean

.PHONY: format
format: .venv-dev ## Rewrite the sources as ruff formats them
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

.PHONY: lock
lock: .venv-dev ## Resolve requirements/*.in into requirements/*.txt with every hash
	@for name in common auth social media local dev; do \
	  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links "requirements/$$name.in" --output-file "requirements/$$name.txt"; \
	done
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-deps \
	  --no-emit-index-url --no-emit-find-links requirements/gateway.in --output-file requirements/gateway.txt

.PHONY: .venv-dev
.venv-dev:
	@$(BOOTSTRAP) dev
