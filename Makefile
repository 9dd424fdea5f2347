# Short names for everything one does with this tree; `make help` lists them. Python targets work in .venv, made here by
# `python3 -m venv`; C targets need a C compiler only.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV ?= .venv
CC ?= cc
PY = $(VENV)/bin/python
PIP = PYTHONWARNINGS=ignore $(PY) -m pip --disable-pip-version-check --quiet
PYTEST = $(PY) -m pytest
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
CORE = $(MAKE) -C src_c -j$(JOBS)

# Installed in place, so an edit of Python needs no new installation: only what is compiled, and the requirements.
COMPILED := setup.py pyproject.toml $(shell find cconv src_c -name '*.py[xi]' -o -name '*.[ch]' -o -name '*.def' -o -name '*.mk')

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---- Python ----

$(VENV)/.made:
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade pip
	@touch $@

# One stamp for each set of extras. facenet-pytorch asks for PyTorch 2.2, and works with the one that the others have.
$(VENV)/.installed-%: $(VENV)/.made $(COMPILED)
	@echo "installing cconv[$*] in $(VENV)"
	@$(PIP) install $(INDEX) --editable '.[$*]'
	@case '$*' in *peers*) $(PIP) install $(INDEX) --no-deps facenet-pytorch==2.6.0 || echo 'without facenet-pytorch: its comparisons are left out' ;; esac
	@touch $@

demo: $(VENV)/.installed-examples ## learn handwritten digits; pictures in demo_output
	@$(PY) examples/digits_demo.py

test: $(VENV)/.installed-test ## the tests but the slow ones (12 minutes on 2 cores)
	@echo "all tests but the slow ones: about 12 minutes on 2 cores; make test-quick takes two, make test-slow five"
	@$(PYTEST) -m "not slow"

test-slow: $(VENV)/.installed-test ## the slow ones: builds, the C tests, killed processes, large models, training to an accuracy (5 minutes)
	@$(PYTEST) -m slow

test-quick: $(VENV)/.installed-test ## every test by its first case and its last, without the slow ones (2 minutes)
	@$(PYTEST) --quick

test-dist: $(VENV)/.installed-dist ## source archive and wheel: made, installed in new environments, trained with (3 minutes)
	@$(PY) tests/packaging_programs/check_packages.py

test-readme: ## every command of the README but the long ones, as it stands, in a fresh clone of the last commit
	@$(PYTHON) tests/packaging_programs/run_readme.py

# By processes of one thread: most of the time goes into the peers' Python, and results do not depend on threads. A gigabyte each.
test-peers: $(VENV)/.installed-test,peers ## comparisons with PyTorch and Keras (5 minutes; large downloads, once)
	@OMP_NUM_THREADS=1 $(PYTEST) -n auto --maxprocesses 8 --dist worksteal tests/peers -m "not slow"

test-peers-slow: $(VENV)/.installed-test,peers ## those that take long
	@$(PYTEST) tests/peers -m slow

test-zoo: $(VENV)/.installed-test,peers ## networks of torchvision, Keras and ours, to ONNX and back (half an hour on 2 cores)
	@$(PYTEST) tests/peers/test_onnx_from_torch.py tests/peers/test_onnx_from_keras.py tests/peers/test_onnx_round_trips.py

test-isa: $(VENV)/.installed-test ## the tests but the slow ones, at every instruction set of this CPU (10 minutes for each)
	@for isa in `$(PY) -c 'from cconv import _core; print(*_core.isas())'`; do \
	    echo "CCONV_ISA=$$isa"; CCONV_ISA=$$isa $(PYTEST) -m "not slow" || exit 1; done

test-robustness: $(VENV)/.installed-test ## interrupts, forks, memory, wrong uses; 200 killed saves, every bit of a model file flipped
	@$(PYTEST) -k "interrupt or fork or memory or error or kill or flip or robust"
	@$(PY) tests/robustness/kill_saves.py --kills 200
	@$(PY) tests/robustness/flip_bits.py

