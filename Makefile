# The two commands: `make run` sets everything up and runs the server; `make test` sets everything up and passes
# the tests. Everything that is built lies in target/.

export CARGO_TARGET_DIR := $(CURDIR)/target
SDK := target/sdk
DIALECTS := klavis composio langdock
cargo := . .ci/toolchain.sh && use_rust && cargo

.NOTPARALLEL:
.PHONY: help run test build sdk openapi validate fmt lint doc setup setup-test setup-lint

help:
	@echo 'make run       set up, build and run the server (ARGS="--listen 127.0.0.1:9000")'
	@echo 'make test      set up, build and run every test'
	@echo 'make lint      rustfmt and clippy, warnings are errors'
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

build: setup
	@echo 'Building target/release/keyway (minutes the first time) …'
	$(cargo) build --locked --release

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
