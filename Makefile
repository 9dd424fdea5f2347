# Short names for everything one does with this tree; `make help` lists them. All Python targets work in .venv, made here with
# nothing but `python3`; all C targets need only a C compiler.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

PYTHON ?= python3
VENV ?= .venv
PY = $(VENV)/bin/python
PIP = $(PY) -m pip --disable-pip-version-check --quiet
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
PYTEST = $(PY) -m pytest -q

include src_c/flags.mk

# What the installed package is made of: when any of it is newer than a stamp, the package is installed again.
PACKAGE := setup.py pyproject.toml $(shell find cconv src_c -name '*.py' -o -name '*.py[xi]' -o -name '*.[ch]' -o -name '*.def' -o -name '*.mk')

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---- Python ----

$(VENV)/.made:
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade pip
	@touch $@

# One stamp per set of extras. Editable: the tests and examples use the sources, and an edit needs no new installation unless C changed.
$(VENV)/.installed-%: $(VENV)/.made $(PACKAGE)
	@echo "installing cconv[$*] in $(VENV)"
	@$(PIP) install --editable '.[$*]'
	@touch $@

demo: $(VENV)/.installed-examples ## learn handwritten digits, with pictures in demo_output
	@$(PY) examples/digits_demo.py

test: $(VENV)/.installed-test ## all tests of Python and C (light dependencies)
	@$(PYTEST)

test-peers: $(VENV)/.installed-test,peers ## comparisons with PyTorch and Keras (large downloads, once)
	@$(PYTEST) tests/peers
