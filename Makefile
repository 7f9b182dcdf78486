# make demo: train a Transformer to reverse sequences, and draw it.   make test: prove the gradients.
# Both make a virtual environment in .venv and install what they need. Without make: see docs/commands.md.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test mutants random-mutants test-slow fuzz rank-trials test-no-compiler test-minimum lessons test-lessons site test-site parity test-graders test-gpu benchmark lint types clean

demo: .venv/installed
	$(BIN)/minitransformer train reverse --out runs/demo --overwrite
	$(BIN)/minitransformer evaluate runs/demo --split test --count 1000
	@echo "The pictures are in runs/demo/pictures; ask the model: $(BIN)/minitransformer predict runs/demo \"3 1 4 1 5\""

# Two processes: each file of tests in one of them.
test: .venv/installed-test
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not lessons and not site and not slow"

# Changes of our own, planted one at a time as `make test` plants the mistakes that people make.
mutants: .venv/installed-test
	$(BIN)/python -m pytest tests/test_mutants.py -m slow

# Changes that a machine makes, drawn by a seed over the whole package: which of them does no test notice?
random-mutants: .venv/installed-test
	$(BIN)/python tests/random_mutants.py

# The long sweeps, of which `make test` tries a part.
test-slow: .venv/installed-test
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow --ignore tests/test_mutants.py

# Wrong input in large numbers, drawn by a seed: arrays, runs, command lines, submissions, kills; `make test` tries a few.
fuzz: .venv/installed-test
	PYTHONPATH=$(CURDIR) $(BIN)/python tests/fuzz.py

# Faults of ranks of MPI, also with the connection between two hosts cut (as root): the table of docs/machines.md, in five minutes.
rank-trials: .venv/installed-test
	PYTHONPATH=$(CURDIR) $(BIN)/python tests/rank_trials.py

# The tests of the GPU's stand-in once more, as on a machine that has no C++ compiler: nothing but .venv/bin is on the PATH.
test-no-compiler: .venv/installed-test
	PATH=$(CURDIR)/$(BIN) $(BIN)/python -m pytest tests/test_device.py tests/test_replays.py tests/test_kernels.py tests/test_cupy_arrays.py tests/test_gpu.py

# The tests with the oldest packages that pyproject.toml allows, in an environment of their own (Python 3.10 to 3.12: those
# packages have no files for later ones).
test-minimum:
	$(PYTHON) -m venv .venv-minimum
	$(PYTHON) tests/floors.py > .venv-minimum/floors.txt
	.venv-minimum/bin/python -m pip install --quiet --constraint .venv-minimum/floors.txt --editable ".[test]"
	.venv-minimum/bin/python -m pytest -n 2 --dist loadfile -m "not lessons and not site and not slow"

# Runs every lesson, as it is opened and solved.
test-lessons: .venv/installed-test-lessons
	$(BIN)/python -m pytest -n 2 -m lessons

# Builds the notebooks from their sources.
lessons: .venv/installed-test-lessons
	$(BIN)/python lessons/build.py

# Builds the website into build/site: lessons, guides, and a reference from the docstrings (Python 3.11 or newer). The lessons
# that run in a browser need npm too, and once 83 MB of downloads; without them, the site has none.
site: .venv/installed-site
	$(BIN)/python docs/site/build.py

# Builds the website anew, reads every page of it in Chromium, and runs three lessons there (Debian and Ubuntu: apt-get install
# chromium npm). All lessons, with a table of the seconds: make site, then .venv/bin/python tests/lite_pages.py build/site.
test-site: .venv/installed-test-site
	$(BIN)/python -m pytest tests/test_site.py tests/test_site_alive.py tests/test_lite.py -m site -rs

# Compares live with PyTorch (750 MB to install where pip finds a build for CPUs; PyPI's for Linux brings CUDA, and is much
# larger); `make test` uses the references that it left in tests/references.
parity: .venv/installed-parity
	$(BIN)/python -m pytest -m parity -rs

# Runs a check inside nbgrader and otter (700 MB to install).
test-graders: .venv/installed-graders
	$(BIN)/python -m pytest -m graders -rs

# Runs the tests that need an NVIDIA card, with CuPy for CUDA 12 (2.8 GB to install).
test-gpu: .venv/installed-test .venv/installed-gpu
	$(BIN)/python -m pytest tests/test_gpu.py tests/test_device.py tests/test_replays.py tests/test_kernels.py tests/test_cupy_arrays.py -rs

# Times everything against PyTorch, transformers and JAX (1.5 GB to install with the build of PyTorch for CPUs; a quarter
# of an hour on two idle cores).
benchmark: .venv/installed-benchmark
	$(BIN)/python benchmarks/suite.py

lint: .venv/installed-dev
	$(BIN)/ruff check .

# Checks the type hints: the package's own, then those that a user's program sees. In `tests` there is no folder of the package,
# so the installed one is read, as from anywhere else.
types: .venv/installed-dev
	$(BIN)/mypy
	cd tests && $(CURDIR)/$(BIN)/mypy --config-file= --cache-dir=$(CURDIR)/.mypy_cache/program --strict typed_program.py

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/installed-%: .venv/installed
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	@touch $@

clean:
	rm -rf .venv .venv-minimum
