"""School mathematics, printed by a published generator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from corpus_build.clean import Seen
from corpus_build.licences import apache
from corpus_build.store import Draft, SetDraft

__all__ = ["mathematics"]

_SEED, _COUNT = 1, 400
_PINS = ("absl-py==2.5.1", "mpmath==1.3.0", "numpy==1.23.5", "six==1.17.0", "sympy==1.14.0")
_NAME, _VERSION = "mathematics-dataset", "1.0.1"


def mathematics(cache: Path, seen: Seen) -> SetDraft:
    """At most 400 distinct questions of each of the 56 modules."""
    pool = Draft("maths", kind="generated")
    for row in map(json.loads, _printed(cache).splitlines()):
        for question in row["questions"]:
            if seen.exactly_new(question):
                pool.add(question, f"{_NAME} {_VERSION}", row["module"])
    about = f"""
package: PyPI {_NAME} {_VERSION}, run with seed {_SEED}
licence: Apache-2.0
holds: maths: school mathematics printed by the generator (kind: generated)
selection: at most {_COUNT} distinct questions of at most 160 characters a module
group: the module
"""
    return SetDraft("mathematics", about, {f"{_NAME} {_VERSION} (Apache-2.0)": apache()}, [pool])


def _printed(cache: Path) -> bytes:
    """What the generator prints, kept in the cache: it takes minutes."""
    run = Path(__file__).with_name("mathematics_run.py")
    kept = cache / f"mathematics-{_SEED}-{_COUNT}.jsonl"
    if not kept.exists():
        command = [_python(cache), "-W", "ignore", run, str(_SEED), str(_COUNT)]
        fixed = os.environ | {"PYTHONHASHSEED": "0"}
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=fixed).stdout
        kept.write_bytes(printed)
    return kept.read_bytes()


def _python(cache: Path) -> Path:
    """The interpreter of an environment in which the generator runs, made once."""
    folder = cache / "mathematics"
    python = folder / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "--no-deps", *_PINS, f"{_NAME}=={_VERSION}"], check=True)
    return python
