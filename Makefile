# `make demo` and `make test` do all their own set-up. `make help` lists the rest.

PYTHON ?= $(firstword $(shell command -v python3.11 python3))
VENV := .venv
BIN := $(VENV)/bin
SYNCED := $(VENV)/.synced
WEB_SYNCED := web/node_modules/.synced
WEB_BUILT := src/heliograph/server/static/sdk/heliograph.js
WEB_SOURCES := web/build.mjs $(shell find web/sdk web/pages web/tsconfig.json web/tsconfig.types.json -type f)
FOREIGN_SYNCED := tests/foreign/node_modules/.synced
ARGS ?=

# uv must not fetch another Python (the machine's own is tested), and trusts whom the machine trusts.
export UV_PYTHON_DOWNLOADS ?= never
export UV_SYSTEM_CERTS ?= $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),true,false)

.DEFAULT_GOAL := help
.PHONY: help setup web demo serve test test-cluster cluster lint foreign conformance docs screens bench bench-peers bench-growth bench-guard clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 8

setup: $(SYNCED) web ## make .venv with everything that uv.lock names, and build web/

# uv itself comes from the machine or, into .tools, from PyPI.
$(SYNCED): pyproject.toml uv.lock scripts/find-uv
	uv="$$(scripts/find-uv '$(PYTHON)')" && "$$uv" sync --frozen --all-extras --python '$(PYTHON)'
	@touch $@

# Without Node a node serves no pages, and all else works.
web: ## build the browser SDK and the pages into the package
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(WEB_BUILT); \
	else echo "npm is not here (Node 20 or newer): the browser SDK and the pages are not built"; fi

$(WEB_SYNCED): web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(WEB_BUILT): $(WEB_SYNCED) $(WEB_SOURCES)
	cd web && node build.mjs
	@touch $@

demo: setup ## play the whole story on a private node; at a terminal it stays up, to try the pages
	$(BIN)/heliograph demo $(ARGS)

serve: setup ## start a node with its data in ./data
	$(BIN)/heliograph serve $(ARGS)

lint: setup ## rules of style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	cd web && npm run --silent check && npm run --silent size

test: lint ## lint, then every test
	cd web && npm run --silent test
	scripts/install-chromium
	scripts/install-ejabberd
	scripts/install-databases
	@$(MAKE) --no-print-directory foreign
	$(BIN)/pytest $(ARGS)

test-cluster: setup ## what is past one machine: both engines do the same, ejabberd and nodes may fail; then the table of `make cluster`
	scripts/install-ejabberd
	scripts/install-databases
	$(BIN)/pytest -v tests/behaviour tests/ejabberd tests/cluster -m "cluster or not cluster" $(ARGS)
	$(BIN)/python scripts/cluster.py

cluster: setup ## a whole installation on this machine: two ejabberd, two nodes, haproxy; each part is killed in turn
	scripts/install-ejabberd
	scripts/install-databases
	$(BIN)/python scripts/cluster.py $(ARGS)

foreign: ## install the XMPP clients of other makes that the tests run against a node
	scripts/install-xmpp-clients
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(FOREIGN_SYNCED); \
	else echo "npm is not here (Node 20 or newer): the clients from npm will be skipped"; fi

$(FOREIGN_SYNCED): tests/foreign/package-lock.json
	cd tests/foreign && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

conformance: setup ## play every conversation with the XMPP server, and list what they show
	$(BIN)/pytest tests/conformance $(ARGS)

docs: setup ## make the reference pages and the types of the browser SDK again from the code
	$(BIN)/python scripts/reference_pages.py
	$(BIN)/python scripts/xmpp_pages.py
	$(BIN)/python scripts/cli_page.py
	$(BIN)/python scripts/sdk_types.py

screens: setup ## take the pictures in docs/screens again
	scripts/install-chromium
	@$(MAKE) --no-print-directory foreign
	HELIOGRAPH_SCREENS=1 $(BIN)/pytest tests/browser/test_every_state.py tests/foreign

bench: setup ## measure one node on this machine
	$(BIN)/python benchmarks/run.py $(ARGS)

bench-peers: setup ## measure beside Prosody and ejabberd (Debian's packages, as root)
	$(BIN)/python benchmarks/peers.py $(ARGS)

bench-growth: setup ## measure one node by what is stored, watched and connected
	$(BIN)/python benchmarks/growth.py $(ARGS)

bench-guard: setup ## compare the cost of the hot paths with what is on record
	$(BIN)/python benchmarks/guard.py $(ARGS)

clean: ## remove what the targets above have made, but not ./data
	rm -rf $(VENV) .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis dist web/dist web/node_modules tests/foreign/node_modules src/heliograph/server/static
