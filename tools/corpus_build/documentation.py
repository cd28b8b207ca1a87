"""Paragraphs, headings and release notes from the documentation packages of Debian 12."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from corpus_build.clean import Seen, clean, words
from corpus_build.extract import Piece, pieces, sentences_only
from corpus_build.fetch import debian
from corpus_build.licences import Licences, debian_licence
from corpus_build.store import Draft, SetDraft

__all__ = ["documentation"]

#: package → version; most of them are about software, the first ones least of all
_PACKAGES = {
    "python-statsmodels-doc": "0.13.5+dfsg-7",
    "python-biopython-doc": "1.80+dfsg-4",
    "python-astropy-doc": "5.2.1-2+deb12u1",
    "python-astroplan-doc": "0.7-4",
    "python-skbio-doc": "0.5.8-4",
    "python-nibabel-doc": "5.0.0-2",
    "python-sympy-doc": "1.11.1-1",
    "python-sklearn-doc": "1.2.1+dfsg-1",
    "python-scipy-doc": "1.10.1-2",
    "python-pandas-doc": "1.5.3+dfsg-2",
    "geographiclib-doc": "2.1.2-1",
    "rust-doc": "1.63.0+dfsg1-2",
    "python3.11-doc": "3.11.2-6+deb12u9",
    "postgresql-doc-15": "15.20-0+deb12u1",
    "sqlite3-doc": "3.40.1-2+deb12u2",
    "apache2-doc": "2.4.71-1~deb12u1",
    "cyrus-doc": "3.6.1-4+deb12u5",
    "erlang-doc": "1:25.2.3+dfsg-1+deb12u4",
    "llvm-14-doc": "1:14.0.6-12",
    "nodejs-doc": "18.20.4+dfsg-1~deb12u3",
    "twisted-doc": "22.4.0-4+deb12u1",
    "varnish-doc": "7.1.1-2+deb12u1",
    "ant-doc": "1.10.13-1",
    "cinder-doc": "2:21.3.1-1~deb12u1",
    "glance-doc": "2:25.1.0-2+deb12u5",
    "heat-doc": "1:19.0.0-3",
    "ironic-doc": "1:21.4.4-0+deb12u2",
    "keystone-doc": "2:22.0.2-0+deb12u6",
    "nova-doc": "2:26.2.2-1~deb12u5",
    "swift-doc": "2.30.1-0+deb12u3",
    "python-celery-doc": "5.2.6-5",
    "python-cryptography-doc": "38.0.4-3+deb12u1",
    "python-dask-doc": "2022.12.1+dfsg-2",
    "python-django-doc": "3:3.2.25-0+deb12u7",
    "python-flask-doc": "2.2.2-3",
    "python-pymongo-doc": "3.11.0-1+deb12u1",
    "python-pytest-doc": "7.2.1-2",
    "python-scrapy-doc": "2.8.0-2",
    "python-sqlalchemy-doc": "1.4.46+ds1-1",
    "python-tornado-doc": "6.2.0-3+deb12u4",
    "python-werkzeug-doc": "2.2.2-3+deb12u1",
    "sphinx-doc": "5.3.0-4",
}
_PASSAGES, _HEADINGS, _RECORDS = 420, 190, 260  # at most so many a package
_PAGES = 700  # pages that are read of a package, evenly over its files
_LISTING = re.compile(r"/(_modules|generated|src|std|core|core_arch|alloc|genindex)[./]")
_SMALL = 12  # a section with fewer passages is not a group of its own
_NEWS = re.compile(r"change|release|whatsnew|whats_new|history|news|upgrad", re.IGNORECASE)


def documentation(cache: Path, seen: Seen) -> SetDraft:
    """Passages of 40 to 120 words, headings of 3 to 14, release notes of 10 to 60."""
    licences = Licences()
    passages, headings, records = Draft("passages"), Draft("headings"), Draft("records")
    about = []
    for name, version in _PACKAGES.items():
        root = debian(cache, name, version)
        kind = licences.add(f"{name} {version}", debian_licence(root, name))
        source = f"{name} {version}"
        about.append(f"  {source}: {kind}")
        blocks = _blocks(root)
        topic = re.sub(r"^python-|-doc(-15)?$", "", name)
        _take(passages, blocks, _passage, _PASSAGES, seen, source, topic)
        _take(headings, blocks, _heading, _HEADINGS, seen, source, topic)
        _take(records, blocks, _record, _RECORDS, seen, source, topic)
    text = """
