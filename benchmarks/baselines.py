"""What three baselines find of the hidden campaigns, and whom they accuse.

    python benchmarks/baselines.py --seeds 1 2 [--preset demo] [--accounts 3200]
    python benchmarks/baselines.py --traffic A.parquet [B.parquet …] --labels A B …

Simulates one log a seed (`--accounts` innocents, campaigns scaled with them so that loads per
account stay), or reads logs with their labels. Every log is judged; the classifier is trained on
the log before it, the first on the last, and is left out where there is only one. Identity is
simulated; figures are shares of accounts.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stillwatch.lab.baselines import (
    CorpusOnly,
    Examined,
    Judged,
    Labels,
    MmdWindow,
    Outcome,
    PromptFeatures,
    Rules,
    outcome,
    rows_of,
)
from stillwatch.lab.demo import write_traffic
from stillwatch.lab.traffic import preset, simulate

_Log = tuple[str, Path, Path]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--preset", default="demo")
    parser.add_argument(
        "--accounts", type=int, help="innocent accounts; the preset's own if left out"
    )
    parser.add_argument("--traffic", type=Path, nargs="+", default=[])
    parser.add_argument("--labels", type=Path, nargs="+", default=[])
    asked = parser.parse_args()
    if len(asked.traffic) != len(asked.labels):
        parser.error("--traffic and --labels need the same number of files")
    if len(set(asked.seeds)) < len(asked.seeds):
        parser.error("--seeds must differ: the classifier is never asked about its training data")
    print("$ python benchmarks/baselines.py", shlex.join(sys.argv[1:]))
    with tempfile.TemporaryDirectory() as folder:
        logs = list(_given(asked) if asked.traffic else _simulated(asked, Path(folder)))
        for number, log in enumerate(logs):
            _print_log(log, logs[number - 1] if len(logs) > 1 else None)


def _given(asked: argparse.Namespace) -> Iterator[_Log]:
    for log, labels in zip(asked.traffic, asked.labels, strict=True):
        yield log.name, log, labels


def _simulated(asked: argparse.Namespace, folder: Path) -> Iterator[_Log]:
    scenario = preset(asked.preset)
    if asked.accounts:
        scenario = scenario.scaled(asked.accounts / scenario.accounts)
    for seed in asked.seeds:
        log, labels = folder / f"{seed}.parquet", folder / f"{seed}.labels.parquet"
        write_traffic(simulate(scenario, seed), log, labels)
        yield f"{scenario.name}, {scenario.accounts:,} innocent accounts, seed {seed}", log, labels


def _print_log(log: _Log, training: _Log | None) -> None:
    name, path, labels_path = log
    labels = Labels.read(labels_path)
    outcomes: dict[str, Outcome] = {}
    for method, judged in _all_judged(path, labels):
        outcomes[method] = outcome(judged, labels)
    examined: Examined | None = None
    if training:
        model = CorpusOnly.train(rows_of(training[1]), Labels.read(training[2]))
        examined = model.examine(rows_of(path), labels)
        outcomes[model.name] = outcome(examined.judged, labels)
    print(f"\n{name}: {len(labels.guilty)} attackers, {len(labels.innocent):,} innocent")
    print(f"{'':32}{'recall':>10}{'innocents':>11}{'recall at':>11}")
    print(f"{'method':32}{'(own)':>10}{'flagged':>11}{'1 % FPR':>11}")
    for method, each in outcomes.items():
        print(f"{method:32}{each.recall:10.1%}{each.accused:11.2%}{each.recall_at:11.1%}")
    _print_kinds(outcomes)
    if examined and training:
        print(f"corpus-only classifier, trained on {training[0]}:")
        print(f"  AUC of single prompts {examined.auc:.4f}; {examined.auc_unseen:.4f} over the "
              f"{examined.unseen:,} whose text did not occur in training")  # fmt: skip
    else:
        print("corpus-only classifier: left out, it needs a second log to train on")


def _all_judged(path: Path, labels: Labels) -> Iterator[tuple[str, Judged]]:
    features = PromptFeatures.of(rows_of(path))
    pooled = MmdWindow(labels, percentile=95), MmdWindow(labels, percentile=99)
    for mmd in (*pooled, MmdWindow(labels, windows="accounts", percentile=99)):
        yield mmd.name, mmd.judge_features(features)
    del features
    rules = Rules()
    yield rules.name, rules.judge(rows_of(path))


def _print_kinds(outcomes: dict[str, Outcome]) -> None:
    innocents = next(iter(outcomes.values())).innocents
    print("\ninnocents flagged, share by kind; columns in the order above")
    for kind, count in sorted(innocents.items()):
        shares = "".join(f"{each.flagged.get(kind, 0) / count:9.1%}" for each in outcomes.values())
        print(f"  {kind:20}{count:7,}{shares}")


if __name__ == "__main__":
    main()
