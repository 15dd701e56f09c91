# Hài Lòng: `make` lists what there is. Only Python 3.11 or newer, git and make are needed beforehand.
PYTHON ?= python3
RATINGS ?= 200
BROWSER ?= 1
CYCLES ?= 20
SEED ?= 0
BROKERS ?= 1
CHILDREN ?= 1
MINUTES ?= 30
AT_ONCE ?= 3
BROWSERS ?= 2
CASES ?= 10000
READERS ?= 500
OUTCOMES ?= 10000000
IMAGES ?= hailong
BUILD ?=

PY := .venv/bin/python
LOCAL := @$(PYTHON) -m deploy.local.bootstrap local
SET_UP := @test -x $(PY) || { echo "Nothing is set up here yet: start with make run." >&2; exit 1; }
COMPOSE := docker compose --file deploy/compose.yaml $(if $(SECURED),--file deploy/compose.secured.yaml)
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
DEV := @$(PYTHON) -m deploy.local.bootstrap dev
BENCH := @$(PYTHON) -m deploy.local.bootstrap bench

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run urls status demo outbox clean distclean test lint fmt unit contract integration browser faults faults-selftest soak backup restore disaster bench bench-quick bench-check bench-rebuild bench-reads bench-live mutants fuzz audit images images-test up down compose-test sbom contracts clients acls reference alerts lock

help: ## List the targets
	@sed -n 's/^\([a-z-]*\): .*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do printf '%-20s %s\n' "$$target" "$$text"; done
	@echo
	@echo "  make run serves on 127.0.0.1: HTTP from port 8000 (HAILONG_PORT_BASE), Kafka on 9092 (HAILONG_KAFKA_PORT),"
	@echo "  PostgreSQL on 5433 (HAILONG_POSTGRES_PORT). Another Python: make PYTHON=python3.12 ..."

run: ## Start the whole system here and keep it up until Ctrl-C (sets up what is missing)
	$(LOCAL)
	@exec $(PY) -m deploy.local run

urls: ## Print a name and an address a line for the running system
	$(SET_UP)
	@exec $(PY) -m deploy.local urls

status: ## Watch the running system on one screen; with ONCE=1, print it and end
	$(SET_UP)
	@exec $(PY) -m deploy.local status $(if $(ONCE),--once)

demo: ## Post RATINGS=200 realistic ratings to the running system; with YEAR=1, as a year of the past
	$(LOCAL)
	@exec $(PY) -m deploy.demo $(if $(YEAR),year) --ratings $(RATINGS)

outbox: ## Print the text messages that the running system would have sent
	$(SET_UP)
	@exec $(PY) -m deploy.local outbox

backup: ## Back up the running system into .local/backups: topics, databases, sealed keys
	$(SET_UP)
	@exec $(PY) -m deploy.backup take-embedded

restore: ## Restore from BACKUP (the newest, unless named) what the stopped system lacks: all, topics, or databases
	$(LOCAL)
	@exec $(PY) -m deploy.backup restore-embedded $(BACKUP)

clean: ## Remove data, keys and logs of the stopped system; downloads and backups stay
	@$(PYTHON) -m deploy.local.clean

distclean: ## Remove everything that was made or downloaded here
	@$(PYTHON) -m deploy.local.clean --all

test: lint unit contract integration browser ## All checks and tests; BROWSER=0 leaves the browser out

lint: ## Style, types and architecture
	$(DEV)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

fmt: ## Format the code and mend what can be mended by itself
	$(DEV)
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

unit: ## Tests of what is pure
	$(DEV)
	$(PY) -m pytest -n 2 --dist loadfile tests/unit

contract: ## Tests of events, schemas and compatibility
	$(DEV)
	$(PY) -m pytest tests/contract

integration: ## Tests against real Kafka and PostgreSQL, AT_ONCE=3 files side by side
	$(DEV)
	$(PY) -m pytest -n $(AT_ONCE) --dist loadfile tests/integration

browser: ## Tests of the pages in BROWSERS=2 real browsers side by side
ifneq ($(BROWSER),0)
	$(DEV)
	$(PY) -m pytest -n $(BROWSERS) --dist loadfile tests/e2e
else
	@echo "BROWSER=0: the browser tests are left out."
endif

faults: ## Break everything CYCLES=20 times (SEED=0 draws one, BROKERS=1) while ratings come in, and count
	$(DEV)
	@exec $(PY) -m faults run --cycles $(CYCLES) --seed $(SEED) --brokers $(BROKERS)

faults-selftest: ## Break each guarantee in a copy of the code, and show that the fault campaign finds it
	$(DEV)
	@exec $(PY) -m faults selftest

disaster: ## Lose everything but the backups, restore on fresh servers, and compare every counter
	$(DEV)
	@exec $(PY) -m faults disaster

overload: ## Offer one intake five times what it can take, for 20 s
	$(DEV)
	@exec $(PY) -m faults overload

