# Two commands from a bare clone: make demo, make test. Each sets up what it needs, once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS_READY := $(VENV)/.ready-docs

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start programs by the hundred: without it, each of them compiles our sources anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-slow test-gpu test-lava-own mutants docs lint setup clean

demo: setup
	$(BIN)/arlif demo

test: setup
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart=0 -rsfE

test-slow: setup
	$(BIN)/pytest -m slow

# Kernels, integer engine and speed on a GPU; says so where there is none.
test-gpu: setup
	$(BIN)/python tests/scripts/gpu_session.py

# Lava's own unit tests, which its wheels carry, under arlif's import hook.
test-lava-own: setup
	$(BIN)/python tests/scripts/lava_own.py -n auto --ignore=tests/lava/tutorials

# Faults of one line: how many of a sample do tests see? Half an hour on two cores.
mutants: setup
	PYTHONPATH=tests $(BIN)/python -m scripts.mutants

# The pages as a site, notebooks executed, every link checked: build/site/index.html. Where there is a
# chromium, it looks at every page as on a telephone and on a desk.
docs: setup $(DOCS_READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	PYTHONPATH=tests $(BIN)/python -m scripts.site_in_browser build/site

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

setup: $(READY)

# requirements.lock pins every version; what stands behind --no-deps asks for versions or for
# a torchvision that this environment does without. Editable in compat mode, whose path comes first: by
# setuptools' finder a script beside the clone would take the folder itself for the package arlif.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "arlif needs Python 3.11 or newer; give one with: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --quiet --constraint requirements.lock --config-settings editable_mode=compat --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps --constraint requirements.lock norse spikingjelly neurobench
	$(BIN)/arlif lava install
	$(BIN)/python -m arlif.kernels
	touch $(READY)

$(DOCS_READY): $(READY)
	$(BIN)/python -m pip install --quiet --quiet --constraint requirements.lock --config-settings editable_mode=compat --editable '.[docs]'
	touch $(DOCS_READY)

clean:
	rm -rf $(VENV) build *.egg-info