fuzz-arguments: $(VENV)/.installed-test ## 20,000 odd uses of public classes and functions (5 minutes; FIRST=number COUNT=number)
	@OMP_NUM_THREADS=1 $(PY) tests/robustness/fuzz_arguments.py --first $(or $(FIRST),0) --count $(or $(COUNT),20000)

# For SECONDS, from SEED on (by default another each time, which is printed): what fails says with which seed.
SECONDS ?= 60
FUZZ = --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))
fuzz-files: $(VENV)/.installed-test ## damaged, hostile and random files for SECONDS=60, from SEED= on
	@$(PY) tests/robustness/fuzz_files.py $(FUZZ)

fuzz-graphs: tests/robustness/fuzz_graphs.c ## random graphs, built, planned and run under sanitizers for SECONDS=60, from SEED= on
	@$(CORE) OUT=../build/sanitize EXTRA='$(SANITIZE) -O1'
	@$(CC) $(C_TEST_FLAGS) $(SANITIZE) -O1 $< build/sanitize/libcconv.a `cat build/sanitize/link_flags` -o build/sanitize/fuzz_graphs
	@ASAN_OPTIONS=allocator_may_return_null=1 build/sanitize/fuzz_graphs $(FUZZ)

# By libFuzzer, which is clang's: from the files of the corpus and of build/fuzz/found, where what reaches more code is kept. What
# fails is written to build/fuzz: give it to build/fuzz/fuzz_onnx as its argument. Kernels are portable ones, which are not watched.
# Pointers to nothing may move by nothing, and nothing be copied there.
FUZZ_CC ?= clang
FUZZ_FLAGS = address,undefined -fno-sanitize=pointer-overflow,nonnull-attribute -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1 \
    $(foreach what,sanitize sanitize-coverage,-f$(what)-ignorelist=$(CURDIR)/tests/robustness/fuzz_ignored.txt)
FUZZ_ONNX := tests/robustness/fuzz_onnx.c tests/robustness/mutate_onnx.c
fuzz-onnx: $(FUZZ_ONNX) ## models, files of parameters and attributes, altered at random, for SECONDS=60 (needs clang)
	@$(CORE) OUT=../build/fuzz CC='$(FUZZ_CC)' OPENMP=0 FLAGS_avx2= FLAGS_avx512= FLAGS_neon= \
	    EXTRA='-fsanitize=fuzzer-no-link,$(FUZZ_FLAGS)' ../build/fuzz/libcconv.a
	@$(FUZZ_CC) $(C_TEST_FLAGS) -fsanitize=fuzzer,$(FUZZ_FLAGS) $^ build/fuzz/libcconv.a -pthread -lm -o build/fuzz/fuzz_onnx
	@mkdir -p build/fuzz/corpus build/fuzz/found
	@$(PYTHON) -m zipfile -e tests/robustness/onnx_corpus.zip build/fuzz/corpus
	@build/fuzz/fuzz_onnx -max_total_time=$(SECONDS) -timeout=15 -rss_limit_mb=2560 -max_len=8192 -artifact_prefix=build/fuzz/ \
	    -print_final_stats=1 build/fuzz/found build/fuzz/corpus

# PyTorch for processors only: of two builds of a version pip takes the one with +cpu in its name.
$(VENV)/.installed-bench: INDEX = --extra-index-url https://download.pytorch.org/whl/cpu

bench: $(VENV)/.installed-bench ## layers and networks beside PyTorch, TensorFlow, ONNX Runtime and others (half an hour; large downloads, once)
	@$(PY) benchmarks

bench-quick: $(VENV)/.installed-bench ## the same, fewer cases, one short round
	@$(PY) benchmarks --quick

bench-%: $(VENV)/.installed-bench # of layers, ranks, parts, networks, growth, facts, contention, zoo, models, applications
	@$(PY) benchmarks $*

