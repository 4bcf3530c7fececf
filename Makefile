# Everything here works from a fresh clone; PYTHON= chooses the interpreter (3.11 or newer).
# Preferred is a build with profile-guided optimisation (docs/performance.md): python3 if it is one,
# else the distribution's, which is; python3 again where that one is missing, older, or without venv.
GUIDED := import ensurepip, sys, sysconfig; sys.exit(sys.version_info < (3, 11) or not \
  (sys.base_prefix == "/usr" or "--enable-optimizations" in sysconfig.get_config_var("CONFIG_ARGS")))
PYTHON ?= $(shell for each in python3 /usr/bin/python3; do \
  $$each -c '$(GUIDED)' 2> /dev/null && echo $$each && exit; done; echo python3)
VENV := .venv
RUN := $(VENV)/bin/python
MANAGE := $(RUN) manage.py
PIP := $(VENV)/bin/pip --disable-pip-version-check install --quiet

.PHONY: run test serve install check test-all bench soak

run: $(VENV)/.runtime  ## a running demo: service, sandbox, admin
	@$(MANAGE) run_demo

test: $(VENV)/.dev  ## the fast suite
	@$(RUN) -m pytest --numprocesses auto -m "not thorough and not slow and not services and not browser"

serve: install  ## the production server, configured by the environment alone
	@exec $(MANAGE) serve

install: $(VENV)/.runtime  ## .venv, runtime dependencies, collected static files
	@$(MANAGE) collectstatic --no-input --verbosity 0

check: $(VENV)/.dev  ## format, lint, types, imports, migrations, settings, OpenAPI
	@.ci/check

test-all: $(VENV)/.dev $(VENV)/otel $(VENV)/sdk  ## every suite: fast, faults, crashes, services, browser
	@.ci/test-all

bench: $(VENV)/.dev  ## figures and ratios; never a pass or a fail
	@$(RUN) -m bench

soak: $(VENV)/.dev  ## half an hour at 10 % faults
	@$(RUN) -m bench.soak

# A stamp is renewed when the requirements change; an interrupted install leaves none.
$(VENV)/.runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "guestportal needs Python 3.11 or newer: make PYTHON=python3.11")'
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@$(RUN) -c 'import os, sys; print("Python", sys.version.split()[0], "of", os.path.realpath(sys.executable))'
	@echo "installing requirements into $(VENV) …"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@$(PIP) -r requirements-dev.txt
	@touch $@

# Beside the .venv, not in it: traces are an extra, and every other suite runs without it.
$(VENV)/otel: requirements-otel.txt $(VENV)/.dev
	@grep -v '^-r' $< | $(PIP) --target $@ --upgrade --no-deps -r /dev/stdin
	@touch $@

# The vendor's SDK, a client in one test that runs it by itself: some of its packages are newer than ours.
$(VENV)/sdk: requirements-sdk.txt $(VENV)/.dev
	@{ $(PIP) --target $@ --upgrade --no-deps -r $< && touch $@; } \
	  || echo "the vendor's SDK could not be installed: its test is skipped"
