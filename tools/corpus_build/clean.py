"""What a text must look like to ship, and which texts count as the same."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["Seen", "clean", "opening", "words"]

_SECRET = re.compile(
    r"[\w.+-]+@[\w-]+\.\w|\b(?:\+?\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b"  # mail, phone
    r"|-----BEGIN|\b(?:sk|ghp|AKIA|xox[bp])[-_]?\w{16,}"
)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_OFFENSIVE = re.compile(
    r"\b(?:f+u+c+k\w*|motherf\w+|wtf|stfu|shit\w*|bullshit|cunt\w*|bitch\w*|whore\w*|slut\w*"
    r"|nigg\w+|fagg?\w*|retard\w*|tranny|dyke|kike|spic|chink|rape\w*|rapist|porn\w*|nudes?"
    r"|penis|vagina|dick|cock|pussy|boobs?|tits|horny|masturbat\w*|blowjob|orgasm\w*|sexy|sexual\w*"
    r"|suicid\w*|kill (?:my|your)self|nazi\w*|hitler|terrorist\w*)\b",
    re.IGNORECASE,
)
#: word characters, and the marks that hang on letters in Hebrew, Arabic, Indic and Thai script
_WORD = re.compile(
    r"[\w\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0970-\u0dff\u0e31-\u0e4e]+"
)
_BARE_SCRIPT = re.compile(r"[぀-ヿ㐀-鿿가-힣ก-๛]")


def words(text: str) -> list[str]:
    """Words, folded; a character each in scripts that put no spaces between them."""
    found: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        found.extend(word if _BARE_SCRIPT.search(word) else (word,))
    return found


def clean(text: str) -> str | None:
    """The text as it ships; None where it holds an address of a person or offends."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip()
    if _SECRET.search(text) or _ADDRESS.search(text) or _OFFENSIVE.search(text):
        return None
    if any(unicodedata.category(c) in ("Cc", "Co", "Cs") and c not in "\n\t" for c in text):
        return None
    return text


def opening(text: str, length: int = 8) -> tuple[str, ...]:
    """The first `length` words (twice as many characters in scripts without spaces)."""
    found = words(text)
    wide = found and sum(len(w) == 1 for w in found[:16]) > 8
    return tuple(found[: length * 2 if wide else length])


class Seen:
    """The openings of everything that was kept so far, over all sets."""

    def __init__(self) -> None:
        self._openings: set[tuple[str, ...]] = set()
        self._texts: set[str] = set()
        self.dropped = 0

    def exactly_new(self, text: str) -> bool:
        """Whether the text is new, whatever its opening: for problems that differ in figures."""
        if text in self._texts:
            self.dropped += 1
            return False
        self._texts.add(text)
        return True

    def new(self, text: str, length: int = 8) -> bool:
        """Whether no kept text opens like `text`; it is kept from now on."""
        key = opening(text, length)
        if key in self._openings:
            self.dropped += 1
            return False
        self._openings.add(key)
        return True