mnist: $(VENV)/.installed-examples ## 12 epochs of MNIST, about 99 %
	@$(PY) examples/mnist_convnet.py

docs: $(VENV)/.installed-test ## write docs/ops.md (the ops of the core), docs/api (the Python names), what docs/keras.md says is absent, docs/zoo.md (the networks)
	@$(PY) docs/make_ops.py
	@$(PY) docs/make_api.py
	@$(PY) docs/make_keras.py
	@$(PY) docs/make_zoo.py

# ---- C ----

lib: ## libcconv.a and the shared library, in build/lib
	@$(CORE)

# Programs for whoever uses the library, each in its folder below tools and then in build/bin.
TOOLS := cconv-run
cconv-run: lib ## run an ONNX model on images: build/bin/cconv-run --help
	@$(MAKE) -C tools/cconv-run

# Paths are meant from here; the core's makefile works in src_c.
PREFIX ?= /usr/local
BIN = $(abspath $(DESTDIR))$(abspath $(PREFIX))/bin
install: $(TOOLS) ## cconv.h, libraries, pkg-config file, CMake package and cconv-run, in PREFIX=/usr/local (DESTDIR= before it, for packagers)
	@$(CORE) install PREFIX='$(abspath $(PREFIX))' DESTDIR='$(abspath $(DESTDIR))'
	@mkdir -p '$(BIN)' && cd build/bin && install -m 755 $(TOOLS) '$(BIN)'

amalgamation: ## the library in two files, dist/cconv.c and dist/cconv.h, to be compiled with a program
	@CC='$(CC)' $(PYTHON) src_c/tools/amalgamate.py dist

