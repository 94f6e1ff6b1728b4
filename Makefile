# Each target does its own set-up; `make` alone lists them. ARGS goes to the program: make test ARGS="-k wire"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Compiled modules are kept, also where a machine says otherwise: the tests start hundreds of processes.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
ARGS :=

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready ## the environment for development, in .venv

serve: .venv/.serves ## serve fixtures/ on port 8790
	$(BIN)/python -m cfmock serve fixtures $(ARGS)

test: .venv/.ready .venvs/.sdks ## run the tests, in random order
	$(BIN)/python -m pytest -n 3 --dist loadgroup $(ARGS)

test-all: .venvs/.sdks ## try wheel and sdist and run the tests on each Python 3.10 to 3.14 of this machine
	.ci/test-all $(ARGS)

check: .venv/.ready .venvs/.console ## lint, formatting, types, spelling; writes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell
	@[ -e .venvs/.console ] || echo "skipped: types of the console's modules"
	[ ! -e .venvs/.console ] || .venvs/console/node_modules/.bin/tsc -p tests/e2e/console

format: .venv/.ready ## format the code and mend what can be mended
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

tables: .venv/.ready ## write operations.json and names.py after a change to operations.yaml
	$(BIN)/python .ci/tables.py

docs: .venv/.ready ## write tables and pictures into README and docs/
	$(BIN)/python -m tests.support.docs
	$(BIN)/python -m tests.support.console_pictures

clients: .venv/.ready .venvs/.sdks ## measure what the vendor's SDKs do about each error and how they sign, for docs/clients.md; takes minutes
	$(BIN)/python -m tests.support.clients $(ARGS)
	$(BIN)/python -m tests.support.client_answers $(ARGS)
	$(BIN)/python -m tests.e2e.signatures
	$(BIN)/python -m tests.support.docs

bench: .venv/.ready ## measure against the limits in tests/benchmarks
	$(BIN)/python tests/benchmarks/bench.py $(ARGS)

fuzz: .venv/.ready .venvs/fuzz/.ready ## feed hostile inputs to the parsers and a server, for a minute
	$(BIN)/python -m tests.fuzz $(ARGS)

crash: .venv/.ready ## kill servers that keep state, for minutes: is anything lost?
	$(BIN)/python -m tests.crash $(ARGS)
	$(BIN)/python -m tests.crash_replicas

soak: .venv/.ready .venvs/.sdks ## ten minutes of the vendor's SDKs, faults and reloads: is memory flat, is nothing lost?
	$(BIN)/python tests/benchmarks/soak.py $(ARGS)

binary: .venvs/binary/.ready ## build dist/cfmock, which needs no Python, and try it
	.venvs/binary/bin/python .ci/binary.py
	.ci/smoke-test dist/cfmock

clean: ## remove environments, caches and what was built
	rm -rf .venv .venvs tests/e2e/node/node_modules build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup serve test test-all check format tables docs clients bench fuzz crash soak binary clean

# Installed as it stands here (-e), so an environment is stale only when what it should hold has changed.
.venv/.serves: pyproject.toml
	.ci/environment .venv -- -e .
	@touch $@

.venv/.ready: pyproject.toml
	.ci/environment .venv -- -e '.[all]' --group test --group lint
	@touch $@ .venv/.serves

.venvs/binary/.ready: pyproject.toml
	.ci/environment .venvs/binary -- -e '.[all]' --group binary
	@touch $@

# atheris has wheels for few systems: where there is none, hypothesis fuzzes alone.
.venvs/fuzz/.ready: pyproject.toml
	@.ci/environment .venvs/fuzz -- -e '.[all]' --group fuzz --only-binary atheris || rm -rf .venvs/fuzz
	@mkdir -p $(@D) && touch $@

# TypeScript and axe-core, for the console. Where they cannot be had (no Node, no network) it is said, and tried again the next time.
.venvs/.console: tests/e2e/console/package.json | .venv/.ready
	@$(BIN)/python tests/e2e/environments.py console && touch $@ || true

# The vendor's SDKs conflict with one another, so each set has an environment of its own. One that cannot be made here
# (no network, no Node) skips its tests and is tried again the next time.
.venvs/.sdks: tests/e2e/environments.py $(wildcard tests/e2e/*/package.json) $(wildcard tests/e2e/fun/* tests/e2e/go/* tests/e2e/java/*) | .venv/.ready
	@$(BIN)/python tests/e2e/environments.py && touch $@ || true
