# The two commands: `make run` sets everything up and runs the server; `make test` sets everything up and passes
# the tests. Everything that is built lies in target/.

export CARGO_TARGET_DIR := $(CURDIR)/target
SDK := target/sdk
DIALECTS := klavis composio langdock
cargo := . .ci/toolchain.sh && use_rust && cargo

.NOTPARALLEL:
.PHONY: help run test torture build sdk openapi validate fmt lint doc bench setup setup-test setup-lint

help:
	@echo 'make run       set up, build and run the server (ARGS="--listen 127.0.0.1:9000")'
	@echo 'make test      set up, build and run every test'
	@echo 'make torture   the full form of tests/torture: faults under load, 20 minutes, as root on Linux, writes bench/torture.md'
	@echo 'make lint      rustfmt and clippy, warnings are errors'
	@echo 'make bench     measure the release build beside pgbench (ROWS=5000000, ARGS=--quick); writes bench/'
	@echo 'make doc       rustdoc, warnings are errors'
	@echo 'make fmt       format the code'
	@echo 'make openapi   write openapi/*.json anew from the code'
	@echo 'make validate  check openapi/*.json with a public validator'

# Ctrl-C reaches the server, which stops its database and ends; make then has nothing to add.
run: build
	@exec target/release/keyway $(ARGS)

test: setup-test build sdk
	$(cargo) test --locked --doc
	@if $(cargo) nextest --version >/dev/null 2>&1; then \
	    set -x; cargo nextest run --locked --no-fail-fast; \
	else \
	    set -x; cargo test --locked --no-fail-fast --lib --bins --tests; \
	fi

# One fault at a time; each writes its row when it ends. Needs root (a small tmpfs) and libfaketime: nothing is skipped.
torture: setup-test build
	rm -f bench/torture.json bench/torture.md
	@export KEYWAY_TORTURE=full; $(cargo) test --locked --test torture -- --test-threads=1; \
	    status=$$?; cat bench/torture.md; exit $$status

build: setup
	@echo 'Building target/release/keyway (minutes the first time) …'
	$(cargo) build --locked --release

# On a quiet machine: everything shares its processors. Ctrl-C leaves nothing behind.
bench: build
	@exec target/release/keyway bench $(if $(ROWS),--rows $(ROWS)) $(ARGS)

openapi: setup
	@set -e; for dialect in $(DIALECTS); do \
	    ($(cargo) run --quiet --locked -- openapi $$dialect) > target/openapi-$$dialect.json; \
	    mv target/openapi-$$dialect.json openapi/$$dialect.json; \
	    echo "openapi/$$dialect.json"; \
	done

validate: $(SDK)/python/ready
	$(SDK)/python/bin/openapi-spec-validator $(DIALECTS:%=openapi/%.json)

fmt: setup-lint
	$(cargo) fmt

lint: setup-lint
	$(cargo) fmt --check
	$(cargo) clippy --locked --all-targets -- -D warnings

doc: setup
	RUSTDOCFLAGS='-D warnings' && export RUSTDOCFLAGS && $(cargo) doc --locked --no-deps

# The public SDKs, for tests/sdk, at the versions that the files here name.
sdk: $(SDK)/python/ready $(SDK)/node/ready

$(SDK)/python/ready: tests/sdk/python/requirements.txt | setup-test
	python3 -m venv --clear $(SDK)/python
	$(SDK)/python/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir --requirement $<
	@touch $@

$(SDK)/node/ready: tests/sdk/node/package.json tests/sdk/node/package-lock.json | setup-test
	rm -rf $(SDK)/node
	mkdir -p $(SDK)/node
	cp $^ $(SDK)/node
	cd $(SDK)/node && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error --cache "$(CURDIR)/$(SDK)/npm-cache"
	@touch $@

setup:
	@.ci/setup

setup-test:
	@.ci/setup test

setup-lint:
	@.ci/setup lint