soak: ## A steady load for MINUTES=30: does memory, do connections or open files grow?
	$(DEV)
	@exec $(PY) -m faults soak --minutes $(MINUTES)

bench: ## Measure every part beside its peers; writes docs/performance.md (25 minutes at most)
	$(BENCH)
	@exec $(PY) -m benchmarks whole

bench-quick: ## A smaller measurement of what has peers, in 3 minutes
	$(BENCH)
	@exec $(PY) -m benchmarks quick

bench-check: ## The same, and compare the ratios with those of docs/performance.json
	$(BENCH)
	@exec $(PY) -m benchmarks check

bench-rebuild: ## Rebuild the figures of a log of OUTCOMES=10000000, once
	$(BENCH)
	@exec $(PY) -m benchmarks rebuild --ratings $(OUTCOMES)

bench-reads: ## Read the same figures of 10^4 to 10^7 ratings in turns, and print medians and ratios
	$(DEV)
	@exec $(PY) -m benchmarks reads

bench-live: ## Watch figures change with READERS=500 live streams of one process, which is restarted
	$(DEV)
	@exec $(PY) -m benchmarks live --readers $(READERS)

mutants: ## Change what decides and counts a little, many times over: do unit tests notice? (CHILDREN=1)
	$(DEV)
	@exec $(PY) -m tests.mutation --children $(CHILDREN)

fuzz: ## Send CASES=10000 requests that nobody would think of, by the OpenAPI documents (SEED=0 draws one)
	$(DEV)
	@exec $(PY) -m tests.fuzzing --cases $(CASES) --seed $(SEED)

audit: ## Ask what is publicly known against the pinned packages; exit code 3: no database in reach
	$(DEV)
	@exec $(PY) -m deploy.supply_chain.audit

images: ## Build the images IMAGES=hailong/SERVICE; BUILD="..." are further options of docker build
	@for service in intake verification aggregation portal; do \
	  echo "$(IMAGES)/$$service:$(VERSION)"; \
	  docker build --quiet $(BUILD) --file deploy/images/$$service.Dockerfile \
	    --build-arg PIP_INDEX_URL --build-arg NPM_CONFIG_REGISTRY --build-arg NODE_EXTRA_CA_CERTS \
	    --label org.opencontainers.image.version=$(VERSION) \
	    --label org.opencontainers.image.revision=$$(git rev-parse HEAD) \
	    --label org.opencontainers.image.created=$$(git log -1 --format=%cI) \
	    --tag $(IMAGES)/$$service:$(VERSION) --tag $(IMAGES)/$$service:latest . || exit 1; \
	done

images-test: ## Tests of the images that `make images` has built, in a Docker engine
	$(DEV)
	$(PY) -m pytest tests/images

up: ## Start the whole system in containers, on BROKERS=1 or 3, and wait until it is ready; SECURED=1 by TLS, OBSERVE=1 with Prometheus
	@$(COMPOSE) --profile $(if $(filter 3,$(BROKERS)),three-brokers,one-broker) $(if $(OBSERVE),--profile observability )up --detach --wait

down: ## Stop and remove the containers; what they keep stays in its volumes
	@$(COMPOSE) --profile one-broker --profile three-brokers --profile observability down

compose-test: ## Scale the system in containers, on BROKERS=1 or 3, while ratings come in, and count
	$(DEV)
	@exec $(PY) -m faults scaling --brokers $(BROKERS) --seed $(SEED)

sbom: ## Write a bill of materials (CycloneDX) for each service into .local/sbom; BUILT=1: for each image
	$(DEV)
	@exec $(PY) -m deploy.supply_chain.sbom $(if $(BUILT),--images $(IMAGES))

contracts: ## Write the generated schemas, examples and AsyncAPI document
	$(DEV)
	$(PY) -m contracts.generate

clients: ## Make the clients of the public APIs in Python and TypeScript, into .local/clients
	$(DEV)
	@exec $(PY) -m clients

acls: ## Write the Kafka ACLs that the topic catalogue asks for
	$(DEV)
	$(PY) -m deploy.security

reference: ## Write what is derived for operators: every setting, every metric, the rules of objectives
	$(DEV)
	$(PY) -m deploy.reference

alerts: ## Try the alert rules with promtool (Debian: package prometheus)
	@command -v promtool >/dev/null || { echo "There is no promtool here: apt-get install prometheus" >&2; exit 1; }
	cd deploy/prometheus && promtool check config prometheus.yaml
	cd deploy/prometheus && promtool test rules alerts_test.yaml

lock: ## Pin the requirements anew, with their hashes
	$(DEV)
	@for set in $(addprefix requirements/,dev bench local assets intake verification aggregation portal) clients/requirements; do \
	  case $$set in requirements/dev | clients/*) held= ;; *) held="-c requirements/dev.txt" ;; esac; \
	  $(PY) -m uv pip compile -q --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" $$held -o $$set.txt $$set.in || exit 1; \
	done
