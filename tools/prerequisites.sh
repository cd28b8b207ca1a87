#!/bin/sh
# Names a missing prerequisite in one line; called before anything is installed.
python=$1
command -v "$python" >/dev/null 2>&1 || { echo "stillwatch: '$python' is missing: install Python 3.11 or later (Debian: apt-get install python3 python3-venv make)" >&2; exit 2; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "stillwatch: $("$python" --version) is too old: Python 3.11 or later is needed (name another with 'make PYTHON=python3.12 …')" >&2; exit 2; }
"$python" -c 'import ensurepip, venv' 2>/dev/null || { echo "stillwatch: the venv module is missing (Debian: apt-get install python3-venv)" >&2; exit 2; }
