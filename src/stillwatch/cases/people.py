"""Who does something to a case; and whether two names are two people."""

from __future__ import annotations

import unicodedata

import msgspec

from stillwatch.access.registration import check_name
from stillwatch.errors import CaseError, FourEyesError, InputError

__all__ = ["Who", "check_second", "folded"]


#: letters of other alphabets that are read as Latin ones (after UTS 39), and digits as letters
_ALIKE = str.maketrans(
    "авеіјкмнорѕстухһԁԛԝѵґгьӏαβγεηικνορτυχωϲıɩɑɡ01|",
    "abeijkmhopsctyxhdqwvrrblabyenikvoptuxwciiagoll",
)


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """A name, and whether it is a human being. Programs may open cases and add to them."""

    name: str
    person: bool = True

    def checked(self) -> Who:
        """Itself.

        Raises:
            CaseError: the name cannot be told apart when it is printed.
        """
        try:
            check_name("by", self.name)
        except InputError as error:
            raise CaseError(str(error)) from error
        return self

    def needs_person(self, what: str) -> None:
        """Refuse a program.

        Raises:
            FourEyesError: it is none.
        """
        if not self.person:
            raise FourEyesError(f"{what} needs a person, and {self.name} is a program")


def folded(name: str) -> str:
    """One form for names that people would read alike: Ana is no second person beside ana, nor is
    one whose letters are of another alphabet, or carry marks, or are digits."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    seen = (sign for sign in plain if unicodedata.category(sign) not in ("Mn", "Me", "Cf"))
    return " ".join("".join(seen).translate(_ALIKE).split())


def check_second(first: str, who: Who, what: str) -> None:
    """Four eyes: `who` must be a person, and another one than the `first`.

    Raises:
        FourEyesError: it is not so.
    """
    who.needs_person(what)
    if folded(first) == folded(who.name):
        raise FourEyesError(f"{first} proposed this, so somebody else must decide on {what}")
