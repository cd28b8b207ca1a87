"""Public sets that our benchmarks use and that do not ship: users get them from their owners.

A checksum is the SHA-256 of a file's content, unpacked where the file is gzipped. Where `note` says
that a file was derived, it was made from the owner's files at that commit, and a file of the owner
has another checksum. No set holds account, address, time and prompt together.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import NamedTuple

from stillwatch.errors import InputError

__all__ = ["PUBLIC_SETS", "PublicSet", "checksum"]


class PublicSet(NamedTuple):
    """Where a set comes from, under which licence, and what it adds. `files`: name → SHA-256."""

    name: str
    repository: str
    commit: str
    licence: str
    adds: str
    files: dict[str, str]
    note: str = ""

    @property
    def address(self) -> str:
        """Where the owner publishes the commit that was used."""
        return f"https://github.com/{self.repository}/tree/{self.commit}"


def checksum(path: Path) -> str:
    """SHA-256 of the content of the file at `path`, unpacked when its name ends in ``.gz``.

    Raises:
        InputError: it cannot be read, or is no gzip file though its name says so.
    """
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"the gzip file is damaged: {error}", path=path) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error


PUBLIC_SETS = (
    PublicSet(
        "azure-llm-2023",
        "Azure/AzurePublicDataset",
        "b469a113cedca53ddc3bdea71a143dc4b7d8700c",
        "CC-BY-4.0",
        "arrivals with token counts, 58 minutes of a production service",
        {
            "AzureLLMInferenceTrace_code.csv": (
                "54e9a6d2a4bd06ba1e060304b900abbc74cbea53de96506e60fe5bb4f2277fb6"
            ),
            "AzureLLMInferenceTrace_conv.csv": (
                "2f1e5b666d4e3055fdbba98598ce2ec307767b9064e03e2fa46676dbcc7d0bf8"
            ),
        },
    ),
    PublicSet(
        "mooncake",
        "kvcache-ai/Mooncake",
        "3b5a594133958449a1feaf1c9e0fc1b553e34a28",
        "Apache-2.0",
        "arrivals with block hashes: prefix reuse and sessions",
        {
            "conversation_trace.jsonl": (
                "b8cbb061a85206d729d91cdc2981f43c9e0d99209dce588d3af5f7934408b9df"
            )
        },
    ),
    PublicSet(
        "servegen",
        "alibaba/ServeGen",
        "f891d1189eb32b3868dfc443800c4150548c282a",
        "Apache-2.0",
        "rates, burstiness and inter-arrival laws of 422 clients, up to 14 days",
        {
            "client_traces.parquet": (
                "c0daac9fbd74a829fd28b0df268f5dc9f16886bdca700d4f4b0cf7093adaa986"
            )
        },
        "derived: every data/**/chunk-*-trace.csv in one file, windows without requests left out",
    ),
    PublicSet(
        "arena-hard",
        "lmarena/arena-hard-auto",
        "196f6b826783b3da7310e361a805fa36f0be83f3",
        "Apache-2.0",
        "1,250 hard prompts of real chat users",
        {
            "question_v0.1.jsonl": (
                "1ecee6fa8fd9a903867b0999d69001ce1dfc6697b12c55afbf5bc91987d0a461"
            ),
            "question_v2.0.jsonl": (
                "1b5c795a10ecc9bddd3b07623733f9e082c5e2387e4729935a21c84bcc9d7d5d"
            ),
        },
        "derived: data/*/question.jsonl, one prompt a row, e-mail addresses replaced",
    ),
    PublicSet(
        "banking77",
        "PolyAI-LDN/task-specific-datasets",
        "57ec275d8078af65b7731c2a98be812d844a6d6b",
        "CC-BY-4.0",
        "13,083 support questions: 77 intents in many human wordings",
        {
            "test.csv": "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d",
            "train.csv": "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b",
        },
    ),
    PublicSet(
        "gsm8k",
        "openai/grade-school-math",
        "3101c7d5072418e28b9008a6636bde82a006892c",
        "MIT",
        "8,792 reasoning problems",
        {
            "test.jsonl": "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14",
            "train.jsonl": "17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465",
        },
    ),
    PublicSet(
        "self-instruct",
        "yizhongw/self-instruct",
        "0b26ccaa415992100fa32df62d41b994cf928e23",
        "Apache-2.0",
        "427 seed tasks of the best-known distillation pipeline",
        {
            "seed_tasks.jsonl": (
                "7779004fa198fdf27cf70a159363879d8a26c53329e11b436af17b3941875f48"
            ),
            "user_oriented_instructions.jsonl": (
                "81d60a117db495cecedecd9193504fd07c5b5a42f6699ef6b0f9da10fc22f42e"
            ),
        },
    ),
    PublicSet(
        "camel",
        "camel-ai/camel",
        "294fe26d6ef9cac3feb04815dda8fd5aa3f2c933",
        "Apache-2.0",
        "role and topic lists of a grid generator",
        {"lists.json": "46a29b1d9bec0f03d63c8cdaf4d2d3e6a9bc19c6a2233495bc9f479183f54e4a"},
        "derived: the lists under data/ and the task templates in one file",
    ),
    PublicSet(
        "persona-hub",
        "tencent-ailab/persona-hub",
        "72bf19b886312041b32f7cae12c02dab8653c6fa",
        "MIT (templates only; the personas are CC-BY-NC-SA-4.0 and not used)",
        "4 templates of a persona generator",
        {"templates.json": "b1894e2e0cef07fa17b55f677d91e7c199f8d4d6d3700f4de4701df0cf9e3a2a"},
        "derived: the strings of code/prompt_templates.py",
    ),
    PublicSet(
        "xstest",
        "paul-rottger/exaggerated-safety",
        "d7bb5bd738c1fcbc36edd83d5e7d1b71a3e2d84d",
        "CC-BY-4.0",
        "450 prompts, and 5 x 450 replies with human refusal labels",
        {
            "completions_gpt4.csv": (
                "ba3b1e79ace763998ecdb48bbec70e3a4d763d8402cbb740f58ed6d275fc324a"
            ),
            "completions_llama2new.csv": (
                "14cb194968a29e7c5d0c2e280657f2ff14ea52f173ca12bc786387abd5185a70"
            ),
            "completions_llama2orig.csv": (
                "a918c4d0c7355da5c80ce73dd7bc79b20422148b265851afe1e53c08e472ce48"
            ),
            "completions_mistralguard.csv": (
                "e3e0abcef20d95f3ea607e3db08104edb4e2593e38ce8fd517e69e06cc35260e"
            ),
            "completions_mistralinstruct.csv": (
                "68adba2f51206f6ef30d3f5d755ef5e3f550b738b6f269220fca4067eb513794"
            ),
            "xstest_prompts.csv": (
                "11783fb294ed017473ee53c207d71f2161c7672c8d0b037501e78387f801cb5a"
            ),
        },
        "renamed: evaluation/automated_evaluation_labels/*_gpteval.csv became completions_*.csv",
    ),
)
