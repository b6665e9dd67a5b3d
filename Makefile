# Two commands for newcomers: `make run` and `make test`. The rest is CMake with presets; see docs/ and CMakePresets.json.
JOBS ?= $(shell nproc)

.PHONY: help run build test test-slow bench fuzz format lint analyze tidy clean deps

help:
	@echo "make run     install what is missing, build, and start the demo on :8080"
	@echo "make build   the release binary: build/release/forebay"
	@echo "make test    install what is missing, build with ASan and UBSan, run every test"
	@echo "make test-slow  the same three times beside busy loops, to find tests that need a fast machine"
	@echo "make bench   micro benchmarks, and Forebay beside nginx and HAProxy"
	@echo "make fuzz    every fuzz target under libFuzzer, FUZZ_SECONDS (600) each"
	@echo "make format  clang-format over the sources"
	@echo "make lint    checks format, layers and lines of the docs, without a build"
	@echo "make analyze clang's thread-safety analysis of the sources"
	@echo "make tidy    clang-tidy's checks for bugs (.clang-tidy), which take long"
	@echo "make clean   remove build/"

deps:
	@scripts/install-deps.sh

run: build
	build/release/forebay demo

build: deps
	@scripts/configure.sh release
	cmake --build build/release --target forebay -j $(JOBS)

test:
	@scripts/test.sh

test-slow:
	@scripts/test-slow.sh

bench:
	@scripts/bench.sh

fuzz: deps
	@scripts/install-deps.sh fuzz
	@scripts/fuzz.sh $(FUZZ_SECONDS)

lint: deps
	@scripts/lint.sh

analyze:
	@scripts/install-deps.sh analyze
	@scripts/analyze.sh

tidy:
	@scripts/install-deps.sh analyze
	@scripts/tidy.sh

format:
	find src include tests \( -name '*.cpp' -o -name '*.hpp' \) -print0 | xargs -0 clang-format -i

clean:
	rm -rf build
