"""The ledger of a state folder: append, sign heads, prove, verify."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from stillwatch.errors import InputError, KeyFileError, StorageError, TamperedError
from stillwatch.ledger.checking import Checked, check_state
from stillwatch.ledger.database import KEY_FILE, Database
from stillwatch.ledger.entry import Entry
from stillwatch.ledger.head import Head
from stillwatch.ledger.merkle import consistency_path, inclusion_path, leaf_hash
from stillwatch.ledger.proof import ConsistencyProof, InclusionProof
from stillwatch.ledger.signing import SigningKey
from stillwatch.ledger.tree import GROUP, HEIGHT, Growing, subtrees

__all__ = ["Ledger"]

_SIZE = "SELECT coalesce(max(number) + 1, 0) FROM entry"


class Ledger:
    """Decisions, in the order in which they were recorded. A context manager.

    May be used from any thread, and by several processes at once: writers wait for each other.
    Every method may raise :class:`~stillwatch.errors.StorageError` where the machine fails, and
    :class:`~stillwatch.errors.StoreFormatError` where the file is damaged.
    """

    def __init__(self, state: Path, database: Database) -> None:
        self.state = state
        self._database = database
        self._edge: Growing | None = None

    @classmethod
    def open(
        cls, state: Path | str, *, create: bool = False, read_only: bool = False,
        key_file: Path | None = None,
    ) -> Ledger:  # fmt: skip
        """The ledger in the folder `state`.

        Args:
            create: make what is missing: the folder, the ledger, and a signing key, whose public
                half is written to ``ledger.pub``.
            read_only: change nothing, so that a folder that may only be read will do.
            key_file: the signing key of a ledger that is made, in place of ``ledger.key``.

        Raises:
            StoreFormatError: there is none, it is damaged, or another version wrote it.
            KeyFileError: `key_file` is no key.
        """
        state = Path(state).absolute()
        if create:
            Database.create(state, key_file)
        return cls(state, Database.open(state, writing=not read_only))

    @property
    def id(self) -> str:
        """The ledger's own random name, 32 hexadecimal digits; heads and proofs carry it."""
        return self._database.ledger

    @property
    def public_key(self) -> str:
        """The key that heads are signed with, 64 hexadecimal digits."""
        return self._database.public_key

    def __len__(self) -> int:
        [(size,)] = self._database.rows(_SIZE)
        return int(size)

    def append(self, entries: Iterable[Entry]) -> range:
        """Record `entries`, all or none; they are on the disk when this returns.

        Returns:
            Their numbers; the first entry of a ledger has 0.

        Raises:
            EntryError: one of them cannot be recorded; none was.
            StorageError: the disk is full, or may not be written; none was.
        """
        bodies = [entry.encoded() for entry in entries]
        leaves = [leaf_hash(body) for body in bodies]
        with self._database.writing() as db:
            edge = self._current_edge().copy()
            first = edge.size
            grown = edge.add(leaves)
            numbers = range(first, edge.size)
            db.executemany(
                "INSERT INTO entry VALUES (?, ?, ?)", zip(numbers, leaves, bodies, strict=True)
            )
            db.executemany("INSERT INTO subtree VALUES (?, ?, ?)", grown)
        self._edge = edge
        return numbers

    def raw(self, index: int) -> bytes:
        """The canonical bytes of an entry, as they were recorded.

        Raises:
            InputError: there is no entry of that number.
        """
        found = self._database.rows("SELECT entry FROM entry WHERE number = ?", index)
        if not found:
            raise InputError(f"there is no entry {index}; the ledger has {len(self):,}")
        return bytes(found[0][0])

    def entry(self, index: int) -> Entry:
        """An entry.

        Raises:
            InputError: there is no entry of that number.
            TamperedError: what stands there is no entry.
        """
        return self._read(index, self.raw(index))

    def entries(self, first: int = 0, end: int | None = None) -> Iterator[tuple[int, Entry]]:
        """Entries with their numbers, from `first` to `end` - 1 or to the last one."""
        while end is None or first < end:
            until = first + GROUP if end is None else min(first + GROUP, end)
            rows = self._database.rows(
                "SELECT number, entry FROM entry WHERE number >= ? AND number < ? ORDER BY number",
                first, until,
            )  # fmt: skip
            for number, body in rows:
                yield number, self._read(number, body)
            if not rows:
                return
            first = until

    def numbers_with(self, commitment: str) -> list[int]:
        """Numbers of the entries in whose bytes `commitment` stands; reads them all."""
        rows = self._database.rows(
            "SELECT number FROM entry WHERE instr(entry, ?) ORDER BY number", commitment.encode()
        )
        return [number for (number,) in rows]

    def head(self, key_file: Path | None = None) -> Head:
        """Sign what the ledger holds now; the head is also kept in the ledger.

        Args:
            key_file: the signing key, in place of ``ledger.key`` in the state folder.

        Raises:
            KeyFileError: the key is gone, or not the one that the ledger was begun with.
            StorageError: the clock went backwards since the last head.
        """
        file = key_file or self.state / KEY_FILE
        key = SigningKey.from_file(file)
        if key.public != self.public_key:
            raise KeyFileError(
                f"this ledger was begun with the key {self.public_key[:16]}…, and this is "
                f"{key.public[:16]}…: name the first one",
                path=file,
            )
        with self._database.writing() as db:
            now = datetime.now(UTC)  # read here: another process may have signed while this waited
            edge = self._current_edge()
            last = self._heads("ORDER BY number DESC LIMIT 1")
            if last and datetime.fromisoformat(last[0].at) > now:
                raise StorageError(
                    f"the clock of this machine says {now:%Y-%m-%dT%H:%M:%SZ}, and the last head "
                    f"was signed at {last[0].at}; set the clock right, and sign then",
                    path=self._database.path,
                )
            head = Head.signed(key, ledger=self.id, size=edge.size, root=edge.root(), at=now)
            db.execute("INSERT INTO head (size, head) VALUES (?, ?)", (head.size, head.encoded()))
        return head

    def keep_stamped(self, head: Head) -> None:
        """Keep the time stamp of a head that :meth:`head` gave, unless it has one: the first says
        more. Two heads of one millisecond are one."""
        with self._database.writing() as db:
            for number, body in db.execute(
                "SELECT number, head FROM head WHERE size = ?", (head.size,)
            ).fetchall():
                kept = Head.parse(body)
                if kept.signature == head.signature and kept.timestamp is None:
                    db.execute(
                        "UPDATE head SET head = ? WHERE number = ?", (head.encoded(), number)
                    )

    def heads(self) -> list[Head]:
        """Every head that was signed here, oldest first; not verified."""
        return self._heads("ORDER BY number")

    def prove(self, index: int, head: Head | None = None) -> InclusionProof:
        """That entry `index` is under `head`; without one, under the last that was signed.

        Raises:
            InputError: no such head, or it does not cover that entry.
        """
        head = self._own(head)
        if not 0 <= index < head.size:
            raise InputError(
                f"entry {index} is not under the head of {head.size:,} entries; the ledger has "
                f"{len(self):,}, and `stillwatch ledger head` signs a new head over them"
            )
        path = inclusion_path(subtrees(self._group), index, head.size)
        return InclusionProof(
            ledger=self.id, size=head.size, index=index, path=tuple(each.hex() for each in path)
        )

    def prove_since(self, earlier: Head, head: Head | None = None) -> ConsistencyProof:
        """That what `earlier` covers still stands unchanged at the beginning of `head`.

        Raises:
            InputError: `earlier` is of another ledger, or covers more than `head`.
        """
        head, earlier = self._own(head), self._own(earlier)
        if earlier.size > head.size:
            raise InputError(
                f"the earlier head covers {earlier.size:,} entries, the later {head.size:,}"
            )
        path = consistency_path(subtrees(self._group), earlier.size, head.size)
        return ConsistencyProof(
            ledger=self.id, size=head.size, old=earlier.size,
            path=tuple(each.hex() for each in path),
        )  # fmt: skip

    def check(self, heads: Sequence[Head] = (), key: str | None = None) -> Checked:
        """Read every byte once: each entry, each hash, each head that was signed here.

        Args:
            heads: earlier ones that others hold. Only these can show that the holder of the key
                rewrote the ledger, or that its tail was cut together with the heads over it.
            key: the public key that all heads must be signed with; the ledger's own by default.

        Raises:
            TamperedError: what is wrong first; ``index`` is the first entry not to be trusted.
        """
        return check_state(self._database, heads, key or self.public_key)

    def close(self) -> None:
        """Let go of the file; nothing is lost without it."""
        self._database.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _current_edge(self) -> Growing:
        """The right edge of the tree, read again if another process appended meanwhile."""
        size, edge = len(self), self._edge  # another thread may put its own there meanwhile
        return edge if edge and edge.size == size else Growing.load(size, self._group)

    def _group(self, level: int, number: int) -> list[bytes]:
        first, end = number * GROUP, (number + 1) * GROUP
        if level == 0:
            rows = self._database.rows(
                "SELECT leaf FROM entry WHERE number >= ? AND number < ? ORDER BY number",
                first, end,
            )  # fmt: skip
        else:
            rows = self._database.rows(
                "SELECT hash FROM subtree WHERE height = ? AND number >= ? AND number < ?"
                " ORDER BY number",
                level * HEIGHT, first, end,
            )  # fmt: skip
        return [leaf for (leaf,) in rows]

    def _heads(self, order: str) -> list[Head]:
        return [
            Head.parse(body) for (body,) in self._database.rows(f"SELECT head FROM head {order}")
        ]

    def _own(self, head: Head | None) -> Head:
        if head is None:
            found = self._heads("ORDER BY number DESC LIMIT 1")
            if not found:
                raise InputError("no head was signed yet; `stillwatch ledger head` signs one")
            return found[0]
        if head.ledger != self.id:
            raise InputError(f"the head is of the ledger {head.ledger}, and this is {self.id}")
        if head.size > len(self):
            raise TamperedError(
                f"the head covers {head.size:,} entries, and the ledger has {len(self):,}: its "
                "tail was cut",
                path=self._database.path, index=len(self),
            )  # fmt: skip
        return head

    def _read(self, index: int, body: bytes) -> Entry:
        try:
            return Entry.parse(body)
        except InputError as error:
            raise TamperedError(
                f"entry {index} is none: {error}", path=self._database.path, index=index
            ) from error
