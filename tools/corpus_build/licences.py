"""Which licence a package has, from its own text; refuses what is not permissive.

A licence text is split into its copyright notices and its body, so that the hundred packages
under one licence need its body once and their notices each.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["Licences", "apache", "debian_licence", "package_licence"]

#: short name, phrase of the text; the first that fits
_KINDS = (
    ("PostgreSQL", "postgresql"),
    ("Biopython", "biopython"),
    ("WordNet-3.0", "princeton university"),
    ("BSL-1.0", "boost software license - version 1.0"),
    ("MIT", "permission is hereby granted, free of charge, to any person obtaining"),
    ("BSD", "redistribution and use in source and binary forms"),
    ("PSF-2.0", "psf license agreement"),
    ("PSF-2.0", "python software foundation license version 2"),
    ("ISC", "permission to use, copy, modify, and/or distribute this software"),
    ("ISC", "permission to use, copy, modify, and distribute this software"),
    ("Apache-2.0", "apache license version 2.0"),
    ("Apache-2.0", "apache license, version 2.0"),
    ("Apache-2.0", "common-licenses/apache-2.0"),
    ("public domain", "public domain"),
    ("Unlicense", "this is free and unencumbered software"),
)
_REFUSED = ("terms of the gnu", "gnu affero", "gnu lesser", "noncommercial", "share-alike")
_NOTICE = re.compile(r"(?i)^\W*(copyright|\(c\)|©|portions copyright|all rights reserved)")
_APACHE_BODY = "terms and conditions for use, reproduction, and distribution"


def apache() -> str:
    """The text of the Apache License 2.0, which is this project's own."""
    return (Path(__file__).parents[2] / "LICENSE").read_text(encoding="utf-8")


def package_licence(root: Path) -> str:
    """The licence text of an unpacked wheel or npm package, every file of it.

    Raises:
        ValueError: there is none.
    """
    folders = [
        *root.glob("*.dist-info"),
        *root.glob("*.dist-info/licenses"),
        root,
        root / "package",
    ]
    found = sorted(
        path
        for folder in folders
        for path in folder.glob("*")
        if path.is_file() and re.match(r"(licen[cs]e|copying|notice)", path.name, re.IGNORECASE)
    )
    if not found:
        raise ValueError(f"{root.name} holds no licence text")
    return "\n\n".join(path.read_text(encoding="utf-8", errors="replace") for path in found)


def debian_licence(root: Path, name: str) -> str:
    """The part of a Debian copyright file that covers the package as a whole."""
    text = (root / f"usr/share/doc/{name}/copyright").read_text(encoding="utf-8", errors="replace")
    stanzas = re.split(r"\n\s*\n", text)
    whole = [s for s in stanzas if re.search(r"^Files: *(\*|C\*\.md)", s, re.MULTILINE)]
    if not whole:
        return text.split("Licenses and Acknowledgements for Incorporated Software")[0]
    kept = list(whole)
    for names in re.findall(r"^License: *(.*)$", whole[0], re.MULTILINE):
        for short in re.split(r" +or +| +and +", names):
            kept += [s for s in stanzas if re.match(rf"License: *{re.escape(short)}\s*\n", s)]
    return "\n\n".join(dict.fromkeys(kept))


class Licences:
    """The licence texts of a set: bodies once, each with the packages and notices under it."""

    def __init__(self) -> None:
        self._bodies: dict[str, tuple[str, str, list[str]]] = {}

    def add(self, package: str, text: str) -> str:
        """Take the licence of `package`; returns its short name.

        Raises:
            ValueError: no permissive licence is recognised, or a copyleft one is named.
        """
        folded = re.sub(r"[\s*#\"']+", " ", text.casefold())
        kind = next((kind for kind, phrase in _KINDS if phrase in folded), None)
        if kind is None or any(phrase in folded for phrase in _REFUSED):
            raise ValueError(f"{package}: no permissive licence in {text[:300]!r}")
        lines = text.strip().splitlines()
        notices = [line.strip() for line in lines if _NOTICE.match(line) and len(line) < 160]
        body = "\n".join(line for line in lines if line.strip() not in notices)
        if kind == "Apache-2.0" and _APACHE_BODY in folded:
            body, notices = apache(), [n for n in notices if "[yyyy]" not in n]
        elif "common-licenses/Apache" in text:
            self._entry("Apache-2.0", apache())
        packages = self._entry(kind, body)
        packages.append("\n  ".join([package, *dict.fromkeys(notices)]))
        return kind

    def _entry(self, kind: str, body: str) -> list[str]:
        key = re.sub(r"\W+", "", body.casefold())
        return self._bodies.setdefault(key, (kind, body, []))[2]

    def texts(self) -> dict[str, str]:
        """Title → body, the title naming the packages and their copyright notices."""
        return {
            f"{kind}, of\n" + ("\n".join(packages) or "the packages that refer to it"): body
            for kind, body, packages in self._bodies.values()
        }
