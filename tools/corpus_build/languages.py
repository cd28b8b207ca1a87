"""Texts in languages other than English: translated manuals, interfaces, and conversations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from corpus_build.clean import Seen, clean, words
from corpus_build.extract import pieces, sentences_only
from corpus_build.fetch import debian, pypi, pypi_source
from corpus_build.licences import Licences, debian_licence, package_licence
from corpus_build.store import Draft, SetDraft

__all__ = ["languages"]

_MOST = 1500  # texts a language and kind of source
_HTTPD = ("apache2-doc", "2.4.71-1~deb12u1")
_AIRFLOW = ("apache-airflow-core", "3.3.2")
_WAGTAIL = ("wagtail", "8.0.1")
_CHATTERBOT = ("chatterbot-corpus", "1.3.3")
_JUPYTER = "4.5.post3"
_JUPYTER_TAGS = ("de-DE", "fr-FR", "ja-JP", "ko-KR", "pl-PL", "pt-BR", "ru-RU", "uk-UA", "zh-CN")
_NAMES = {
    "bengali": "bn", "chinese": "zh", "dutch": "nl", "french": "fr", "german": "de",
    "hebrew": "he", "hindi": "hi", "indonesian": "id", "italian": "it", "japanese": "ja",
    "korean": "ko", "marathi": "mr", "persian": "fa", "portuguese": "pt", "russian": "ru",
    "spanish": "es", "swedish": "sv", "tamil": "ta", "thai": "th",
    "traditionalchinese": "zh-Hant", "turkish": "tr", "ukrainian": "uk",
}  # fmt: skip
_TAGS = {"zh_CN": "zh", "zh-CN": "zh", "zh_Hans": "zh", "zh_TW": "zh-Hant", "zh-TW": "zh-Hant"}
_SCRIPTS = {
    "ar": "[ء-ي]", "fa": "[ء-ی]", "he": "[א-ת]", "hi": "[ऀ-ॿ]", "mr": "[ऀ-ॿ]", "bn": "[ঀ-৿]",
    "ta": "[஀-௿]", "th": "[ก-๛]", "ko": "[가-힣]", "ja": "[぀-ヿ]", "zh": "[一-鿿]",
    "zh-Hant": "[一-鿿]", "ru": "[а-яё]", "uk": "[а-яіїє]", "el": "[α-ω]",
}  # fmt: skip
_Found = tuple[str, str]  # language and text


def languages(cache: Path, seen: Seen) -> SetDraft:
    """One pool; the group of a text is its language tag (BCP 47)."""
    licences = Licences()
    manuals, talk = Draft("languages"), Draft("languages-chat")
    httpd = debian(cache, *_HTTPD)
    airflow, wagtail = pypi(cache, *_AIRFLOW), pypi(cache, *_WAGTAIL)
    chatterbot = pypi_source(cache, *_CHATTERBOT)
    parts = [(_HTTPD, debian_licence(httpd, _HTTPD[0]), _manual(httpd))]
    for tag in _JUPYTER_TAGS:
        name = f"jupyterlab-language-pack-{tag}"
        pack = pypi(cache, name, _JUPYTER)
        parts.append(((name, _JUPYTER), package_licence(pack), _jupyter(pack)))
    parts.append((_AIRFLOW, package_licence(airflow), _airflow(airflow)))
    parts.append((_WAGTAIL, package_licence(wagtail), _gettext(wagtail)))
    about = [_fill(manuals, licences, seen, *part, least=8) for part in parts]
    part = (_CHATTERBOT, package_licence(chatterbot), _talk(chatterbot))
    about.append(_fill(talk, licences, seen, *part, least=4))
    source = f"""
package: translations in these packages of Debian 12 and PyPI:
{chr(10).join(about)}
licence: permissive, each as above; full texts in LICENSES.txt
holds: languages: paragraphs of a web server's manual and texts of interfaces, 8 to 150 words;
  languages-chat: turns of everyday conversations written for chat bots, 4 words or more
  (a word is a character in scripts without spaces)
selection: texts that are not English, without placeholders; at most {_MOST} a language and package
group: the language
"""
    return SetDraft("languages", source, licences.texts(), [manuals, talk])


def _fill(
    draft: Draft,
    licences: Licences,
    seen: Seen,
    package: tuple[str, str],
    licence: str,
    found: Iterator[_Found],
    *,
    least: int,
) -> str:
    source = " ".join(package)
    kind = licences.add(source, licence)
    kept: dict[str, list[str]] = {}
    for tag, raw in found:
        tag = _TAGS.get(tag, re.split("[_-]", tag)[0])
        text = clean(re.sub(r"\s+", " ", raw))
        if text is None or tag == "en" or re.search(r"[{%<$]|\\n|\|", text):
            continue
        script = _SCRIPTS.get(tag)
        if script and len(re.findall(script, text)) < 0.3 * len(text.replace(" ", "")):
            continue
        if least <= len(words(text)) <= 150 and seen.new(text):
            kept.setdefault(tag, []).append(text)
    for tag, texts in sorted(kept.items()):
        if len(texts) < 20:
            continue
        step = max(1.0, len(texts) / _MOST)
        for i in range(min(_MOST, len(texts))):
            draft.add(texts[int(i * step)], source, tag)
    return f"  {source}: {kind}"


def _manual(root: Path) -> Iterator[_Found]:
    manual = root / "usr/share/doc/apache2-doc/manual"
    english = {p.text for page in sorted(manual.glob("en/**/*.html")) for p in pieces(page)}
    for folder in ("de", "es", "fr", "ja", "ko", "pt-br", "tr"):
        for page in sorted(manual.glob(f"{folder}/**/*.html")):
            for piece in pieces(page):
                new = piece.kind != "heading" and piece.text not in english
                if new and sentences_only(piece.text) and len(words(piece.text)) >= 15:
                    yield folder, piece.text


def _jupyter(root: Path) -> Iterator[_Found]:
    for path in sorted(root.glob("*/locale/*/LC_MESSAGES/*.json")):
        for original, translations in json.loads(path.read_text(encoding="utf-8")).items():
            if original and isinstance(translations, list):
                for text in translations:
                    if text and text != original.split("\x04")[-1]:
                        yield path.parents[1].name, text


def _airflow(root: Path) -> Iterator[_Found]:
    for path in sorted(root.glob("airflow/ui/dist/i18n/locales/*/*.json")):
        for text in _leaves(json.loads(path.read_text(encoding="utf-8"))):
            yield path.parent.name, text


def _leaves(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for child in node.values():
            yield from _leaves(child)
    elif isinstance(node, str):
        yield node


def _gettext(root: Path) -> Iterator[_Found]:
    for path in sorted(root.glob("wagtail/**/locale/*/LC_MESSAGES/*.po")):
        for entry in path.read_text(encoding="utf-8").split("\n\n"):
            if "fuzzy" not in entry:
                for lines in re.findall(r'^msgstr(?:\[\d\])? ((?:".*"\n?)+)', entry, re.MULTILINE):
                    yield path.parents[1].name, "".join(re.findall(r'"(.*)"', lines))


def _talk(root: Path) -> Iterator[_Found]:
    for path in sorted(root.glob("chatterbot_corpus/data/*/*.yml")):
        tag = _NAMES.get(path.parent.name, "en")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for conversation in content.get("conversations", []):
            for turn in conversation:
                if isinstance(turn, str):
                    yield tag, turn
