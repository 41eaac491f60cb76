# The front door of Turnout. `make help` says what is here; everything works on Debian 12.
SHELL := /bin/bash
.DEFAULT_GOAL := help

DATABASE ?= sqlite
JOBS ?= $(shell nproc)
QUIET_CMAKE = --log-level=NOTICE
# ctest as we run it: what failed shows its output, and a missing test is an error.
CTEST = ctest --output-on-failure --no-tests=error

.PHONY: help demo test test-long build unit sim model db faults mutants bench fmt tidy asan tsan

help: ## this list
	@echo "Turnout: decision tracks over contacts, run by a group of servers"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20
	@echo
	@echo "  The first call installs the Debian packages that are missing (root or sudo)."

demo: ## run the main job: three peers, 45,211 contacts, the owner killed (DATABASE=sqlite|postgresql)
	@scripts/setup.sh build $(if $(filter postgresql,$(DATABASE)),demo-postgresql,demo)
	@$(MAKE) --no-print-directory program
	@DATABASE=$(DATABASE) scripts/demo.sh

build: ## build the program: build/release/turnout
	@scripts/setup.sh build
	@$(MAKE) --no-print-directory program

.PHONY: program
program:
	@cmake --preset release $(QUIET_CMAKE) >/dev/null
	@cmake --build build/release --target turnout -j $(JOBS)

# The development build of the tests with the labels given.
define dev_tests
	@scripts/setup.sh build test
	@cmake --preset dev $(QUIET_CMAKE) >/dev/null
	@cmake --build build/dev --target $(foreach label,$(1),tests_$(label)) -j $(JOBS)
endef

unit: ## unit tests and a short simulation (development build)
	$(call dev_tests,unit sim)
	@$(CTEST) --test-dir build/dev -L 'unit|sim' -j $(JOBS)

CYCLES ?= 2400000
FIRST ?= 1
sim: ## the seeded simulation of a peer group, optimised, on all processors (CYCLES=n FIRST=seed JOBS=n; PROFILED=1: for hours)
	@scripts/setup.sh build test
ifdef PROFILED
	@tests/sim/profiled.sh
else
	@cmake --preset release $(QUIET_CMAKE) >/dev/null
	@cmake --build build/release --target sim_run -j $(JOBS)
endif
	@/usr/bin/python3 tests/sim/run.py build/$(if $(PROFILED),profiled,release)/tests/sim/sim_run --cycles $(CYCLES) \
	  --first $(FIRST) --jobs $(JOBS)

model: ## the protocol's rules in every order of events, by Spin (tests/model/README.md)
	@scripts/setup.sh test
	@tests/model/run.sh

db: ## tests of the store and the engine on SQLite and on a PostgreSQL of their own
	$(call dev_tests,db)
	@scripts/with-postgres.sh $(CTEST) --test-dir build/dev -L db

faults: ## real processes, real faults: servers killed, stopped, cut off, their database restarted (HOURS=n: for long)
	@scripts/setup.sh build test
	@$(MAKE) --no-print-directory program
	@tests/faults/run.sh $(HOURS)

mutants: ## plant each fault of src/base/mutant.h in turn: a test must find it
	@scripts/setup.sh build test
	@cmake --preset mutants $(QUIET_CMAKE) >/dev/null
	@cmake --build build/mutants --target group_test sim_test work_test store_test -j $(JOBS)
	@/usr/bin/python3 tests/mutants/run.py build/mutants

test: ## everything that a change must pass: builds, tests, sanitizers, short faults, the demo
	@scripts/setup.sh build test
	@scripts/test.sh short

test-long: ## what takes too long for every change: long faults, long simulation, both demos
	@scripts/setup.sh build test
	@scripts/test.sh long

bench: ## the benchmarks (bench/README.md)
	@scripts/setup.sh build test
	@bench/run.sh

fmt: ## format all C++ in place
	@scripts/setup.sh tidy
	@git ls-files -co --exclude-standard '*.h' '*.cc' | xargs -r clang-format-19 -i

tidy: ## check the house rules: includes, banned calls, format, clang-tidy
	@scripts/setup.sh build test tidy
	@scripts/tidy.sh

asan: ## unit tests and simulation with the address and undefined-behaviour sanitizers
	@scripts/setup.sh build test
	@cmake --preset asan $(QUIET_CMAKE) >/dev/null
	@cmake --build build/asan --target tests_unit tests_sim -j $(JOBS)
	@$(CTEST) --test-dir build/asan -L 'unit|sim' -j $(JOBS)

tsan: ## all tests with the thread sanitizer
	@scripts/setup.sh build test
	@cmake --preset tsan $(QUIET_CMAKE) >/dev/null
	@cmake --build build/tsan --target tests_unit tests_sim tests_db -j $(JOBS)
	@scripts/with-postgres.sh $(CTEST) --test-dir build/tsan -j $(JOBS)