# The harness in tests/c, and the program at the head of cconv.h just as it stands there.
C_TESTS := $(wildcard tests/c/*.c tests/c/*.h)
HEADER_PROGRAM = sed -n '/^ \*     \#include "cconv.h"/,/^ \*     }$$/s/^ \*     //p' src_c/include/cconv.h
C_TEST_FLAGS = $(STANDARD) $(WARN) -Isrc_c/include -Isrc_c

# $(call build-c-tests,folder,flags,compiler) against folder/libcconv.a; $(call run-c-tests,folder,flags) by $(CC), and runs.
define build-c-tests
@$(3) $(C_TEST_FLAGS) -g -O1 $(2) tests/c/*.c $(1)/libcconv.a `cat $(1)/link_flags` -o $(1)/c_tests
@$(HEADER_PROGRAM) > $(1)/header_program.c
@$(3) $(STANDARD) -Wall -Isrc_c/include $(2) $(1)/header_program.c $(1)/libcconv.a `cat $(1)/link_flags` -o $(1)/header_program
endef
define run-c-tests
$(call build-c-tests,$(1),$(2),$(CC))
@CCONV_OVERSUBSCRIBE=1 ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 $(1)/c_tests $(TEST)
@$(1)/header_program
endef

test-c: lib $(C_TESTS) ## the C core's own tests
	$(call run-c-tests,build/lib)

# Leaks are looked for too. One OpenMP runtime keeps its workers until the end: that memory is reachable, no leak.
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g
sanitize: $(C_TESTS) ## the same under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(CORE) OUT=../build/sanitize EXTRA='$(SANITIZE) -O1'
	$(call run-c-tests,build/sanitize,$(SANITIZE))

# Without OpenMP, whose synchronization the sanitizer does not know: the tests make threads of their own.
sanitize-threads: $(C_TESTS) ## barrier, shares and plans in several threads under ThreadSanitizer
	@$(CORE) OUT=../build/sanitize_threads OPENMP=0 EXTRA='-fsanitize=thread -g -O1'
	$(call build-c-tests,build/sanitize_threads,-fsanitize=thread,$(CC))
	@for tests in barrier thread derived cancel; do build/sanitize_threads/c_tests $$tests || exit 1; done

# It knows no AVX-512. Another OpenMP runtime than none would be told as a leak: its workers stay until the end.
valgrind: $(C_TESTS) ## tests of models, arguments and memory under valgrind, which is to be installed
	@$(CORE) OUT=../build/valgrind OPENMP=0 FLAGS_avx512= EXTRA='-g -O1'
	$(call build-c-tests,build/valgrind,,$(CC))
	@for tests in onnx null wrong sizes may_fail memory; do CCONV_ISA=avx2 \
	    valgrind --quiet --error-exitcode=1 --leak-check=full build/valgrind/c_tests $$tests || exit 1; done

# By a cross compiler, on an emulated CPU: Debian's gcc-aarch64-linux-gnu and qemu-user have the two.
AARCH64 = aarch64-linux-gnu
AARCH64_CC ?= $(AARCH64)-gcc
AARCH64_RUN ?= qemu-aarch64 -L /usr/$(AARCH64)
test-aarch64: $(C_TESTS) ## the C core's own tests for AArch64, at each level (needs a cross compiler and qemu-user)
	@$(CORE) OUT=../build/aarch64 CC='$(AARCH64_CC)' AR=$(AARCH64)-ar
	$(call build-c-tests,build/aarch64,,$(AARCH64_CC))
	@for isa in portable neon; do CCONV_ISA=$$isa $(AARCH64_RUN) build/aarch64/c_tests $(TEST) || exit 1; done
	@$(AARCH64_RUN) build/aarch64/header_program

# Addresses of 32 bits, and floats that are rounded to 32 as everywhere else: Debian's gcc-multilib builds for them.
test-m32: $(C_TESTS) ## the C core's own tests where addresses have 32 bits (needs gcc-multilib)
	@$(CORE) OUT=../build/m32 EXTRA='-m32 -msse2 -mfpmath=sse -Wno-psabi'
	$(call run-c-tests,build/m32,-m32 -msse2 -mfpmath=sse -Wno-psabi)

digits-c: lib $(VENV)/.installed-examples ## train a CNN on digits from C alone
	@$(PY) -c "import gzip, pathlib, sklearn; p = pathlib.Path(sklearn.__file__).parent / 'datasets/data/digits.csv.gz'; \
	    pathlib.Path('build/digits.csv').write_bytes(gzip.open(p).read())"
	@$(CC) $(STANDARD) -O2 -Isrc_c/include examples/c/train_digits.c build/lib/libcconv.a `cat build/lib/link_flags` -o build/train_digits
	@build/train_digits build/digits.csv

web: ## a page that reads drawn digits and learns new ones, build/web/digits.html (needs emscripten)
	@$(PYTHON) examples/web/build.py

# ---- Style ----

C_STYLED = $(shell find src_c tests/c examples/c examples/web tools -name '*.[ch]' 2>/dev/null)

RUFF = $(VENV)/bin/ruff
$(RUFF): $(VENV)/.made
	@$(PIP) install ruff && touch $@

lint: lint-python lint-c ## what ruff and clang-format object to

lint-python: $(RUFF)
	@$(RUFF) check .

lint-c:
	@if command -v clang-format >/dev/null; then clang-format --dry-run --Werror $(C_STYLED); else echo "no clang-format: C is not checked"; fi

format: $(RUFF) ## let them change it
	@$(RUFF) check --fix --quiet . ; $(RUFF) format .
	@if command -v clang-format >/dev/null; then clang-format -i $(C_STYLED); fi

clean: ## remove what was built; .venv stays
	@rm -rf build dist *.egg-info cconv/*.so cconv/_core.c .pytest_cache .ruff_cache
	@find cconv tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help docs demo test test-quick test-dist test-readme test-peers test-peers-slow test-zoo test-isa test-robustness fuzz-arguments fuzz-files fuzz-graphs fuzz-onnx bench bench-quick mnist lib $(TOOLS) install amalgamation test-c sanitize sanitize-threads valgrind test-aarch64 test-m32 digits-c web lint lint-python lint-c format clean
include src_c/flags.mk
