"""The settings of binding: what they may say, and a key that is replaced while the gateway runs."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from stillwatch.access.casebook import read_cases, run, unmatched
from stillwatch.access.reading import read_access_file
from stillwatch.errors import SettingsError
from stillwatch.gateway import read_gateway
from stillwatch.gateway.binding import BindingKey, BindingSettings
from tests.gateway.binding.conftest import Thinking
from tests.gateway.binding.test_through import content, last_row, messages, returned

BACKEND = 'backends: [{name: b, url: "http://127.0.0.1:9"}]\n'
PAGE = Path(__file__).parents[3] / "docs" / "reasoning-binding.md"
YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def settings(tmp_path: Path, binding: str) -> BindingSettings:
    file = tmp_path / "stillwatch.yaml"
    file.write_text(BACKEND + "gateway:\n  binding: " + binding)
    return read_gateway(file).binding


def test_without_the_section_the_key_is_that_of_the_state(tmp_path: Path) -> None:
    (tmp_path / "stillwatch.yaml").write_text(BACKEND)
    assert read_gateway(tmp_path / "stillwatch.yaml").binding == BindingSettings()


def test_files_are_named_from_where_the_settings_stand(tmp_path: Path) -> None:
    read = settings(tmp_path, "{key_file: a.key, old_key_files: [b.key, /c.key], days: 7}")
    assert read.key_file == tmp_path / "a.key"
    assert read.old_key_files == (tmp_path / "b.key", Path("/c.key"))
    assert (read.days, read.issue) == (7.0, True)


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("{days: 0}", "'days' must be more than 0"),
        ("{days: .nan}", "'days' must be more than 0"),
        ("{old_key_files: [1]}", "must be a list of files"),
        ("{old_key_files: a.key}", "must be a list"),
        ("{key_fil: a.key}", "no setting 'key_fil'; did you mean 'key_file'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(
    tmp_path: Path, binding: str, message: str
) -> None:
    with pytest.raises(SettingsError, match=f"yaml:3: .*{message}"):
        settings(tmp_path, binding)


def test_the_rules_of_the_page_do_what_their_cases_say(tmp_path: Path) -> None:
    for text in YAML.findall(PAGE.read_text()):
        if "cases:" not in text:
            (tmp_path / "stillwatch.yaml").write_text(BACKEND + text)
            read_gateway(tmp_path / "stillwatch.yaml")
            continue
        before, mark, after = text.partition("cases:\n")
        (tmp_path / "rules.yaml").write_text(before)
        (tmp_path / "cases.yaml").write_text(mark + after)
        rules = read_access_file(tmp_path / "rules.yaml").rules
        outcomes = run(read_cases(tmp_path / "cases.yaml", rules), rules)
        assert unmatched(outcomes, rules) == ()
        assert [each.differences for each in outcomes] == [()] * len(outcomes)


def test_a_key_is_replaced_while_the_gateway_runs(
    thinking: Thinking, until: Callable[[Callable[[], object]], None]
) -> None:
    folder, key = thinking.client.state.parent, thinking.client.key(account="kurt")
    before = content(messages(thinking, key))
    (folder / "new.key").write_bytes(b"n" * 32)
    (folder / "new.key").chmod(0o600)
    file = folder / "stillwatch.yaml"
    was = file.read_text()
    changed = "binding: {key_file: new.key, old_key_files: [state/binding.key]}"
    file.write_text(f"{was}gateway:\n  {changed}\n")
    try:
        until(lambda: key_id(content(messages(thinking, key))) == BindingKey(b"n" * 32).id)
        response = returned(thinking, key, before)
        assert last_row(thinking, response, until)["replay"] == "same"
    finally:
        file.write_text(was)


def key_id(blocks: list[dict[str, str]]) -> bytes:
    return base64.urlsafe_b64decode(blocks[0]["signature"][8:16])[:4]
