"""Makes objects whose ids are the same whenever the same case is exported with the same key.

An id is a UUID made of a signature, which nobody can guess or link without the key; so a preview
shows the very ids, and a second export is a new version of the first. What left before keeps its
``created``; and where nothing changed but the times, it is a new version all the same, for its end
is later.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from stillwatch.intel.profile.authoring import Author
from stillwatch.intel.profile.seals import Seal
from stillwatch.intel.profile.times import moment, written
from stillwatch.ledger import SigningKey

__all__ = ["Maker"]


class Maker:
    """Makes the objects of one export of `subject`.

    `earlier` are the last versions that left for it; `generation` counts how often all of it was
    taken back, after which every object has a new id.
    """

    def __init__(
        self, author: Author, subject: str, now: datetime, *,
        earlier: Mapping[str, dict[str, Any]], generation: int,
    ) -> None:  # fmt: skip
        self.author, self.now = author, now
        self._subject, self._earlier, self._generation = subject, earlier, generation

    def id(self, kind: str, what: str) -> str:
        """The id of the object of type `kind` that says `what` of the subject."""
        text = f"stillwatch.id/1\n{self._subject}\n{self._generation}\n{kind}\n{what}"
        return f"{kind}--{_uuid(self.author.key, text)}"

    def version(self, thing: dict[str, Any]) -> dict[str, Any]:
        """`thing`, sealed; as a later version where one of its id has left before."""
        before = self._earlier.get(thing["id"])
        if before is None:
            return thing
        later = moment(before["modified"]) + timedelta(milliseconds=1)
        modified = written(max(moment(thing["modified"]), later))
        return Seal.sign(
            {**thing, "created": before["created"], "modified": modified}, self.author.key
        )


def _uuid(key: SigningKey, text: str) -> uuid.UUID:
    """Of a deterministic signature (RFC 8032), in the shape of a version 5."""
    made = hashlib.sha256(bytes.fromhex(key.sign(text.encode()))).digest()[:16]
    return uuid.UUID(bytes=made, version=5)
