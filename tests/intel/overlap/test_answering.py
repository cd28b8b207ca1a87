"""A question is answered as the policy allows, of what an export could tell, and opened by A."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stillwatch.cases import open_cases
from stillwatch.errors import (
    IntelError,
    LowEntropyError,
    OutputError,
    OverlapError,
    PolicyError,
    SealError,
    UnknownCaseError,
    WrongMessageError,
)
from stillwatch.intel.overlap import (
    Questions,
    open_answer,
    send,
)
from stillwatch.intel.overlap.message import make_message
from stillwatch.intel.overlap.opening import record_opening
from stillwatch.intel.overlap.secret import read_secret
from stillwatch.ledger import Ledger
from tests.cases.conftest import SCAN, finding
from tests.intel.conftest import ACQUITTED, MEMBERS, NOW, made, random_token
from tests.intel.overlap.conftest import (
    CARDS,
    OVERLAP,
    A,
    Answerer,
    B,
    cards,
    given,
    member,
    opened,
    question,
    told,
)


def test_the_asker_learns_which_of_its_identifiers_are_held_and_nothing_else(
    tmp_path: Path, answerer: Answerer
) -> None:
    asked = question(tmp_path, [*CARDS[:2], *cards(number=9)])
    found = opened(given(answerer.considers(asked.request), answerer), asked)
    assert told(found) == set(CARDS[:2])
    assert (found.size, found.asked, found.fields) == (2, 11, asked.request.header.fields)


def test_or_only_how_many_if_that_was_the_question(tmp_path: Path, answerer: Answerer) -> None:
    asked = question(tmp_path, [*CARDS[1:], *cards(number=70)], asks="how-many")
    found = opened(given(answerer.considers(asked.request), answerer), asked)
    assert (found.size, found.asked, found.items) == (3, 73, None)


def test_an_answer_says_nothing_of_how_much_is_held_but_a_power_of_two(
    tmp_path: Path, answerer: Answerer
) -> None:
    asked = question(tmp_path, cards(number=5))
    answer = given(answerer.considers(asked.request), answerer)
    assert (answer.header.held, len(answer.held)) == (64, 64)
    assert opened(answer, asked).size == 0


def test_no_point_of_two_answers_over_the_same_is_the_same(
    tmp_path: Path, answerer: Answerer
) -> None:
    seen: list[bytes] = []
    for turn in range(2):
        asked = question(tmp_path, CARDS)
        answer = given(answerer.considers(asked.request), answerer, f"answer-{turn}")
        seen += [*asked.request.points, *answer.points, *answer.held]
    assert len(set(seen)) == len(seen)


def test_an_answer_is_of_shared_rare_and_unguessable_values_alone(
    tmp_path: Path, answerer: Answerer
) -> None:
    """Devices of the case are one account's each, or the number of a card."""
    reply = answerer.considers(question(tmp_path, CARDS).request)
    assert reply.held.counted() == {"payment": 4}
    why = {(each.field, each.why) for each in reply.held.dropped}
    assert ("device", "1 value: this looks like the number of a card: there are few enough to try "
            "them all") in why  # fmt: skip
    # the last accounts' cards are those of members, too; a device is one account's
    assert ("device", "5 values: fewer than 2 accounts of the case share it") in why
    strict = answerer.considers(question(tmp_path, CARDS).request, extra=OVERLAP + "  sharers: 3\n")
    assert strict.held.counted() == {"payment": 3}  # one of the last card's three was acquitted


def test_a_crowds_value_stays_out(tmp_path: Path, answerer: Answerer) -> None:
    with answerer.provider.log.open("a") as log:
        for n in range(5):
            row = {"at": "2026-09-02T10:00:00Z", "account": f"honest-{n}", "prompt": "hello there",
                   "payment": CARDS[0]}  # fmt: skip
            log.write(json.dumps(row) + "\n")
    asked = question(tmp_path, CARDS)
    assert told(opened(given(answerer.considers(asked.request), answerer), asked)) == set(CARDS[1:])


