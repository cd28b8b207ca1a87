"""What others told is not told again as one's own: two who tell the same count as two senders."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from stillwatch.intel.profile import Detector
from stillwatch.intel.received import open_received
from tests.intel.conftest import Provider, random_token
from tests.intel.received.conftest import A

Makes = Callable[..., Provider]


def with_outside(*families: str) -> list[dict[str, Any]]:
    return [
        {"family": family, "detection": family, "value": 1.0, "base_rate": 0.001, "text": "t"}
        for family in families
    ]


def told_to(own: Provider) -> str:
    """A tells of a card that accounts of the case share; the pattern."""
    community, now = own.own.community, datetime.now(UTC)
    assert community is not None
    told = A.author.digest(
        community.scheme, "payment", community.digest("payment", "pm_" + random_token("card", 0)),
        accounts="1-9", detector=Detector("d", "1"), valid_from=now, now=now,
        valid_until=now + timedelta(days=9),
    )  # fmt: skip
    with open_received(own.state, create=True) as received:
        received.add_member(A.identity, "a", A.key.public, "ana")
        received.take_in([told], source="a file", by="job")
    return str(told["pattern"])


def test_a_case_that_rests_on_what_others_told_does_not_echo_it(provider: Makes) -> None:
    own = provider(evidence=with_outside("outside", "content"))
    before = json.dumps(own.draft().objects)
    pattern = told_to(own)
    draft = own.draft()
    assert pattern in before
    assert pattern not in json.dumps(draft.objects)
    assert [each.why for each in draft.dropped if each.field == "payment"] == [
        "1 value: others told us of it; a sighting says what became of it (`intel sightings`)"
    ]


def test_what_was_found_without_the_others_is_ours_to_tell(provider: Makes) -> None:
    own = provider()
    assert told_to(own) in json.dumps(own.draft().objects)
