# Every verb installs what it needs into .venv first; nothing has to be there but Python (3.11 or newer), pip and git.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
MODEL ?= smollm2-135m
# The versions that are installed: one set for everybody. With a VENV of its own, `PINS=` takes the newest of each and
# `PINS=constraints/lowest.txt` the oldest allowed.
PINS ?= constraints/dev.txt
INSTALL = $(BIN)/python -m pip install -q --disable-pip-version-check
RESOLVE = $(INSTALL) uv && $(BIN)/uv pip compile -q --all-extras --no-annotate pyproject.toml

# Compiled modules are kept, whatever the environment says: a session in a process of its own then starts in a third of the time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint types docs bench lock clean

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

# What takes longest begins first, so that no worker is left alone with it in the end.
LONG_FIRST = tests/quality tests/claims tests/docs tests/models tests/plugin

test: $(VENV)/.dev  ## Run the project's own tests, with coverage
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(LONG_FIRST) tests -n 2 --dist=loadfile --no-loadscope-reorder -q -p no:cacheprovider --durations=8
	@$(BIN)/coverage combine -q && $(BIN)/coverage report --fail-under=90 | tail -3

# mypy is among the hooks too, for those who let git call them; here `make types` is that one.
lint: $(VENV)/.dev  ## Every check of .pre-commit-config.yaml, over all files
	PATH="$(abspath $(BIN)):$$PATH" SKIP=mypy pre-commit run --all-files --show-diff-on-failure

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

docs: $(VENV)/.dev  ## Check the docs: links, options, and every example project in them is run
	$(BIN)/python -m pytest tests/docs -q -p no:cacheprovider

bench: $(VENV)/.dev  ## Print what the machinery costs, as figures and ratios
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/endpoint.py

lock: | $(BIN)/python  ## Renew constraints/dev.txt: the newest versions that fit together, for every Python and every extra
	$(RESOLVE) --upgrade --universal --python-version 3.11 --custom-compile-command 'make lock' -o constraints/dev.txt

constraints/lowest.txt: pyproject.toml | $(BIN)/python
	$(RESOLVE) --resolution lowest-direct --no-header -o $@

clean:  ## Remove what the verbs made here; the model and the store stay in the user's cache
	rm -rf $(VENV) runs .coverage .coverage.* .mypy_cache .ruff_cache constraints/lowest.txt

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "alignsuite needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml $(PINS) | $(BIN)/python
	$(INSTALL) $(PINS:%=-c %) -e '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml $(PINS) | $(BIN)/python
	$(INSTALL) $(PINS:%=-c %) -e '.[dev]'
	@touch $@
