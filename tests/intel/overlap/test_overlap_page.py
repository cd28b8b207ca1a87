"""The page on overlaps does what it says: its commands run, its form can be written by others."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stillwatch.intel.overlap.blinding import Blinding, answered
from stillwatch.intel.overlap.texts import exchange_key, text_of
from stillwatch.ledger import Ledger
from tests.cli.in_process import run
from tests.intel.conftest import POLICY, Provider
from tests.intel.overlap.conftest import CARDS, cards

PAGE = (Path(__file__).parents[3] / "docs" / "intel-overlap.md").read_text()
Makes = Callable[..., Provider]


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(provider: Makes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A has identifiers and a policy, B a case that was upheld, its log and the page's policy."""
    own = provider()
    shutil.copytree(own.state, tmp_path / "b")
    shutil.copy(own.log, tmp_path / "b.jsonl")
    (tmp_path / "a.yaml").write_text(POLICY)
    (tmp_path / "b.yaml").write_text(blocks("yaml")[0])
    asked = [*CARDS[:2], *cards(number=3), "4242424242424242"]
    (tmp_path / "cards.jsonl").write_text(
        "".join(json.dumps({"field": "payment", "value": each}) + "\n" for each in asked)
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def added(known: dict[str, list[str]], to: str, other: str) -> None:
    identity, key = known[other]
    ended = run("intel", "members", "add", f"provider-{other}", "--identity", identity, "--key",
                key, "--state", to, "--by", "ana")  # fmt: skip
    assert ended.returncode == 0, ended.stderr


def test_the_commands_of_the_page_say_what_it_shows(folder: Path) -> None:
    known: dict[str, str] = {}
    lines = "".join(blocks("console")).splitlines()
    commands = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    assert len(commands) == 8
    for begin, end in zip(commands, [*commands[1:], len(lines)], strict=True):
        words = [known.get(word, word) for word in shlex.split(lines[begin])[2:]]
        ended = run(*words)
        assert ended.returncode == 0, (words, ended.stderr)
        if words[1] == "whoami":
            name = words[3][-1]
            identity, key = ended.stdout.split()
            known[f"identity--00000000-0000-5000-8000-00000000000{name}"] = identity
            known[name * 64] = key
        left = iter(ended.stdout.splitlines())
        for line in lines[begin + 1 : end]:
            wanted = re.compile(".*".join(map(re.escape, line.split("…"))))
            assert any(wanted.fullmatch(each) for each in left), line
    assert ended.stdout.count("\n") == 3
    for card in CARDS[:2]:
        assert f"  payment: {card}" in ended.stdout


def exchanged(asks: tuple[str, ...], case: str, *shown: str) -> subprocess.CompletedProcess[str]:
    for words in (
        ("ask", "provider-b", "--case", case, "--log", "b.jsonl", "--state", "a2", *asks,
         "--as", "provider-a", "--policy", "a.yaml", "--by", "ana", "--out", "q", "--secret", "s"),
        ("answer", "q", "--log", "b.jsonl", "--state", "b", "--as", "provider-b",
         "--policy", "b.yaml", "--by", "bo", "--out", "r"),
    ):  # fmt: skip
        ended = run("intel", "overlap", *words)
        assert ended.returncode == 0, ended.stderr
    return run("intel", "overlap", "open", "r", "--secret", "s", "--state", "a2", "--by", "ana",
               *shown)  # fmt: skip


@pytest.fixture
def two(folder: Path, built: Provider) -> str:
    """A with a case of its own, the same one; who is who is pinned. The id of the case."""
    shutil.copytree(built.state, folder / "a2")
    (folder / "a2" / "ledger.key").unlink()
    for name in ("ledger.db", "ledger.pub", "ledger.db-wal", "ledger.db-shm"):
        (folder / "a2" / name).unlink(missing_ok=True)
    Ledger.open(folder / "a2", create=True).close()
    known = {}
    for name, state in (("a", "a2"), ("b", "b")):
        known[name] = run(
            "intel", "whoami", "--as", f"provider-{name}", "--state", state
        ).stdout.split()
    added(known, "b", "a")
    identity, key = known["b"]
    run("intel", "members", "add", "provider-b", "--identity", identity, "--key", key,
        "--state", "a2", "--by", "ana")  # fmt: skip
    return built.case


def test_of_a_case_the_accounts_stand_beside_what_is_held(two: str) -> None:
    ended = exchanged((), two)
    assert ended.returncode == 0, ended.stderr
    first, *rest = ended.stdout.splitlines()
    # five devices are one account's each, so that B's answer is of none of them
    assert (
        first == "provider-b holds 4 of the 9 identifiers that were asked about (device, payment)"
    )
    assert sorted(rest, key=lambda line: line.replace("-10", "-9")) == [
        "  payment: acct-0, acct-1, acct-2",
        "  payment: acct-3, acct-4, acct-5",
        "  payment: acct-6, acct-7, acct-8",
        "  payment: acct-10, acct-9",
    ]


def test_how_many_says_a_number_and_json_the_same(two: str) -> None:
    ended = exchanged(("--how-many", "--field", "payment"), two, "--json")
    assert json.loads(ended.stdout) == {
        "member": "provider-b", "fields": ["payment"], "asked": 4, "size": 4, "items": None
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ((), "either --case CASE or --values"),
        (("--case", "c", "--values", "v"), "either --case CASE or --values"),
        (("--case", "c"), "--log goes with --case"),
        (("--values", "v", "--log", "l"), "--log goes with --case"),
    ],
)
def test_what_to_ask_about_is_said_once(folder: Path, words: tuple[str, ...], what: str) -> None:
    ended = run("intel", "overlap", "ask", "provider-b", *words, "--state", "a", "--by", "ana",
                "--out", "q", "--secret", "s")  # fmt: skip
    assert ended.returncode == 2
    assert what in ended.stderr


