# Everything that is run on this project, by name. `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench soak clean

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

# One environment for all of it, made anew when what the project needs has changed.
$(READY): pyproject.toml
	@python=; for name in python3 python3.13 python3.12 python3.11 python; do \
	  if command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then echo "Python 3.11 or newer is needed, and none was found on the PATH." >&2; exit 1; fi; \
	echo "Setting up $(VENV) with $$($$python --version); this takes a minute, once."; \
	[ -x $(BIN)/python ] || $$python -m venv $(VENV); \
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' && \
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

demo: $(READY) ## run a scheduler for half a minute and watch it
	@$(BIN)/python -m examples.demo

test: $(READY) ## run the tests
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(READY) ## style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## measure, beside APScheduler
	@$(BIN)/python -m benchmarks.scheduler

soak: $(READY) ## the slow proofs
	@$(BIN)/python -m pytest -m soak

clean: ## remove what the targets made
	rm -rf $(VENV) .bench-venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
