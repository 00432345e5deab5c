# Every verb installs what it needs into .venv first; nothing has to be there but Python (3.11 or newer) and pip.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
MODEL ?= smollm2-135m

.PHONY: demo test lint types docs bench clean

demo: $(VENV)/.demo  ## Judge a small real language model on all four axes; that it is rejected is the demonstration
	@$(BIN)/alignsuite models pull $(MODEL)
	@mkdir -p runs
	@$(BIN)/python -m pytest suites --model=$(MODEL) --align-tier=smoke --tb=no -q -p no:cacheprovider \
		--junitxml=runs/demo.xml --align-run-file=runs/demo.jsonl; status=$$?; \
	if [ $$status -eq 1 ]; then \
		echo; echo "The gate is closed to $(MODEL): the probes above that block say why. As a demonstration, this is success."; \
		echo "JUnit: runs/demo.xml · records: runs/demo.jsonl · the same page again: $(BIN)/alignsuite report runs/demo.jsonl --show 1"; \
	elif [ $$status -eq 0 ]; then \
		echo; echo "$(MODEL) passed every probe of the smoke tier. JUnit: runs/demo.xml · records: runs/demo.jsonl"; \
	else exit $$status; fi

test: $(VENV)/.dev  ## Run the project's own tests, with coverage
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest tests -n 2 --dist=loadfile -q -p no:cacheprovider --durations=8
	@$(BIN)/coverage combine -q && $(BIN)/coverage report --fail-under=90 | tail -3

lint: $(VENV)/.dev  ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

docs: $(VENV)/.dev  ## Check the docs: links, options, and every example project in them is run
	$(BIN)/python -m pytest tests/docs -q -p no:cacheprovider

bench: $(VENV)/.dev  ## Print what the machinery costs, as figures and ratios
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/gates.py
	$(BIN)/python benchmarks/endpoint.py

clean:  ## Remove what the verbs made here; the model and the store stay in the user's cache
	rm -rf $(VENV) runs .coverage .coverage.* .mypy_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "alignsuite needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@
