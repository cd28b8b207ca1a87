#!/bin/sh
# Every check that needs no root and no service, each named before it runs. $1 is the venv's bin.
set -eu
unset PYTHONDONTWRITEBYTECODE # tests start hundreds of processes, each in a third of the time
bin=$1
step() { printf '\n== %s\n' "$1"; shift; "$@"; }
step "formatter"        "$bin/ruff" format --check --quiet src tests tools benchmarks
step "linter"           "$bin/ruff" check --quiet src tests tools benchmarks
step "types (strict)"   "$bin/mypy" --no-error-summary
step "doors"            "$bin/lint-imports" --no-logo
step "tests"            "$bin/python" -m pytest -q -n 3 --dist worksteal -m "not service and not slow" # some wait
printf '\nLeft out, because they are long or need root, a service or a browser (.ci/run runs them):\n'
"$bin/python" -m pytest -q --collect-only -m "service or slow" 2>/dev/null | grep '::' || echo "  nothing"
