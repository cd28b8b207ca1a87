#!/bin/sh
# Makes the virtual environment or completes it: setup.sh PYTHON VENV REQUIREMENTS [--editable].
# The Makefile writes a stamp only when this succeeds, and everything here may run again, so a set-up
# that failed half-way is never taken for a whole one.
set -eu
python=$1 venv=$2 requirements=$3
sh "$(dirname "$0")/prerequisites.sh" "$python"

if ! "$venv/bin/python" -m pip --version 2>/dev/null | grep -q '^pip '; then
    rm -rf "$venv"
    if ! "$python" -m venv "$venv"; then
        rm -rf "$venv"
        echo "stillwatch: the virtual environment '$venv' could not be made (above: why)" >&2
        exit 2
    fi
fi

install() {
    "$venv/bin/python" -m pip --disable-pip-version-check install --quiet --no-compile "$@" || {
        echo "stillwatch: not every package could be installed (above: why); run the same command again" >&2
        exit 2
    }
}
install --require-hashes --no-deps -r "$requirements" # a lock names everything that is needed
if [ "${4:-}" = --editable ]; then install --no-deps --no-build-isolation -e .; fi
