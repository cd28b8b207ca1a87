"""Audits of pairs of models by knowlyr-modelaudit (0.4.1), from recorded answers.

    VENV/bin/python benchmarks/model_audit/auditing.py < pairs.json

In: {"answers": {model: {prompt: answer}}, "pairs": [[teacher, suspect]]}. Out: of each pair its
verdict and the two similarities that it rests on. The package asks models over HTTP; here what
it asks is answered from the record, and the prompts are those of the record in place of its own
eight. Everything else is its own `AuditEngine.audit`.
"""

from __future__ import annotations

import json
import sys

from modelaudit.engine import AuditEngine
from modelaudit.methods import llmmap
from modelaudit.probes import prompts


def main() -> None:
    """Print the verdicts as JSON."""
    given = json.load(sys.stdin)
    answers = given["answers"]
    asked = list(next(iter(answers.values())))
    prompts.DEFAULT_PROBES[:] = [
        prompts.Probe(id=f"{i}", category="style", prompt=prompt, description="")
        for i, prompt in enumerate(asked)
    ]

    def recorded(model: str, prompt: str, **_: object) -> str:
        return str(answers[model][prompt])

    llmmap._call_model_api = recorded
    engine, out = AuditEngine(use_cache=False), []
    for teacher, suspect in given["pairs"]:
        said = engine.audit(teacher, suspect, num_probes=len(asked))
        out.append(
            {"verdict": said.verdict, **{each.method: each.similarity for each in said.comparisons}}
        )
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
