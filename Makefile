# Everything is a command of `python -m bot`; bootstrap.py makes the Python that it runs on.
PYTHON3 ?= python3
PYTHON := .venv/bin/python
SETUP := $(PYTHON3) bootstrap.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory
# Without compiled files every start takes half a minute longer; other people's packages don't belong in here.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME
export PYTHONNOUSERSITE := 1

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## Start the assistant and say where it is; Ctrl-C stops it
	@$(PYTHON) -m bot run

chat: setup ## Talk to the assistant in the terminal
	@$(PYTHON) -m bot chat

train: setup ## Train the model again
	@$(PYTHON) -m bot train --force

test: setup-test check ## Run all checks and tests
	@$(PYTHON) -m pytest

check: lint types layers yaml data ## Run all checks but the tests

lint: setup-dev ## Check the style of the code
	@$(PYTHON) -m ruff check .

types: setup-dev ## Check the types
	@$(PYTHON) -m mypy

layers: setup-dev ## Check that modules import only from layers below
	@.venv/bin/lint-imports

yaml: setup-dev ## Check the style of the YAML files
	@$(PYTHON) -m yamllint --strict .

data: setup ## Check the training data and the domain
	@$(PYTHON) -m bot rasa data validate --fail-on-warnings

export: setup ## Write the answers of staff to data/staff.yml
	@$(PYTHON) -m bot export

import: setup ## Make the answers in data/staff.yml live
	@$(PYTHON) -m bot import

score: setup ## Measure understanding on the samples, on the running assistant
	@$(PYTHON) -m bot score

bench: setup ## Measure speed and size beside Rasa's defaults (half an hour; BENCH=--quick: minutes)
	@$(PYTHON) -m bot bench $(BENCH)

bench-understanding: setup ## Measure understanding beside Rasa's defaults (an hour; BENCH="--clinc FILE": CLINC150 too)
	@$(PYTHON) -m bot bench-understanding $(BENCH)

widget-report: setup-test ## Measure the website's chat: size, barriers, time to a reply
	@$(PYTHON) -m bot widget-report

soak: setup-dev ## Run a burst through Messenger, then traffic on three servers while everything fails (MINUTES=30)
	@$(PYTHON) -m bot train
	@$(PYTHON) -m benchmarks.messenger_burst
	@$(PYTHON) -m benchmarks.soak --minutes $(or $(MINUTES),30)

setup: python3 ## Install what running takes; done by `make run` too
	@$(SETUP)

doctor: setup ## Look at everything that the assistant needs, and say what to do about each fault
	@$(PYTHON) -m bot doctor

sbom: setup-dev ## Write what the assistant is made of: a CycloneDX file and a list of licences, in build/
	@$(PYTHON) tools/sbom.py

lock: setup ## Lock the packages that pyproject.toml names, with hashes (UPGRADE=--upgrade: the newest)
	@UPGRADE=$(UPGRADE) sh tools/lock.sh

clean: ## Remove what was installed, built and trained; the data folder stays
	@rm -rf .venv .venv-setup build models .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

setup-dev: python3
	@$(SETUP) --dev

setup-test: python3
	@$(SETUP) --browser

python3:
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || { \
	  echo "Python 3.9 or later is needed to begin: install it, or name it with make PYTHON3=/path/to/python3." >&2; exit 1; }

.PHONY: help run chat train export import test check lint types layers yaml data score bench bench-understanding widget-report soak setup doctor sbom lock clean setup-dev setup-test python3
