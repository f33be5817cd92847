# Two commands do it all: `make demo` runs the console on a demo world, `make test` passes the tests.
# Each makes .venv by itself from any Python >= 3.11: with uv where it is found, with pip where it is not.

SHELL := /bin/bash
VENV := .venv
RUN := $(VENV)/bin
STAMP := $(VENV)/.made-from-lock
PYTEST := $(RUN)/python -m pytest

.PHONY: demo test test-long bench lint lock tools pictures clean help

help:            ## what there is
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:  +##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 14

demo: $(STAMP)   ## the console on a lively demo world; ARGS="--as super", ARGS="--fresh"
	@$(RUN)/python -m compileall -q app screens widgets storage
	@$(RUN)/countersign demo $(ARGS)

test: $(STAMP) tools lint  ## lint, types, floors, and every test but the long ones
	$(PYTEST) -m "not long" -n auto --maxprocesses 4 --dist worksteal

test-long: $(STAMP) tools  ## the long suites: state machine, kills, concurrency, postfix
	@PATH=$$PATH:/usr/sbin .ci/need postfix
	$(PYTEST) -m long -s

bench: $(STAMP) tools      ## measure, and write docs/benchmarks.md
	$(RUN)/python -m tests.benchmarks

lint: $(STAMP)             ## ruff, mypy --strict, import floors
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports

pictures: $(STAMP)         ## the README's picture of the console
	$(RUN)/python -m tests.snapshots.picture docs/console.svg

lock:                      ## renew requirements.lock (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 --group dev pyproject.toml -o requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@.ci/make-venv $(VENV)
	@touch $@

tools:                     # what the tests need besides Python: found, or installed, never skipped
	@.ci/need tmux git chromium pgbouncer

clean:                     ## forget the environment and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .demo