def test_a_case_that_nobody_upheld_is_not_answered_of(tmp_path: Path) -> None:
    undecided = Answerer(made(tmp_path, upheld=False))
    asked = question(tmp_path, CARDS)
    reply = undecided.considers(asked.request)
    assert reply.held.items == {}
    assert "verdict: the case is not decided; it has to be upheld" in {
        each.why for each in reply.held.dropped
    }
    with pytest.raises(IntelError, match="no identifier would be in the answer"):
        given(reply, undecided)
    # an answer from nothing looks like any other
    answer = given(reply, undecided, even_empty=True)
    assert answer.header.held == 64
    assert opened(answer, asked).size == 0


def test_of_two_cases_only_the_upheld_one_is_answered_of(
    tmp_path: Path, answerer: Answerer
) -> None:
    others = [f"honest-{n}" for n in range(4)]
    with open_cases(answerer.state) as cases:
        found = finding(id="c-2", accounts=others, exchanges=4, tokens=5)
        (second,) = cases.intake.open([found], SCAN).opened
    with answerer.provider.log.open("a") as log:
        for account in others:
            row = {"at": "2026-09-02T10:00:00Z", "account": account, "prompt": "hello there",
                   "payment": "pm_" + random_token("shared by the second")}  # fmt: skip
            log.write(json.dumps(row) + "\n")
    reply = answerer.considers(question(tmp_path, CARDS).request)
    assert reply.held.cases == (answerer.provider.case,)
    assert reply.held.counted() == {"payment": 4}
    named = answerer.considers(question(tmp_path, CARDS).request, cases=(second,))
    assert named.held.counted() == {}
    with pytest.raises(UnknownCaseError):
        answerer.considers(question(tmp_path, CARDS).request, cases=("case-of-nobody",))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"recipients": "[provider-c]"}, "recipients: the policy does not name provider-a"),
        ({"extra": ""}, "overlap: the policy does not say that questions are answered"),
        ({"extra": "  overlap: {asks: [how-many]}\n"}, "asks: 'which' is not answered"),
        ({"purpose": "something else"}, "purpose: 'preventing model distillation' is none"),
        ({"fields": "[template]"}, "fields: the policy allows none of payment"),
        ({"extra": "  overlap: {asks: [which], most: 100}\n"}, "most: it is about up to 128"),
        ({"extra": "  overlap: {asks: [which], times: 1}\n"}, "times: it is about up to 128"),
    ],
)
def test_what_the_policy_does_not_allow_is_refused_with_the_reason(
    tmp_path: Path, answerer: Answerer, changes: dict[str, str], why: str
) -> None:
    asked = question(tmp_path, cards(number=100), fields=frozenset({"payment"}))
    reply = answerer.considers(asked.request, **changes)
    assert any(line.startswith(why) for line in reply.refused), reply.refused
    with pytest.raises(PolicyError):
        given(reply, answerer)
    assert not (answerer.provider.folder / "answer").exists()
    with Questions(answerer.state) as questions:
        assert questions.answered(A.identity, NOW - timedelta(days=1)) == 0


def test_a_purpose_that_the_policy_lists_is_one(tmp_path: Path, answerer: Answerer) -> None:
    asked = question(tmp_path, CARDS, purpose="stop copying")
    assert answerer.considers(asked.request).refused
    listed = OVERLAP + "    purposes: [stop copying]\n"
    assert answerer.considers(asked.request, extra=listed).refused == ()


def test_of_a_field_that_the_policy_does_not_allow_nothing_is_said(
    tmp_path: Path, answerer: Answerer
) -> None:
    asked = question(tmp_path, CARDS)
    reply = answerer.considers(asked.request, fields="[device, template]")
    assert reply.held.items == {}
    found = opened(given(reply, answerer, even_empty=True), asked)
    assert (found.fields, found.asked, found.size) == (("device",), 0, 0)


def test_a_preview_changes_nothing(tmp_path: Path, answerer: Answerer) -> None:
    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in answerer.state.iterdir()
                if not path.name.endswith(("-wal", "-shm"))}  # fmt: skip

    before = files()
    answerer.considers(question(tmp_path, CARDS).request)
    assert files() == before


