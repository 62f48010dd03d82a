# Two commands on a fresh machine: `make serve` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FRONTEND := hatch_build.py $(shell find src/kg/web/frontend -name node_modules -prune -o -type f -print)

.PHONY: serve test quick format clean

serve: $(VENV)/serve.stamp
	$(BIN)/kg serve $(ARGS)

test: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python hatch_build.py check
	failed=0; $(BIN)/pytest -m browser || failed=1; $(BIN)/pytest -m alone || failed=1; \
	$(BIN)/pytest -n 2 --dist loadfile || failed=1; exit $$failed

# All but the slow suites.
quick: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not slow and not browser and not alone"

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/kg format graph/*.ttl graph/sources/*.trig

clean:
	rm -rf $(VENV) build dist

# The checkout itself is installed (-e), so that changed files are served without installing again;
# the front end is built by it, so it is installed again when that changes.
$(VENV)/serve.stamp: pyproject.toml constraints.txt $(FRONTEND)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt -e .
	touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt $(FRONTEND)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt -e '.[dev]'
	touch $@
