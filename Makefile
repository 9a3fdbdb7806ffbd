# `make demo` and `make test` work on a fresh clone with Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV ?= .venv
DEMO ?= demo
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# as many processes as cores; a file's tests stay together, for they share what takes long to make
SPREAD ?= --numprocesses auto --dist loadfile

.DEFAULT_GOAL := demo
.PHONY: demo test test-models test-slow soak check check-build format bench docs constraints wheel clean

demo: $(VENV)/.run   ## reframe the bundled photos and write pictures to look at into demo/
	$(BIN)/smart-resize run docs/photos --aspect 16:9,9:16,1:1,8:1 \
		--output $(DEMO) --contact-sheet $(DEMO)/index.html
	$(BIN)/smart-resize plan docs/photos --aspect 16:9,9:16,1:1,8:1 \
		--overlay $(DEMO)/plans >$(DEMO)/plans.txt
	@echo "Look at $(DEMO)/index.html, or at $(DEMO)/index.png"

test: $(VENV)/.test   ## everything that needs no GPU and no weights
	$(BIN)/python -m pytest $(SPREAD)

test-models: $(VENV)/.models   ## the rooms that need torch, on tiny models
	$(BIN)/python -m pytest $(SPREAD) tests/pipelines/models

test-slow: $(VENV)/.test   ## workers and databases that are killed, filled and frozen
	$(BIN)/python -m pytest $(SPREAD) -m slow

soak: $(VENV)/.test   ## a thousand kills, a hundred thousand requests; hours
	$(BIN)/python -m benchmarks.kills --kills 1000
	$(BIN)/python -m benchmarks.requests --cases 100000

check-build: $(VENV)/.test   ## the container's build steps in a clean environment; minutes
	$(BIN)/python -m pytest tests/house/check_build.py

check: $(VENV)/.dev   ## formatting, lint, floors and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

format: $(VENV)/.dev   ## let ruff format and fix what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.test   ## ratios measured on this machine
	$(BIN)/python -m benchmarks.plan
	$(BIN)/python -m benchmarks.png
	$(BIN)/python -m benchmarks.sizes

docs: $(VENV)/.test   ## write the pages that are made from the code
	$(BIN)/python -m docs.generate

constraints: $(VENV)/.dev   ## write down the versions that are installed now
	(head -1 constraints.txt; $(BIN)/python -m pip freeze --all --exclude-editable \
		--exclude setuptools | sed 's/+cpu$$//') >constraints.new
	mv constraints.new constraints.txt

wheel: $(VENV)/.run   ## a wheel to carry elsewhere, into dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:   ## forget the environment and everything built
	rm -rf $(VENV) build dist demo *.egg-info

# The environment grows in steps, each remembered by a stamp.
$(VENV)/.pip: constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	touch $@

$(VENV)/.run: $(VENV)/.pip pyproject.toml
	$(PIP) --editable .
	touch $@

$(VENV)/.test: $(VENV)/.run
	$(PIP) --group test
	touch $@

$(VENV)/.models: $(VENV)/.test
	$(PIP) --editable '.[cuda]'
	touch $@

$(VENV)/.dev: $(VENV)/.models
	$(PIP) --group dev
	touch $@
