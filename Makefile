# `make demo` and `make test` do all their own set-up. `make help` lists the rest.

PYTHON ?= $(firstword $(shell command -v python3.11 python3))
VENV := .venv
BIN := $(VENV)/bin
SYNCED := $(VENV)/.synced
ARGS ?=

# uv must not fetch another Python (the machine's own is tested), and trusts whom the machine trusts.
export UV_PYTHON_DOWNLOADS ?= never
export UV_SYSTEM_CERTS ?= $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),true,false)

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test lint docs bench bench-peers clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 8

setup: $(SYNCED) ## make .venv with everything that uv.lock names

# uv itself comes from the machine or, into .tools, from PyPI.
$(SYNCED): pyproject.toml uv.lock scripts/find-uv
	uv="$$(scripts/find-uv '$(PYTHON)')" && "$$uv" sync --frozen --all-extras --python '$(PYTHON)'
	@touch $@

demo: setup ## play the whole story on a private node; ARGS=--stay keeps one up, to try the pages
	$(BIN)/heliograph demo $(ARGS)

serve: setup ## start a node with its data in ./data
	$(BIN)/heliograph serve $(ARGS)

lint: setup ## rules of style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: lint ## lint, then every test
	scripts/install-chromium
	$(BIN)/pytest $(ARGS)

docs: setup ## make the reference pages again from the code
	$(BIN)/python scripts/reference_pages.py

bench: setup ## measure one node on this machine
	$(BIN)/python benchmarks/run.py $(ARGS)

bench-peers: setup ## measure beside Prosody and ejabberd (Debian's packages, as root)
	$(BIN)/python benchmarks/peers.py $(ARGS)

clean: ## remove what the targets above have made, but not ./data
	rm -rf $(VENV) .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
