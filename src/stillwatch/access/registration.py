"""What may stand in the fields of a key; the same for keys that are made and that are imported."""

from __future__ import annotations

import difflib
import re

from stillwatch.access.countries import COUNTRIES
from stillwatch.access.facts import UNKNOWN, Caller
from stillwatch.errors import InputError

__all__ = ["PURPOSES", "check_caller", "check_name", "check_time"]

#: registered uses → what each is for
PURPOSES: dict[str, str] = {
    "evaluator": "measures models, and therefore asks systematically",
    "authorised_distillation": "may train on the outputs, by contract",
    "research": "academic study under terms of its own",
}
MOST_KYC_LEVEL = 9
LONGEST_NAME = 200  # characters
_LAST_SECOND = 253_402_300_799  # of the year 9999
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def check_caller(caller: Caller) -> None:
    """Refuse a caller that no key should speak for.

    Raises:
        InputError: a field is empty, too long, unknown, or contradicts another; it is named.
    """
    for field in ("key_id", "account", "tier", "level"):
        check_name(field, getattr(caller, field))
    for field in ("org", "cluster", "terms_version"):
        if getattr(caller, field) is not None:
            check_name(field, getattr(caller, field))
    if not 0 <= caller.kyc_level <= MOST_KYC_LEVEL:
        raise InputError(f"kyc_level: {caller.kyc_level} is not between 0 and {MOST_KYC_LEVEL}")
    _check_country(caller.kyc_country)
    for purpose in caller.purposes:
        if purpose not in PURPOSES:
            raise InputError(f"purposes: {purpose!r} is not registered{_meant(purpose)}")
    for field in ("created_at", "expires_at", "terms_accepted_at", "revoked_at"):
        if getattr(caller, field) is not None:
            check_time(field, getattr(caller, field))
    if (caller.terms_version is None) != (caller.terms_accepted_at is None):
        raise InputError("terms: give both the version and when it was accepted, or neither")


def check_name(field: str, value: str) -> None:
    """Refuse what cannot be told apart when it is printed.

    Raises:
        InputError: it is empty, too long, padded with blanks, or holds characters that are not
            seen.
    """
    if not value or len(value) > LONGEST_NAME:
        raise InputError(f"{field}: give 1 to {LONGEST_NAME} characters, not {len(value)}")
    if value != value.strip() or _HIDDEN.search(value):
        raise InputError(
            f"{field}: {value!r} begins or ends with a blank, or holds control characters; "
            "remove them"
        )


def check_time(field: str, value: int) -> None:
    """Refuse what is no second since the epoch (such as milliseconds).

    Raises:
        InputError: it lies before 1970 or after 9999.
    """
    if not 0 <= value <= _LAST_SECOND:
        raise InputError(f"{field}: {value} is no time in seconds since 1970 (milliseconds?)")


def _check_country(country: str) -> None:
    if country == UNKNOWN or country in COUNTRIES:
        return
    hint = " (the United Kingdom is GB)" if country == "UK" else ""
    hint = hint or (f"; write it as {country.upper()}" if country.upper() in COUNTRIES else "")
    raise InputError(
        f"kyc_country: {country!r} is no country code of ISO 3166, two capital letters, "
        f"and not {UNKNOWN}{hint}"
    )


def _meant(purpose: str) -> str:
    close = difflib.get_close_matches(purpose, PURPOSES, 1)
    return f"; did you mean {close[0]}?" if close else f"; it is one of {', '.join(PURPOSES)}"
