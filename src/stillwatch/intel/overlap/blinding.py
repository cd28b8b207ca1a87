"""The arithmetic: Diffie-Hellman over P-256 (Meadows 1986; Huberman, Franklin and Hogg 1999).

Each text is hashed to a point. The asker multiplies its points by a secret of its own, the answerer
multiplies them and its own by another one; what is equal under both was equal before. OpenMined's
library does it. Its compressed sets (Golomb, Bloom) would make an answer some 44 % smaller, and be
wrong now and then; here points travel whole, so that nothing is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from stillwatch.errors import OverlapError

__all__ = ["POINT", "Blinding", "answered"]

#: bytes of a point: compressed, as SEC 1 (2.3.3) has it
POINT: Final = 33
#: the library asks for a rate of false positives, and does not use it for points that travel whole
_UNUSED: Final = 1e-9


class Blinding:
    """The asker's secret of one exchange.

    Args:
        how_many: whether only the size of the intersection is asked for.
        key: 32 bytes, of an exchange that goes on; without it a new secret.

    Raises:
        OverlapError: the library is not installed, or the key is none.
    """

    def __init__(self, how_many: bool, key: bytes | None = None) -> None:
        self.how_many = how_many
        self._library = _library()
        with _refused("the secret of the question"):
            self._client = (
                self._library.client.CreateWithNewKey(not how_many)
                if key is None
                else self._library.client.CreateFromKey(key, not how_many)
            )

    @property
    def key(self) -> bytes:
        """The secret, 32 bytes."""
        return bytes(self._client.GetPrivateKeyBytes())

    def points(self, texts: Sequence[str]) -> list[bytes]:
        """The blinded points of `texts`, in their order."""
        return list(self._client.CreateRequest(list(texts)).encrypted_elements)

    def matches(self, held: Sequence[bytes], response: Sequence[bytes]) -> list[int]:
        """The places, ascending, of the texts that are held.

        Raises:
            OverlapError: an element is no point of the curve, or only a size was asked for.
        """
        with _refused("the answer"):
            return sorted(self._client.GetIntersection(*self._told(held, response)))

    def size(self, held: Sequence[bytes], response: Sequence[bytes]) -> int:
        """How many of the texts are held.

        Raises:
            OverlapError: an element is no point of the curve.
        """
        with _refused("the answer"):
            return int(self._client.GetIntersectionSize(*self._told(held, response)))

    def _told(self, held: Sequence[bytes], response: Sequence[bytes]) -> tuple[Any, Any]:
        setup, told = self._library.ServerSetup(), self._library.Response()
        setup.raw.encrypted_elements.extend(held)
        told.encrypted_elements.extend(response)
        return setup, told


def answered(
    points: Sequence[bytes], texts: Sequence[str], *, how_many: bool
) -> tuple[list[bytes], list[bytes]]:
    """What the answerer tells, under a secret that is made for this and forgotten.

    Args:
        points: of the request.
        texts: what the answerer holds.
        how_many: whether the asker is to learn only how many of them are held.

    Returns:
        The blinded points of `texts`, ascending; and `points`, blinded again: in their order, or
        ascending where only a size was asked for.

    Raises:
        OverlapError: an element is no point of the curve, or the library is not installed.
    """
    library = _library()
    request = library.Request(reveal_intersection=not how_many)
    request.encrypted_elements.extend(points)
    with _refused("the request"):
        server = library.server.CreateWithNewKey(not how_many)
        setup = server.CreateSetupMessage(
            _UNUSED, len(points), list(texts), library.DataStructure.RAW
        )
        response = server.ProcessRequest(request)
    return list(setup.raw.encrypted_elements), list(response.encrypted_elements)


def _library() -> Any:
    try:
        import private_set_intersection.python as library
    except ImportError as error:
        raise OverlapError(
            "an overlap needs OpenMined's library: pip install 'stillwatch[psi]' (its wheels for "
            f"Linux need x86-64, glibc 2.35 or later, Python up to 3.13): {error}"
        ) from None
    return library


@contextmanager
def _refused(what: str) -> Iterator[None]:
    """What the library refuses, as an error of ours."""
    try:
        yield
    except RuntimeError as error:
        raise OverlapError(f"{what}: {str(error).splitlines()[0]}") from error
