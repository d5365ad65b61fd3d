# One word for each task; CI runs the same words. `make` alone lists them.
SHELL := /bin/bash
PYTHON ?= python3
DEV := .venv/dev/bin
SCRIPTS := .ci/run $(shell find . -name '*.sh' -not -path './.*')

.DEFAULT_GOAL := help
.PHONY: help setup tools drill drill-scale train test test-fast test-compose test-cortex test-kubernetes lint format generate uplot pictures fuzz test-faults bench up down status lock clean

help:  ## list these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## make the development environment from its lock file
	@$(PYTHON) -m stack.environments dev

tools: setup  ## build the Collector, Prometheus, Alertmanager and their tools into .tools/bin
	@$(DEV)/python -m stack build

drill: tools  ## play every scenario against the real stack and write docs/detection.md (some forty minutes)
	$(DEV)/python -m bench.detection

drill-scale: tools  ## store nodes killed, replicas rolled out, 1 to 100 and back by KEDA, all under load; writes docs/ (30 minutes, the first time as long to build)
	@$(DEV)/python -m stack build cortex
	$(DEV)/python -m bench.scale store
	$(DEV)/python -m bench.scale rollout
	$(DEV)/python -m bench.scale autoscale

train: setup  ## train a model on synthetic data and publish it into models/
	@$(DEV)/python -m model train

test: lint test-fast tools  ## everything: linters, types, all tests with the real programs
	$(DEV)/python -m pytest -m stack

test-fast: setup  ## the tests that need no other program, in some ten minutes
	$(DEV)/python -m pytest -m "not stack and not compose and not cortex and not kubernetes"

test-compose: tools  ## really start docker-compose.yml, with stand-ins for images that cannot be pulled
	$(DEV)/python -m pytest -m compose tests/compose

test-cortex: tools  ## Cortex as the store, with real nodes; builds it, for four minutes on an idle machine with two cores
	@$(DEV)/python -m stack build cortex
	$(DEV)/python -m pytest -m cortex tests/cortex

test-kubernetes: setup  ## every overlay against a real API server, built at the first run (10 minutes)
	$(DEV)/python -m pytest -m kubernetes tests/kubernetes

lint: setup  ## style, types, shell scripts
	$(DEV)/ruff check
	$(DEV)/ruff format --check
	$(DEV)/mypy
	$(DEV)/shellcheck $(SCRIPTS)

format: setup  ## put the code into the one style
	$(DEV)/ruff check --fix
	$(DEV)/ruff format

generate: setup  ## write the generated files anew: dashboards, rules, the tables in docs/telemetry.md
	$(DEV)/python -m grafana generate
	$(DEV)/python -m telemetry.docs
	$(DEV)/python -m prometheus generate

# The library of the live view's charts, as npm publishes it; tests hold the files against the sums.
UPLOT := 1.6.32
uplot:  ## fetch the charts' library of the live view anew, in the version that is set here
	folder=$$(mktemp -d) && npm pack --silent --pack-destination $$folder uplot@$(UPLOT) \
	  && tar xzf $$folder/*.tgz -C $$folder && cd prometheus/live_view/uplot \
	  && install -m 644 $$folder/package/LICENSE $$folder/package/dist/{uPlot.iife.min.js,uPlot.min.css} . \
	  && sha256sum LICENSE uPlot.iife.min.js uPlot.min.css >SHA256SUMS && rm -r $$folder

pictures: setup  ## take the pictures in docs/images/ of the stack that runs, best after half an hour
	$(DEV)/python -m bench.pictures

test-faults: tools  ## slow clients, overload and faults against the running service; writes docs/reliability.md
	$(DEV)/python -m bench.faults

fuzz: setup  ## hold the service to its description with 20,000 requests, then fuzz its readers for 10 minutes
	$(DEV)/python -m tests.fuzz contract
	$(DEV)/python -m tests.fuzz readers

bench: train  ## measure the service beside what a user would pick instead; writes docs/performance.md
	@$(PYTHON) -m stack.environments peers
	$(DEV)/python -m bench

up:  ## start everything and show it, as ./start_mlops.sh does
	@./start_mlops.sh

down:  ## end what runs
	@./start_mlops.sh stop

status:  ## what runs, and its figures
	@./start_mlops.sh status

# The lock files name no registry, so that each machine takes the one it is told to.
LOCK := $(DEV)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --custom-compile-command "make lock"
lock: setup  ## resolve the requirements anew and write the lock files
	$(LOCK) requirements/dev.in -o requirements/dev.txt
	$(LOCK) -c requirements/dev.txt requirements/serve.in -o requirements.txt
	for name in train ops peers; do \
	  $(LOCK) -c requirements/dev.txt requirements/$$name.in -o requirements/$$name.txt || exit 1; done
	for name in peers-bentoml peers-mlserver; do \
	  $(LOCK) requirements/$$name.in -o requirements/$$name.txt || exit 1; done

clean:  ## remove environments, programs, models and data
	@./start_mlops.sh stop >/dev/null 2>&1 || true
	rm -rf .venv .tools .run logs models .mypy_cache .pytest_cache .ruff_cache