package: documentation packages of Debian 12, HTML pages under usr/share/doc:
{packages}
licence: permissive, each as above; full texts in LICENSES.txt
holds: passages: paragraphs of 40 to 120 words, for retrieval and extraction;
  headings: titles of sections, 3 to 14 words, for search queries;
  records: release notes, 10 to 60 words, for classification
selection: whole sentences, mostly letters; paragraphs with addresses, or that name or thank
  people, left out; evenly over the pages, at most {passages}, {headings} and {records} a package
group: the package, and the section where one is large enough
"""
    counts = {"passages": _PASSAGES, "headings": _HEADINGS, "records": _RECORDS}
    source_text = text.format(packages="\n".join(about), **counts)
    return SetDraft("documentation", source_text, licences.texts(), [passages, headings, records])


def _blocks(root: Path) -> list[tuple[Path, Piece]]:
    """Every distinct block of the English pages, with the page below the common folder."""
    pages = sorted(p for p in (root / "usr/share").rglob("*.html") if not p.is_symlink())
    pages = [p for p in pages if "apache2-doc/manual" not in str(p) or "/manual/en/" in str(p)]
    pages = [p for p in pages if not _LISTING.search(str(p))]
    step = max(1.0, len(pages) / _PAGES)
    pages = [pages[int(i * step)] for i in range(min(_PAGES, len(pages)))]
    found: dict[Piece, Path] = {}
    for page in pages:
        for piece in pieces(page):
            found.setdefault(piece, page.relative_to(root))
    return [(page, piece) for piece, page in found.items()]


def _take(
    draft: Draft,
    blocks: list[tuple[Path, Piece]],
    choose: Callable[[Path, Piece], str | None],
    most: int,
    seen: Seen,
    source: str,
    topic: str,
) -> None:
    """Add evenly spaced ones of the blocks that `choose` turns into a text."""
    fit = [(page, text) for page, piece in blocks if (text := choose(page, piece)) is not None]
    fit = [(page, text) for page, text in fit if seen.new(text)]
    step = max(1.0, len(fit) / most)
    chosen = [fit[int(i * step)] for i in range(min(most, len(fit)))]
    sections: dict[str, list[str]] = {}
    for page, text in chosen:
        sections.setdefault(page.parent.name, []).append(text)
    for section, texts in sections.items():
        group = f"{topic}/{section}" if len(texts) >= _SMALL else topic
        for text in texts:
            draft.add(text, source, group)


def _passage(_page: Path, piece: Piece) -> str | None:
    if piece.kind != "paragraph" or not 40 <= len(piece.text.split()) <= 120:
        return None
    return clean(piece.text) if sentences_only(piece.text) else None


def _heading(_page: Path, piece: Piece) -> str | None:
    text = re.sub(r"^(Chapter |Appendix |§)?[\dA-Z.]*\d[.\d]*\.?\s+", "", piece.text)
    if piece.kind != "heading" or not 3 <= len(words(text)) <= 14 or not text[0].isalpha():
        return None
    plain = sum(c.isalpha() or c == " " for c in text) > 0.93 * len(text)
    return clean(text) if plain and not _NEWS.search(text) else None


def _record(page: Path, piece: Piece) -> str | None:
    if piece.kind not in ("item", "paragraph") or not _NEWS.search(str(page)):
        return None
    if not 10 <= len(piece.text.split()) <= 60 or not sentences_only(piece.text):
        return None
    return clean(piece.text)
