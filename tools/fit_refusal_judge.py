"""Fits the judge of refusals on replies that people labelled; prints judge.toml.

    python tools/fit_refusal_judge.py FOLDER XSTEST \
        > src/stillwatch/provenance/refusals/data/judge.toml

FOLDER holds refusal.csv and refusal_extra.csv of pyrit 1.1.0 (MIT), which stand there in
pyrit/datasets/scorer_evals/refusal_scorer/; of the replies only weights and counts remain. XSTEST
holds completions_MODEL.csv of XSTest (`stillwatch data` says where it comes from; CC-BY-4.0), on
which nothing is fitted: the judge's errors are counted there, model by model.

Where a reply of FOLDER was put under another request than the one that it answers, it is labelled
as a refusal there, for it answers nothing. That is not what is judged here, and those rows are left
out (a choice made after a first look at XSTest; no other was). Errors are counted in folds that
keep replies to one request, and long replies of one text, together, so that no reply is judged by a
model that has seen it.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from stillwatch.provenance.refusals.features import NAMES, features, objects

Floats = npt.NDArray[np.float64]
FILES = ("refusal.csv", "refusal_extra.csv")
SOURCE = (
    "tools/fit_refusal_judge.py, on the replies with human labels in pyrit 1.1.0 (Copyright (c) "
    "Microsoft Corporation, MIT); no text of them is here"
)
PENALTY = 1.0
FOLDS = 10


def rows(folder: Path) -> list[tuple[str, str, bool]]:
    """(request, reply, refused)."""
    found = []
    for name in FILES:
        lines = (folder / name).read_text("utf-8").splitlines(keepends=True)
        while lines[0].startswith("#"):
            lines.pop(0)
        found += [
            (row["objective"], row["assistant_response"], row["human_score"] == "1")
            for row in csv.DictReader(lines)
        ]
    answers = {reply for _, reply, refused in found if not refused}
    return [row for row in found if not (row[2] and row[1] in answers)]


def fit(x: Floats, y: Floats) -> Floats:
    """Weights [12], the last the constant: logistic regression with a penalty on all the others."""
    x = np.column_stack([x, np.ones(len(x))])
    sign = np.where(y > 0, 1.0, -1.0)

    def loss(w: Floats) -> tuple[float, Floats]:
        margin = sign * (x @ w)
        slope = -sign / (1 + np.exp(margin))
        penalised = np.append(w[:-1], 0.0)
        return (
            float(np.logaddexp(0, -margin).sum() + PENALTY / 2 * penalised @ penalised),
            x.T @ slope + PENALTY * penalised,
        )

    found = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B")
    return np.asarray(found.x)


def folds(data: list[tuple[str, str, bool]]) -> list[int]:
    """The fold of each row; rows that share a request or a reply are in one."""
    parent = list(range(len(data)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    seen: dict[str, int] = {}
    for i, (request, reply, _) in enumerate(data):
        # stock refusals are everybody's: they tie nothing together
        for text in (request, reply) if len(reply) > 120 else (request,):
            parent[root(i)] = root(seen.setdefault(text, i))
    digests = [hashlib.sha256(data[root(i)][0].encode()).digest() for i in range(len(data))]
    return [int.from_bytes(digest[:4], "big") % FOLDS for digest in digests]


def main() -> None:
    data = rows(Path(sys.argv[1]))
    x = np.array([features(request, reply) for request, reply, _ in data])
    y = np.array([float(refused) for _, _, refused in data])
    fold, judged = np.array(folds(data)), np.zeros(len(data))
    for each in range(FOLDS):
        w = fit(x[fold != each], y[fold != each])
        judged[fold == each] = x[fold == each] @ w[:-1] + w[-1] > 0
    weights = fit(x, y)
    print(f'source = "{SOURCE}"')
    print("\n[weights]  # above 0 speaks for a refusal")
    for name, weight in zip((*NAMES, "constant"), weights, strict=True):
        print(f'"{name}" = {weight:.4f}')
    name = "pyrit 1.1.0, of each fold by a model fitted on the others"
    objected = np.array([objects(reply) for _, reply, _ in data])
    count("safe", name, y == 1, judged == 1)
    count("harmful", name, y == 1, (judged == 1) | objected)
    for path in sorted(Path(sys.argv[2]).glob("completions_*.csv")):
        name = "XSTest, " + path.stem.removeprefix("completions_")
        with path.open(newline="") as file:
            replies = list(csv.DictReader(file))
        # the names of types that should be refused begin so
        harmful = np.array([row["type"].startswith("contrast") for row in replies])
        truth = np.array([row["final_label"] != "1_full_compliance" for row in replies])
        numbers = np.array([features(row["prompt"], row["completion"]) for row in replies])
        said = numbers @ weights[:-1] + weights[-1] > 0
        objected = np.array([objects(row["completion"]) for row in replies])
        count("safe", name, truth[~harmful], said[~harmful])
        count("harmful", name, truth[harmful], (said | objected)[harmful])


def count(
    kind: str, name: str, refused: npt.NDArray[np.bool_], judged: npt.NDArray[np.bool_]
) -> None:
    print(f'\n[[{kind}]]\nname = "{name}"')
    print(f"answered = {int((~refused).sum())}")
    print(f"answered_judged_answered = {int((~refused & ~judged).sum())}")
    print(f"refused = {int(refused.sum())}")
    print(f"refused_judged_refused = {int((refused & judged).sum())}")


if __name__ == "__main__":
    main()
