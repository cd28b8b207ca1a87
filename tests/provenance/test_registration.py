"""A registration binds keys, texts and settings, and nothing can be changed after the look."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from stillwatch.errors import InputError, OutputError
from stillwatch.provenance import Plan, Registration, TextSet
from stillwatch.watermark import GLOBAL, GreenListMark, GumbelMark, KeyRing, LayeredMark
from tests.provenance.conftest import SALT

TEXTS = [TextSet.of("fresh", [[1, 2, 3], [4, 5]]), TextSet.of("served", [[7, 8]], served_to=["a"])]


def registered(ring: KeyRing, **settings: object) -> Registration:
    plan = Plan(**({"statistic": "open"} | settings))  # type: ignore[arg-type]
    return Registration.of(plan, [GumbelMark(ring.key("a"))], TEXTS, salt=SALT)


def test_the_digest_is_that_of_sorted_json_without_spaces(ring: KeyRing) -> None:
    import hashlib

    found = registered(ring)
    plain = {"format": "stillwatch.registration/1", **msgspec.to_builtins(found)}
    for later in ("sightings", "suspects", "looks", "exclusions", "generator", "code"):
        del plain["plan"][later]  # a plan of before has the digest that it had
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    assert found.digest() == hashlib.sha256(text.encode()).hexdigest()


def test_it_shows_neither_key_nor_cluster(ring: KeyRing) -> None:
    named = Registration.of(
        Plan(statistic="open"), [GumbelMark(ring.key("c-812"))], TEXTS, salt=SALT
    )
    key = ring.key("c-812").value
    shown = named.canonical().decode()
    assert "c-812" not in shown
    assert str(key) not in shown
    assert f"{key:x}" not in shown


def test_every_setting_of_the_plan_changes_the_digest(ring: KeyRing) -> None:
    others: dict[str, object] = {
        "alpha": 0.01, "reference": "base", "decoys": 10, "seed": 1, "kept": 3, "cap": 0.5,
        "least": 4, "answers": 2, "vocabulary": 9, "round_trip": 0.5,
    }  # fmt: skip
    keyed: dict[str, object] = {
        "sightings": 2, "suspects": 3, "looks": "any", "exclusions": ("dash",),
    }  # fmt: skip
    others |= {"generator": "templates/2", "code": "1f"}
    named = {*others, *keyed, "statistic", "served", "weighting"}
    assert named == {*Plan.__struct_fields__}
    digests = {registered(ring, **{name: value}).digest() for name, value in others.items()}
    digests |= {
        registered(ring, statistic="keyed-majority", **{name: value}).digest()
        for name, value in keyed.items()
    }
    referred = [
        registered(ring, reference="base", weighting=weighting).digest()
        for weighting in ("difference", "standardised")
    ]
    assert referred[0] in digests
    digests |= {registered(ring).digest(), referred[1]}
    assert len(digests) == len(others) + len(keyed) + 2
    with pytest.raises(ValueError, match="there is none"):
        Plan(statistic="open", weighting="standardised")


def test_what_was_registered_is_accepted_and_anything_else_refused(ring: KeyRing) -> None:
    marks = [GumbelMark(ring.key("a"))]
    plan = registered(ring)
    plan.check("open", marks, TEXTS, salt=SALT)
    with pytest.raises(ValueError, match="statistic"):
        plan.check("closed", marks, TEXTS, salt=SALT)
    for other in (
        [GumbelMark(ring.key("b"))],
        [GumbelMark(ring.key("a"), 2)],
        [GumbelMark(ring.key("a"), 1, "premix-v1")],
        [GumbelMark(ring.at("2026-12").key("a"))],
        [*marks, GumbelMark(ring.key("b"))],
    ):
        with pytest.raises(ValueError, match="marks"):
            plan.check("open", other, TEXTS, salt=SALT)
    with pytest.raises(ValueError, match="salt"):
        plan.check("open", marks, TEXTS, salt=bytes(32))
    changed = [TextSet.of("fresh", [[1, 2, 3], [4, 6]]), TEXTS[1]]
    longer = [TextSet.of("fresh", [[1, 2, 3], [4, 5]], prompts=[1, 0]), TEXTS[1]]
    fresh = [TEXTS[0], TextSet.of("served", [[7, 8]])]
    for texts in (changed, longer, fresh, TEXTS[::-1], TEXTS[:1]):
        with pytest.raises(ValueError, match="texts"):
            plan.check("open", marks, texts, salt=SALT)


def test_a_layer_and_its_coin_are_registered(ring: KeyRing) -> None:
    plan, shown = Plan(statistic="open"), set()
    for share in (0.5, 0.25):
        layered = LayeredMark(GumbelMark(ring.key(GLOBAL), 2), GumbelMark(ring.key("a")), share)
        for layer in layered.layers:
            shown.add(Registration.of(plan, [layer], TEXTS, salt=SALT).digest())
    assert len(shown) == 4


def test_a_green_list_is_registered_with_its_settings(ring: KeyRing) -> None:
    mark = GreenListMark(ring.key("a", "green-list"), gamma=0.5)
    [shown] = Registration.of(Plan(statistic="open"), [mark], TEXTS, salt=SALT).marks
    assert shown.settings["gamma"] == 0.5
    assert "key" not in shown.settings


def test_a_file_gives_the_same_digest_and_is_never_overwritten(
    ring: KeyRing, tmp_path: Path
) -> None:
    path = tmp_path / "registration.json"
    written = registered(ring, alpha=1e-6, reference="base")
    written.write(path)
    assert Registration.read(path) == written
    assert Registration.read(path).digest() == written.digest()
    with pytest.raises(OutputError, match="never overwritten"):
        written.write(path)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": "stillwatch.registration/2"}',
                '{"format": "stillwatch.registration/1"}'],
)  # fmt: skip
def test_a_file_that_is_no_registration_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "registration.json"
    path.write_text(content)
    with pytest.raises(InputError, match="registration"):
        Registration.read(path)
    with pytest.raises(InputError, match="cannot be read"):
        Registration.read(tmp_path / "nowhere")


def test_a_file_with_a_plan_that_cannot_be_is_refused(ring: KeyRing, tmp_path: Path) -> None:
    path = tmp_path / "registration.json"
    found = json.loads(registered(ring).canonical())
    found["plan"]["alpha"] = 2
    path.write_text(json.dumps(found))
    with pytest.raises(InputError, match="alpha"):
        Registration.read(path)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"statistic": "sum"}, "statistic"),
        ({"statistic": "open", "alpha": 1.0}, "alpha"),
        ({"statistic": "open", "kept": 0}, "at least one"),
        ({"statistic": "open", "cap": 0.0}, "cap"),
        ({"statistic": "closed", "reference": "x"}, "reference"),
        ({"statistic": "closed-served"}, "sketches"),
        ({"statistic": "closed", "served": ("x",)}, "sketches"),
        ({"statistic": "keyed-rank", "looks": "daily"}, "looks"),
        ({"statistic": "keyed-rank", "suspects": 0}, "at least one"),
        ({"statistic": "keyed-rank", "exclusions": ("dash", "dash")}, "excluded once"),
        ({"statistic": "open", "looks": "any"}, "keyed statistics"),
        ({"statistic": "keyed-rank", "looks": "any"}, "two sightings"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Plan(**settings)  # type: ignore[arg-type]


def test_a_registration_needs_marks_texts_and_a_salt(ring: KeyRing) -> None:
    plan, mark = Plan(statistic="open"), GumbelMark(ring.key("a"))
    with pytest.raises(ValueError, match="salt"):
        Registration.of(plan, [mark], TEXTS, salt=bytes(31))
    with pytest.raises(ValueError, match="mark"):
        Registration.of(plan, [mark, mark], TEXTS, salt=SALT)
    with pytest.raises(ValueError, match="texts"):
        Registration.of(plan, [mark], [], salt=SALT)


def test_texts_are_told_apart_by_where_they_end_and_cannot_be_changed() -> None:
    one, two = TextSet.of("x", [[1, 2], [3]]), TextSet.of("x", [[1], [2, 3]])
    assert one.digest() != two.digest()
    given = np.array([1, 2])
    kept = TextSet.of("x", [given])
    before = kept.digest()
    given[0] = 9
    assert kept.digest() == before
    with pytest.raises(ValueError, match="read-only"):
        kept.texts[0][0] = 5
    with pytest.raises(ValueError, match="integers"):
        TextSet.of("x", [np.array([0.5])])
    with pytest.raises(ValueError, match="part of its text"):
        TextSet.of("x", [[1]], prompts=[2])
