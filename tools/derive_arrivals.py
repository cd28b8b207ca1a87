"""Derive `lab/traffic/arrivals.toml` from three public traces; the traces stay outside.

    python tools/derive_arrivals.py DATA > src/stillwatch/lab/traffic/arrivals.toml

DATA holds `servegen/client_traces.parquet` (every client trace of alibaba/ServeGen at f891d11 in
600 s windows: model, client, t, rate, cv, dist, p1), `mooncake/conversation_trace.jsonl.gz`
(kvcache-ai/Mooncake, FAST25-release) and `azure-llm-2023/AzureLLMInferenceTrace_{code,conv}.csv`
(Azure/AzurePublicDataset). Only figures leave this script: quantiles, fitted parameters, counts.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
DAY, HOUR = 86_400, 3_600
BLOCK = 512  # tokens a Mooncake hash covers


def main(data: Path) -> None:
    print("# Figures derived by tools/derive_arrivals.py; no row of the traces is in here.")
    print("# Quantile tables are at these levels:")
    show("levels", list(LEVELS))
    servegen(data / "servegen" / "client_traces.parquet")
    mooncake(data / "mooncake" / "conversation_trace.jsonl.gz")
    for name in ("conv", "code"):
        azure(name, data / "azure-llm-2023" / f"AzureLLMInferenceTrace_{name}.csv")


def servegen(path: Path) -> None:
    """Per-client load: spread of rates, burstiness, duty, and the shape of a day."""
    table = pq.read_table(path)
    trace = {
        c: table[c].to_numpy(zero_copy_only=False) for c in ("client", "t", "rate", "cv", "p1")
    }
    model = np.array(table["model"].to_pylist())
    weibull = np.array(table["dist"].to_pylist()) == "Weibull"
    print("\n[servegen]")
    print('source = "alibaba/ServeGen f891d11 (Apache-2.0); clients of 5 models"')
    spread, cvs, duties, amplitudes, profiles, shapes = {}, [], [], [], [], []
    clients = 0
    for name in np.unique(model):
        of_model = model == name
        span = int(trace["t"][of_model].max()) + 600
        means = []
        for client in np.unique(trace["client"][of_model]):
            mine = of_model & (trace["client"] == client)
            clients += 1
            rate, at = trace["rate"][mine], trace["t"][mine]
            means.append(rate.sum() * 600 / span)
            duties.append(len(rate) * 600 / span)
            if len(rate) < 6:
                continue
            cvs.append(float(np.nanmedian(trace["cv"][mine])))
            if (mine & weibull).sum() >= 6:
                shapes.append(float(np.nanmedian(trace["p1"][mine & weibull])))
            if span >= 7 * DAY and np.unique(at // DAY).size >= 5:
                profile = np.bincount(at // HOUR % 24, weights=rate, minlength=24)
                profile /= profile.mean()
                first = np.fft.rfft(profile)[1] / 12
                amplitudes.append(abs(first))
                if 0.3 <= abs(first) <= 1.5:
                    peak = round(-np.angle(first) * 12 / np.pi)
                    profiles.append(np.roll(profile, 14 - peak))
        spread[str(name)] = round(float(np.log(means).std()), 2)
    show("clients", clients)
    show("rate_log_sd", spread)
    quantiles("interarrival_cv", cvs)
    quantiles("weibull_shape", shapes)
    show("weibull_share", round(float(weibull.mean()), 3))
    quantiles("active_share", duties)
    quantiles("daily_amplitude", amplitudes)
    print("# mean day of the clients with an amplitude of 0.3 to 1.5, turned to peak at 14:00")
    show("daily_shape", [round(float(x), 3) for x in np.mean(profiles, axis=0)])


def mooncake(path: Path) -> None:
    """Conversations: a request whose 512-token blocks extend those of an earlier one."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    owner: dict[int, int] = {}
    sessions: list[list[Any]] = []
    gaps, cached, turns = [], [], []
    for row in rows:
        blocks = row["hash_ids"]
        known = next((k for k in range(len(blocks), 1, -1) if blocks[k - 1] in owner), 0)
        if known:
            session = owner[blocks[known - 1]]
            gaps.append((row["timestamp"] - sessions[session][1]) / 1000)
            cached.append(min(1.0, known * BLOCK / row["input_length"]))
            sessions[session] = [sessions[session][0] + 1, row["timestamp"]]
        else:
            session = len(sessions)
            sessions.append([1, row["timestamp"]])
        owner.update(dict.fromkeys(blocks[1:], session))
    turns = [session[0] for session in sessions]
    print("\n[mooncake]")
    print('source = "kvcache-ai/Mooncake FAST25-release conversation trace (Apache-2.0), 59 min"')
    show("requests", len(rows))
    counts = np.bincount(turns, minlength=13)[1:]
    show("turns", [round(float(x), 4) for x in (*counts[:11], counts[11:].sum()) / counts.sum()])
    logs = np.log([g for g in gaps if g > 0])
    show("turn_gap_log", {"mean": round(float(logs.mean()), 3), "sd": round(float(logs.std()), 3)})
    quantiles("cached_share", cached)
    quantiles("output_tokens", [row["output_length"] for row in rows])


def azure(name: str, path: Path) -> None:
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    print(f"\n[azure_{name}]")
    print('source = "AzureLLMInferenceTrace 2023 (CC-BY-4.0), Splitwise, ISCA 2024"')
    show("requests", len(rows))
    quantiles("input_tokens", [int(row["ContextTokens"]) for row in rows])
    quantiles("output_tokens", [int(row["GeneratedTokens"]) for row in rows])


def quantiles(name: str, values: list[Any]) -> None:
    show(name, [round(float(x), 4) for x in np.quantile(values, LEVELS)])


def show(name: str, value: object) -> None:
    if isinstance(value, dict):
        inner = ", ".join(f'"{k}" = {v}' for k, v in value.items())
        print(f"{name} = {{ {inner} }}")
    else:
        print(f"{name} = {value}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {Path(sys.argv[0]).name} DATA   (see the top of the file)")
    main(Path(sys.argv[1]))