def test_both_ledgers_say_that_it_happened_and_nothing_of_identifiers_or_accounts(
    tmp_path: Path, answerer: Answerer
) -> None:
    asked = question(tmp_path, CARDS)
    ours = tmp_path / "a"
    with Ledger.open(ours, create=True) as book:
        send(asked, book, tmp_path / "request", tmp_path / "secret", by="ana", now=NOW)
        answer = given(answerer.considers(asked.request), answerer)
        record_opening(answer, book, by="ana", now=NOW)
        mine = [entry.body for _, entry in book.entries()]
    with Ledger.open(answerer.state) as book:
        theirs = [entry.body for _, entry in book.entries() if "overlap" in entry.body]
    assert [body["overlap"] for body in (*mine, *theirs)] == ["asked", "opened", "answered"]
    assert mine[0]["message"] == theirs[0]["request"] == asked.request.digest
    assert mine[1]["message"] == theirs[0]["message"] == answer.digest
    assert theirs[0]["cases"] == [answerer.provider.case]
    text = json.dumps([mine, theirs])
    assert [name for name in (*MEMBERS, ACQUITTED, *CARDS) if f'"{name}"' in text] == []


def test_the_secret_is_its_owners_alone_and_opens_the_answer(
    tmp_path: Path, answerer: Answerer
) -> None:
    asked = question(tmp_path, CARDS)
    with Ledger.open(tmp_path / "a", create=True) as book:
        send(asked, book, tmp_path / "request", tmp_path / "secret", by="ana", now=NOW)
        with pytest.raises(OutputError):
            send(asked, book, tmp_path / "another", tmp_path / "secret", by="ana", now=NOW)
    assert not (tmp_path / "another").exists()
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    kept = read_secret(tmp_path / "secret")
    assert kept == asked.secret
    answer = given(answerer.considers(asked.request), answerer)
    found = open_answer(answer, kept, own=A.identity, members=[member(B)], now=NOW)
    assert told(found) == set(CARDS)


@pytest.mark.parametrize(
    ("changes", "error", "what"),
    [
        ({"exchange": "0" * 64}, WrongMessageError, "another question"),
        ({"request": "0" * 64}, WrongMessageError, "another question"),
        ({"asks": "how-many"}, OverlapError, "something else than was asked"),
        ({"fields": ("system", "toolset")}, OverlapError, "something else than was asked"),
        ({"kind": "request"}, WrongMessageError, "this is a request"),
    ],
)
def test_an_answer_to_something_else_is_refused(
    tmp_path: Path, answerer: Answerer, changes: dict[str, Any], error: type[Exception], what: str
) -> None:
    asked = question(tmp_path, CARDS, fields=frozenset({"payment"}))
    answer = given(answerer.considers(asked.request), answerer)
    header = msgspec.structs.replace(answer.header, **changes)
    with pytest.raises(error, match=what):
        opened(make_message(header, B.key, answer.points, answer.held), asked)
    with pytest.raises(SealError):
        opened(make_message(answer.header, A.key, answer.points, answer.held), asked)
    with pytest.raises(OverlapError, match="something else than was asked"):
        opened(make_message(answer.header, B.key, (*answer.points, *answer.held), ()), asked)


def test_nothing_is_asked_that_can_be_guessed_or_of_whom_the_policy_does_not_name(
    tmp_path: Path,
) -> None:
    with pytest.raises(
        LowEntropyError, match="nothing is left to ask about: payment: 1 value: it may"
    ):
        question(tmp_path, ["4242424242424242", "+49 30 1234567"])
    asked = question(tmp_path, ["4242424242424242", CARDS[0]])
    assert sum(item is not None for item in asked.secret.items) == 1
    with pytest.raises(OverlapError, match="nobody would take this request: purpose: one line"):
        question(tmp_path, CARDS, purpose='"two\\nlines"')
    with pytest.raises(PolicyError, match="names no recipient provider-b"):
        question(tmp_path, CARDS, recipients="[provider-c]")
