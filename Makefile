# Written for GNU make 3.81, which is what macOS has.
## make setup    the environment, in .venv; the others call it
## make run      look through PHOTOS (samples) and serve it on 127.0.0.1, PORT (5000)
##                   make run PHOTOS="/home/me/My photos" PORT=8000
## make test     lint, types, unit and browser tests
## make parity   compares mlx_clip with transformers and open_clip on PyTorch, which is a
##                   download of 200 MB to several GB; in an environment of its own
## make golden   the vectors of tests/checkpoints, made anew by those references
## make bench    the benchmarks, PyTorch's and rclip's beside ours; writes docs/benchmarks.md
## make reliability  kills, faults and attacks, tried and counted; writes docs/reliability.md
## make assets   static/app.css and the scripts beside it from static/src and the templates (needs npm)
## make vendor   static/vendor and tests/vendor, what is used of npm's packages (needs npm)
## make icons    static/icons from static/icon.svg
## make locales  the translations in locales/ in step with the texts of the interface;
##                   LANGUAGE=de begins one
## make assets-check    fails when they are not what make assets would write
## make screenshots  the pictures of the pages in docs
## make starter  builds models/starter anew into artefacts/starter/model (needs PyTorch, Debian)
## make starter-eval    the recall of models/starter, and of its first build
## make soak     crawls and searches for half an hour, or for as many MINUTES, and shows what grows;
##                   into docs/reliability.md, too
## make lock     requirements.lock anew from requirements.txt: the newest versions, with hashes
## make audit    asks whether anything is known against what requirements.lock names
## make clean    removes .venv and .venv-*, node_modules and caches; the library in data/ stays
##
## PYTHON=python3.12 chooses the Python that .venv is made with.

python = .venv/bin/python
assets = app.css kindred.js map.js theme.js
tailwind = node_modules/.bin/tailwindcss --minify --input static/src/app.css --output
esbuild = node_modules/.bin/esbuild static/src/js/kindred.js static/src/js/theme.js map=static/src/js/map/map.js \
--bundle --minify --format=esm --log-level=warning "--external:/static/*"

# One more than there are processors: for a third of their time tests wait for programs.
workers = $$(($$(getconf _NPROCESSORS_ONLN) + 1))

.PHONY: help setup setup-dev run test parity lock audit golden bench reliability soak assets assets-check vendor locales icons screenshots starter starter-eval clean

help:
	@sed -n 's/^## \{0,1\}//p' Makefile

setup:
	@sh tools/setup.sh

setup-dev:
	@sh tools/setup.sh dev
	@$(python) -m tools.browser

# PHOTOS reaches the shell through the environment, so that any name works; zsh leaves a ~ in it.
run: setup
	@folder=$${PHOTOS:-samples}; case $$folder in "~/"*) folder=$$HOME/$${folder#??} ;; esac; \
	$(python) -m crawler "$$folder"
	@$(python) app.py $(if $(PORT),--port $(PORT))

test: setup-dev
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m mypy
	$(python) -m pytest --numprocesses $(workers)

parity: setup-dev .venv-parity/installed
	.venv-parity/bin/python -m pytest --numprocesses auto --dist loadfile parity

lock: .venv-lock/installed
	@.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.10 --upgrade \
	--only-binary :all: --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock" --output-file requirements.lock requirements.txt

audit: .venv-lock/installed
	@.venv-lock/bin/pip-audit --strict --disable-pip --requirement requirements.lock

.venv-lock/installed: requirements-lock.txt | setup
	@$(python) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --disable-pip-version-check --quiet -r $<
	@cp $< $@

golden: setup-dev .venv-parity/installed
	.venv-parity/bin/python -m tests.checkpoints.make

.venv-parity/installed: requirements.txt requirements-dev.txt requirements-parity.txt
	@echo "Making .venv-parity, with PyTorch and transformers (some minutes the first time)."
	@$(python) -m venv .venv-parity
	@.venv-parity/bin/python -m pip install --disable-pip-version-check --quiet \
	-r requirements-parity.txt
	@.venv-parity/bin/python -m pip install --disable-pip-version-check --quiet \
	--no-deps open_clip_torch==3.3.0
	@cat $^ >$@

bench: setup-dev .venv-parity/installed
	@$(python) -m bench

reliability: setup-dev .venv-reliability/installed
	@$(python) -m reliability

.venv-reliability/installed: requirements-reliability.txt | setup
	@$(python) -m venv .venv-reliability
	@.venv-reliability/bin/python -m pip install --disable-pip-version-check --quiet -r $<
	@cp $< $@

soak: setup-dev
	@$(python) -m reliability.soak $(MINUTES)

icons: setup-dev
	@$(python) -m tools.icons

screenshots: setup-dev
	@$(python) -m tools.screenshots

# PyTorch is a download of gigabytes, so it has an environment of its own.
starter: setup
	@test -e artefacts/starter/venv/whole || { echo "Making artefacts/starter/venv."; \
	rm -rf artefacts/starter/venv && $(python) -m venv artefacts/starter/venv; }
	@artefacts/starter/venv/bin/python -m pip install --disable-pip-version-check --quiet \
	-r tools/starter/requirements.txt && touch artefacts/starter/venv/whole
	@artefacts/starter/venv/bin/python -m tools.starter

starter-eval: setup
	@$(python) -m tools.starter.evaluate

vendor: node_modules/.package-lock.json
	@cp node_modules/htmx.org/dist/htmx.min.js static/vendor/htmx.min.js
	@cp node_modules/htmx.org/LICENSE static/vendor/htmx.LICENSE
	@node_modules/.bin/esbuild tools/vendor/deck.js --bundle --minify --format=esm --legal-comments=none \
	--log-level=warning --outfile=static/vendor/deck.min.js
	@cp node_modules/@deck.gl/core/LICENSE static/vendor/deck.LICENSE
	@cp node_modules/axe-core/axe.min.js tests/vendor/axe.min.js
	@cp node_modules/axe-core/LICENSE tests/vendor/axe.LICENSE

# Desktops have a LANGUAGE in the environment, which is another thing.
locales: setup-dev
	@$(python) -m tools.locales $(if $(findstring command,$(origin LANGUAGE)),$(LANGUAGE))

assets: node_modules/.package-lock.json
	@$(tailwind) static/app.css
	@$(esbuild) --outdir=static

assets-check: node_modules/.package-lock.json
	@$(tailwind) node_modules/built/app.css
	@$(esbuild) --outdir=node_modules/built
	@for file in $(assets); do cmp -s node_modules/built/$$file static/$$file || { \
	echo "static/$$file is not what its sources give: run make assets and commit it." >&2; exit 1; }; done

node_modules/.package-lock.json: package.json package-lock.json
	@node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' 2>/dev/null && command -v npm >/dev/null || { \
	echo "Style sheet and scripts are built with npm and Node 20 or newer (macOS: brew install node)." >&2; \
	exit 1; }
	@npm ci --loglevel=error --no-progress
	@touch $@

clean:
	rm -rf .venv .venv-lock .venv-parity .venv-rclip .venv-reliability .venv-node node_modules .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
