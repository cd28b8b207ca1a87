"""An address as libpq writes it becomes what the driver understands; the server itself comes in
through the tests of keys and actions, which run against both stores."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from stillwatch.access import postgres
from stillwatch.access.postgres import connect
from stillwatch.errors import SettingsError


@pytest.fixture
def arguments(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The arguments with which the driver would be called for an address."""

    def ask(address: str) -> dict[str, Any]:
        caught: dict[str, Any] = {}
        monkeypatch.setattr(postgres, "create_engine", lambda url, **given: caught.update(given))
        connect(make_url(address))
        found: dict[str, Any] = caught["connect_args"]
        return found

    return ask


def test_a_host_that_is_a_folder_is_a_socket(arguments: Any) -> None:
    assert arguments("postgresql://me@/name?host=/run/pg")["unix_sock"] == "/run/pg/.s.PGSQL.5432"


def test_a_user_and_a_password_may_come_from_the_environment(
    arguments: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGUSER", "gateway")
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    found = arguments("postgresql://host/name")
    assert (found["user"], found["password"]) == ("gateway", "hunter2")
    found = arguments("postgresql://me:other@host/name")
    assert (found["user"], found["password"]) == ("me", "other")


def test_the_server_is_verified_where_the_address_says_so(arguments: Any) -> None:
    assert arguments("postgresql://host/name")["ssl_context"] is None
    full = arguments("postgresql://host/name?sslmode=verify-full")["ssl_context"]
    assert full.check_hostname
    assert full.verify_mode == ssl.CERT_REQUIRED
    some = arguments("postgresql://host/name?sslmode=require")["ssl_context"]
    assert some.verify_mode == ssl.CERT_NONE


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("sslmode=prefer", "sslmode=prefer is unknown; write disable, require or verify-full"),
        ("sslmod=require", "sslmod is no option"),
        ("sslmode=require&sslrootcert=/nowhere.pem", "nowhere.pem cannot be read"),
    ],
)
def test_an_option_that_would_be_ignored_is_a_mistake(options: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        connect(make_url(f"postgresql://host/name?{options}"))


def test_each_statement_and_each_silence_ends(arguments: Any, tmp_path: Path) -> None:
    found = arguments(f"postgresql://me@/name?host={tmp_path}")
    assert found["startup_params"] == {"statement_timeout": "10s"}
    assert found["timeout"] > 10
