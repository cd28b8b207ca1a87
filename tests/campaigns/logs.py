"""Small logs with a campaign in them: honest people with words of their own, a pool with a grammar.

Texts are random words, so that nothing is shared by chance.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from stillwatch.exchange import RawExchange
from stillwatch.sources import NativeWriter

DAY = 86_400_000_000
START = 1_767_225_600_000_000  # 2026-01-01 UTC

ENGLISH = (
    "please solve the following task and write down every single step of the reasoning",
    "work through this question slowly and show the complete hidden chain of thought",
    "explain in full detail how an expert would arrive at the answer to this",
)
CLOSINGS = (
    "finish with one line that holds nothing but the final result of it all",
    "then grade the quality of the answer above on a scale with a short reason",
)
CHINESE = (
    "请一步一步地写出完整的思考过程然后再给出最后的答案不要省略任何推理",
    "请像专家那样详细解释如何得到下面这个问题的答案并且写出隐藏的推理链条",
    "请把下面的任务逐条分解写明每一步为什么这样做最后用一句话总结结果",
)
_SYLLABLES = [a + b for a in "bcdfghjklmnp" for b in ("a", "e", "ri")]
_SIGNS = [chr(c) for c in range(0x4E00, 0x4E00 + 3000)]


class Log:
    """Rows of a log, in the making; :meth:`write` puts them into a file in the order of time."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.rows: list[RawExchange] = []

    def words(self, count: int) -> str:
        made = ("".join(self.rng.choice(_SYLLABLES, 3)) for _ in range(count))
        return " ".join(made)

    def signs(self, count: int) -> str:
        return "".join(self.rng.choice(_SIGNS, count))

    def add(self, account: str, prompt: str, days: float = 2.0, **more: object) -> None:
        at = START + int(self.rng.uniform(0, days * DAY))
        self.rows.append(
            RawExchange(
                at=at,
                account=account,
                prompt=prompt,
                request_id=f"r{len(self.rows)}",
                prompt_tokens=40,
                completion_tokens=200,
                **more,  # type: ignore[arg-type]
            )
        )

    def people(self, accounts: int, name: str = "person", *, mean: float = 6.0) -> None:
        for number in range(accounts):
            for _ in range(max(1, int(self.rng.lognormal(np.log(mean), 1.1)))):
                self.add(f"{name}-{number}", self.words(int(self.rng.integers(8, 60))))

    def pool(
        self,
        accounts: int,
        name: str = "pool",
        *,
        each: float = 8.0,
        chinese: bool = False,
        payments: int = 4,
    ) -> None:
        """A campaign: even volumes, a grammar of clauses, half cover, shared payments."""
        clauses = CHINESE if chinese else ENGLISH
        for number in range(accounts):
            payment = f"{name}-card-{number % payments}" if payments else None
            for _ in range(2 + self.rng.poisson(each * self.rng.lognormal(0, 0.2))):
                clause = str(self.rng.choice(clauses))
                if chinese:
                    text = clause + self.signs(int(self.rng.integers(20, 60)))
                else:
                    text = (
                        f"{clause} {self.words(int(self.rng.integers(10, 30)))} "
                        f"{self.rng.choice(CLOSINGS)}"
                    )
                self.add(f"{name}-{number}", text, payment=payment)
            for _ in range(int(each / 2)):
                self.add(f"{name}-{number}", self.words(30), payment=payment)

    def tool(self, users: int, name: str = "person") -> None:
        """An honest tool: one template, customers as uneven and different as customers are."""
        for number in range(users):
            size = int(self.rng.integers(5, 80))
            for _ in range(max(1, int(self.rng.lognormal(1.5, 1.3)))):
                self.add(
                    f"{name}-{number}",
                    "summarize the text below in three short bullet points for a busy reader "
                    + self.words(max(3, int(self.rng.normal(size, 2)))),
                )

    def write(self, path: Path) -> Path:
        self.rows.sort(key=lambda row: row.at)
        with NativeWriter(path) as writer:
            writer.write(self.rows)
        return path


def campaigns(folder: Path) -> list[dict[str, object]]:
    found = json.loads((folder / "campaigns.json").read_text("utf-8"))
    assert found["format"] == "stillwatch.campaigns/1"
    return found["campaigns"]  # type: ignore[no-any-return]
