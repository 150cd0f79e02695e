# Everything that is run on this project, by name; `make help` lists it. Nothing here needs more than Python 3.11 or
# newer, make, and a network the first time.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench soak mutants clean

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SECONDS_SHOWN := 30

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target words; do \
	  printf '%-14s %s\n' "$$target" "$$words"; done

# One environment for all of it, in the checkout; made anew when what the project needs has changed.
$(READY): pyproject.toml
	@python=; \
	for name in python3 python3.13 python3.12 python3.11 python; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "mainspring needs Python 3.11 or newer, and there is none on the PATH:" >&2; \
	  for name in python3 python; do command -v $$name >/dev/null 2>&1 && echo "  $$name is $$($$name --version 2>&1)" >&2; done; \
	  echo "Install one (https://www.python.org/downloads/), or put its directory on the PATH, and say make again." >&2; \
	  exit 1; \
	fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	  echo "Making $(VENV) with $$($$python --version), for this checkout only."; \
	  rm -rf $(VENV); \
	  if ! $$python -m venv $(VENV); then \
	    rm -rf $(VENV); \
	    echo "$$python can't make environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
	    exit 1; \
	  fi; \
	fi; \
	echo "Installing what the project and its tests need into $(VENV). This takes a minute, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@{ $(BIN)/python -m pip install --disable-pip-version-check --editable . --group dev || touch $(VENV)/.failed; } | \
	  awk '/^Collecting / { print "  " $$2; fflush() }'
	@if [ -e $(VENV)/.failed ]; then rm $(VENV)/.failed; exit 1; fi
	@touch $@

demo: $(READY) ## run a scheduler for half a minute and watch it
	@$(BIN)/python -m examples.demo --seconds $(SECONDS_SHOWN)

test: $(READY) ## run the tests
	@scripts/install_servers.sh
	@scripts/install_apschedulers.sh & scripts/install_original_tests.sh & scripts/install_other_schedulers.sh; wait
	@$(BIN)/python -m pytest -n 4 --dist loadgroup # the tests wait more than they compute

lint: $(READY) ## check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## measure speed, beside APScheduler's
	@scripts/install_servers.sh
	@$(BIN)/python -m benchmarks.scheduler
	@$(BIN)/python -m benchmarks.loops
	@$(BIN)/python -m benchmarks.stores
	@$(BIN)/python -m benchmarks.triggers

soak: $(READY) ## run the slow proofs
	@scripts/install_servers.sh
	@$(BIN)/python -m pytest -m soak

MUTANTS := 300
SEED := 1
OF := engine
mutants: $(READY) ## see how many small changes of the code no test notices
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group mutants
	@$(BIN)/python scripts/mutants.py --of $(OF) --count $(MUTANTS) --seed $(SEED)

clean: ## remove what the other targets have made
	rm -rf $(VENV) .bench-venv .mongodb-venv .apscheduler-venvs .other-schedulers-venvs .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
