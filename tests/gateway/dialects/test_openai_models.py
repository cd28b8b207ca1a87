"""The list of models: what a caller may name, and nothing about the rest."""

from __future__ import annotations

import json

import pytest

from stillwatch.access import OPEN, Surface
from stillwatch.gateway.dialects.dialect import UnreadableError
from stillwatch.gateway.dialects.openai_models import listed, models_in, one

ENTRY = {"object": "model", "owned_by": "vllm", "root": "/srv/weights", "parent": None}
UPSTREAM = json.dumps(
    {"object": "list", "data": [{"id": name, "created": 7, **ENTRY} for name in ("small", "large")]}
).encode()
SMALL = Surface(models=(frozenset({"small*"}),))


def test_only_models_that_may_be_named_are_listed() -> None:
    found = json.loads(listed(models_in(UPSTREAM), SMALL))
    assert found == {
        "object": "list",
        "data": [{"id": "small", "object": "model", "created": 7, "owned_by": "vllm"}],
    }


def test_a_model_that_may_not_be_named_is_answered_like_one_that_does_not_exist() -> None:
    models = models_in(UPSTREAM)
    assert one(models, "large", SMALL) is None
    assert one(models, "larger", OPEN) is None
    found = one(models, "large", OPEN)
    assert found is not None
    assert json.loads(found)["id"] == "large"


def test_clients_of_the_other_form_get_theirs() -> None:
    found = json.loads(listed(models_in(UPSTREAM), SMALL, anthropic=True))
    assert (found["first_id"], found["last_id"], found["has_more"]) == ("small", "small", False)
    assert found["data"][0]["created_at"] == "1970-01-01T00:00:07Z"
    assert found["data"][0]["type"] == "model"
    nothing = json.loads(listed((), SMALL, anthropic=True))
    assert nothing == {"data": [], "has_more": False, "first_id": None, "last_id": None}


def test_either_form_is_read() -> None:
    entry = {"type": "model", "id": "a", "display_name": "A", "created_at": "1970-01-01T00:01:00Z"}
    (model,) = models_in(json.dumps({"data": [entry]}).encode())
    assert (model.id, model.display_name, model.created) == ("a", "A", 60)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data": 1}', b'{"data": [{"id": 1}]}', b"\xff"])
def test_what_is_no_list_of_models_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        models_in(body)
