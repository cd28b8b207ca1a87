#!/bin/sh
# Resolves requirements/*.in to versions and hashes. `uv` is used as a resolver only; nothing else needs it.
# litellm-enterprise, of LiteLLM's extra `proxy`, is not free software; LiteLLM runs without it.
set -eu
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
"$1" -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --disable-pip-version-check uv
for name in core dev litellm; do
    "$here/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-package litellm-enterprise --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
        "requirements/$name.in" --output-file "requirements/$name.txt"
done
