"""Keys that are not opened hide what they did, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stillwatch.errors import TamperedError
from stillwatch.provenance.bundle import seal, verify
from tests.provenance.bundle.conftest import KEY, Bench, sign_again
from tests.provenance.bundle.drafts import Radioactive
from tests.provenance.bundle.test_bundle import change_json

Lie = Callable[[list[dict[str, Any]]], object]


def lying(bundle: Path, lie: Lie) -> Path:
    """The bundle with other results, signed again."""
    change_json(bundle / f"1-{bundle.name}" / "results.json", lie)
    sign_again(bundle)
    return bundle


@pytest.fixture
def keyed(bench: Bench, tmp_path: Path) -> Path:
    return seal(tmp_path / "keyed", [bench.keyed(open_keys=False)], signing_key=KEY).path


@pytest.fixture
def radioactivity(radioactive: Radioactive, tmp_path: Path) -> Path:
    draft = replace(radioactive.open, open_keys=False)
    return seal(tmp_path / "radioactivity", [draft], signing_key=KEY).path


def test_true_results_are_sound_without_keys(keyed: Path, radioactivity: Path) -> None:
    for path in (keyed, radioactivity):
        [part] = verify(path, KEY.public).parts
        assert (part.source, part.found, part.part.opened) == (None, 1, False)


LIES: list[tuple[Lie, str]] = [
    (lambda rows: rows.pop(), "one result for each"),
    (lambda rows: rows.append(rows[-1]), "one result for each"),
    (lambda rows: rows[0].update(model="somebody-else"), "one result for each"),
    (lambda rows: rows[2].update(role="suspect"), "one result for each"),
    (lambda rows: rows[0].update(cluster="c-9"), "under every key"),
    (lambda rows: [row.update(cluster="c-1") for row in rows], "under every key"),
    (lambda rows: rows[0].update(registration="0" * 64), "by another plan"),
    (lambda rows: rows[0].update(found=True), "does not follow from its p-value"),
    (lambda rows: rows[0].update(found=1), "cannot be carried out"),
    (lambda rows: rows[0].update(corrected_log10_p=-9.0, found=True), "not corrected"),
    (lambda rows: rows[0].update(abstained="no wish"), "a p-value and none"),
]


@pytest.mark.parametrize("kind", ["keyed", "radioactivity"])
@pytest.mark.parametrize(("lie", "said"), LIES)
def test_results_that_no_test_leads_to_are_found_without_keys(
    kind: str, lie: Lie, said: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(TamperedError, match=said):
        verify(lying(request.getfixturevalue(kind), lie), KEY.public)


def better(rows: list[dict[str, Any]]) -> None:
    """A smaller p-value, corrected as it should be."""
    p = -12.0
    rows[0].update(log10_p=p, corrected_log10_p=round(p + float(np.log10(3)), 6), found=True)


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (better, "does not follow from its hits"),
        (lambda rows: rows[0].update(contexts=400), "do not have these contexts"),
        (lambda rows: rows[0].update(hits=400), "cannot be carried out"),
    ],
)
def test_what_answers_tell_without_keys_is_held_against_results(
    lie: Lie, said: str, keyed: Path
) -> None:
    with pytest.raises(TamperedError, match=said):
        verify(lying(keyed, lie), KEY.public)


def test_nobody_is_accused_unseen_under_a_key_that_a_control_carries(
    bench: Bench, tmp_path: Path
) -> None:
    text = bench.files[0].read_text().replace("suspect-7b", "innocent")
    (tmp_path / "innocent.jsonl").write_text(text)
    draft = bench.keyed(controls=[tmp_path / "innocent.jsonl"], open_keys=False)
    path = seal(tmp_path / "keyed", [draft], signing_key=KEY).path

    def accuse(rows: list[dict[str, Any]]) -> None:
        for name in ("log10_p", "corrected_log10_p", "found", "abstained"):
            rows[1][name] = rows[3][name]

    assert verify(path, KEY.public).parts[0].found == 0
    with pytest.raises(TamperedError, match="a key that a control carries"):
        verify(lying(path, accuse), KEY.public)
