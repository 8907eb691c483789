#!/bin/sh
# Makes .venv at the project's root, or brings it up to date.
#
#     tools/setup.sh        what the program needs
#     tools/setup.sh dev    that, and the tools that check it
#
# PYTHON=... chooses the Python. One line a step; silent when there is nothing to do.
#
# .venv/whole exists only while no step is half done: a set-up that was cut off leaves none,
# and the next one starts again. Each .installed file is a copy of what was asked for.
set -eu
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$(dirname "$0")/.."

log=$(mktemp "${TMPDIR:-/tmp}/kindred-setup.XXXXXX")
trap 'rm -f "$log"' EXIT

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

quietly() {
    "$@" >"$log" 2>&1 && return
    status=$?
    cat "$log" >&2
    return $status
}

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}

has_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

# Sets `python`, or leaves it empty and says in `why` what stood in the way.
find_python() {
    python='' newer='' why='No Python was found.'
    if [ -n "${PYTHON:-}" ]; then
        case $(version_of "$PYTHON") in
            3.1[0-9] | 3.[2-9][0-9]) ;;
            '') fail "PYTHON=$PYTHON does not run: Kindred needs Python 3.10 or newer." ;;
            *) fail "PYTHON=$PYTHON is Python $(version_of "$PYTHON"): Kindred needs 3.10 or newer." ;;
        esac
        has_venv "$PYTHON" || fail "PYTHON=$PYTHON has no venv module (Debian: apt install python3-venv)."
        python=$PYTHON
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python3.10 python3.14; do
        version=$(version_of "$candidate")
        case $version in
            '') continue ;;
            2.* | 3.[0-9])
                why="$candidate is Python $version, which is too old."
                continue ;;
        esac
        if ! has_venv "$candidate"; then
            why="$candidate is Python $version, but its venv module is missing (Debian: apt install python$version-venv)."
            continue
        fi
        case $version in
            3.1[0-3]) python=$candidate; return ;;
            *) newer=${newer:-$candidate} ;;
        esac
    done
}

make_venv() {
    find_python
    rm -rf .venv
    # Packages with compiled parts come late to a new Python, so uv's 3.12 goes before one.
    if [ -z "$python" ] && command -v uv >/dev/null; then
        echo "Making .venv with uv's Python 3.12."
        quietly uv venv --python 3.12 --seed .venv || fail "uv could not make .venv (see above)."
    elif [ -n "${python:=$newer}" ]; then
        echo "Making .venv with Python $(version_of "$python")."
        quietly "$python" -m venv .venv || fail "$python could not make .venv (see above)."
    else
        fail "$why Kindred needs Python 3.10 or newer:" \
            "  Debian, Ubuntu   sudo apt install python3 python3-venv" \
            "  macOS            brew install python@3.12" \
            "  anywhere         install uv (https://docs.astral.sh/uv), which brings its own"
    fi
    : >.venv/whole
}

# install NAME WHAT FILE...: the first file is what pip reads, all of them together are the stamp.
install() {
    stamp=.venv/$1.installed what=$2 file=$3
    case $file in *.lock) hashes=--require-hashes ;; *) hashes= ;; esac
    shift 2
    cat "$@" | cmp -s - "$stamp" && return
    echo "Installing $what."
    rm .venv/whole
    if ! quietly .venv/bin/python -m pip install --disable-pip-version-check --quiet $hashes -r "$file"; then
        # A pip that failed changed nothing: what was there still works. A killed one (128 + n) did.
        [ "$status" -ge 128 ] || : >.venv/whole
        fail "The packages could not be installed (see above). Is there a network? Then make setup again."
    fi
    cat "$@" >"$stamp"
    : >.venv/whole
}

if [ ! -e .venv ]; then
    make_venv
elif [ ! -e .venv/whole ]; then
    echo "The last set-up was cut off: starting again."
    make_venv
elif ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    echo "The Python that .venv was made with is gone: starting again."
    make_venv
fi

install run "what Kindred needs (a minute or two the first time)" requirements.lock
if [ "${1:-}" = dev ]; then
    install dev "the tools that check it" requirements-dev.txt requirements.lock
fi