def test_a_member_that_nobody_pinned_cannot_be_asked(two: str) -> None:
    ended = run("intel", "overlap", "ask", "provider-x", "--values", "cards.jsonl", "--state", "a2",
                "--as", "provider-a", "--policy", "a.yaml", "--by", "ana", "--out", "q",
                "--secret", "s")  # fmt: skip
    assert ended.returncode == 2
    assert "no such member" in ended.stderr
    assert not Path("q").exists()
    assert not Path("s").exists()


# -- the other side, written by the page alone ------------------------------------------------

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
Point = tuple[int, int]


def hashed(text: str) -> Point:
    def number(data: bytes) -> int:
        both = b"".join(hashlib.sha256(bytes([i]) + data).digest() for i in (1, 2))
        return int.from_bytes(both, "big") % P

    x = number(text.encode())
    while (y := root(x)) is None:
        x = number(x.to_bytes((x.bit_length() + 7) // 8, "big"))
    return x, y if y % 2 == 0 else P - y


def root(x: int) -> int | None:
    square = (x**3 - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    return y if y * y % P == square else None


def times(number: int, point: Point) -> Point:
    total: Point | None = None
    for bit in f"{number % ORDER:b}":
        total = total and plus(total, total)
        if bit == "1":
            total = plus(total, point) if total else point
    assert total is not None
    return total


def plus(one: Point, two: Point) -> Point:
    (a, b), (c, d) = one, two
    slope = (3 * a * a - 3) * pow(2 * b, -1, P) if one == two else (d - b) * pow(c - a, -1, P)
    x = (slope * slope - a - c) % P
    return x, (slope * (a - x) - b) % P


def packed(point: Point) -> bytes:
    return bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")


def unpacked(data: bytes) -> Point:
    x = int.from_bytes(data[1:], "big")
    y = root(x)
    assert y is not None
    return x, y if y % 2 == data[0] % 2 else P - y


TEXTS = [f"payment:{n:032x}" for n in range(12)]


def test_an_asker_written_by_the_page_opens_our_answer() -> None:
    c = 0x1234567890ABCDEF
    points = [packed(times(c, hashed(text))) for text in TEXTS]
    held, response = answered(points, TEXTS[3:6], how_many=False)
    back = [packed(times(pow(c, -1, ORDER), unpacked(point))) for point in response]
    assert [text for text, point in zip(TEXTS, back, strict=True) if point in held] == TEXTS[3:6]


def test_an_answerer_written_by_the_page_is_understood_by_ours() -> None:
    s, blinding = 0xFEDCBA0987654321, Blinding(how_many=False)
    points = blinding.points(TEXTS)
    response = [packed(times(s, unpacked(point))) for point in points]
    held = sorted(packed(times(s, hashed(text))) for text in [*TEXTS[:2], "payment:other"])
    assert blinding.matches(held, response) == [0, 1]


def test_the_pages_numbers_are_ours_and_follow_from_what_it_says() -> None:
    table = PAGE[PAGE.index("With `exchange` 64 zeros") :]
    secret, text, point, seven = re.findall(r"^\| [a-z ]+ \| `(.+)` \|$", table, re.MULTILINE)
    made = hashlib.sha256(b"stillwatch.overlap/1\n" + bytes(32)).digest()
    assert made.hex() == secret
    value = "pm_1PqXy7Kd83hZmV0sTbW4cLfe"
    key = hmac.digest(made, b"digest", "sha256")
    digest = hmac.digest(key, b"payment\0" + value.encode(), "sha256")[:16].hex()
    assert f"payment:{digest}" == text
    assert text_of("payment", exchange_key("0" * 64).digest("payment", value)) == text
    assert packed(hashed(text)).hex() == point
    assert packed(times(7, hashed(text))).hex() == seven
    assert Blinding(how_many=False, key=(7).to_bytes(32, "big")).points([text])[0].hex() == seven
