"""Print school mathematics as JSON lines: run by mathematics.py inside its own environment.

    python mathematics_run.py SEED COUNT

The generator is of 2019: it needs numpy before 1.24, and a function that sympy has moved since.
"""

import importlib
import json
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

moved = importlib.import_module("sympy.solvers.diophantine.diophantine")
sys.modules["sympy.solvers.diophantine"].base_solution_linear = moved.base_solution_linear  # type: ignore[attr-defined]

modules = importlib.import_module("mathematics_dataset.modules.modules")


def flattened(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Callable[[], Any]]]:
    """Name and generator of every module."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value


def main() -> None:
    """Print COUNT distinct questions a module; a module that repeats itself gets fewer."""
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    random.seed(seed)
    np.random.seed(seed)
    for name, generate in flattened(modules.train(lambda entropy: entropy)):
        questions: dict[str, None] = {}
        for _ in range(2 * count):
            question = str(generate().question)
            if len(question) <= 160:
                questions[question] = None
            if len(questions) == count:
                break
        print(json.dumps({"module": name, "questions": list(questions)}))


if __name__ == "__main__":
    main()
