"""The endpoints of TAXII 2.1 (sections 4 and 5), one function each; they wait for the store.

Where a member may do nothing there is nothing (404); where it may do only the other thing, it is
told so (403).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from stillwatch.intel.store.collections import Collection
from stillwatch.intel.store.members import Right
from stillwatch.intel.store.objects import is_object_id
from stillwatch.intel.store.reading import Page, Version
from stillwatch.intel.store.store import Store
from stillwatch.intel.store.times import written
from stillwatch.intel.taxii.answers import Answer, RefusedError, answered
from stillwatch.intel.taxii.media import STIX, TAXII
from stillwatch.intel.taxii.queries import read_query
from stillwatch.ledger.canonical import parsed

__all__ = ["MOST_IN_REQUEST", "ROUTES", "Asked", "Route"]

#: objects that one request may add
MOST_IN_REQUEST = 10_000
_LAST, _EVERY = Version(last=True), Version(every=True)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request, once it is known who asks. `names` stand in the places of the route's path;
    `largest` is the most bytes of a body; `count` is told of objects, and their bytes, before they
    are added."""

    store: Store
    member: str
    names: dict[str, str]
    query: bytes
    body: bytes
    largest: int
    title: str
    count: Callable[[int, int], None]

    def collection(self, *, read: bool = False, write: bool = False) -> Collection:
        """The collection that is meant.

        Raises:
            RefusedError: 404, or 403 where the member may not do this in it.
        """
        for found, right in self.collections():
            if self.names["collection"] in (found.id, found.alias):
                if (read and not right.read) or (write and not right.write):
                    raise RefusedError(403, "your token does not allow this in the collection")
                return found
        raise RefusedError(404, "there is no such collection")

    def collections(self) -> list[tuple[Collection, Right]]:
        """Those of the API root in which the member may do something.

        Raises:
            RefusedError: 404, there is none.
        """
        root = self.names["root"]
        theirs = self.store.members.rights_of(self.member)
        found = [each for each in theirs if each[0].root == root]
        if not found:
            raise RefusedError(404, "there is no such API root")
        return found

    def object_id(self) -> str:
        """The id in the path.

        Raises:
            RefusedError: 404, nothing has such an id.
        """
        if not is_object_id(self.names["object"]):
            raise RefusedError(404, "there is no such object")
        return self.names["object"]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """`path` has ``{name}`` where any text may stand."""

    name: str
    method: str
    path: str
    handler: Callable[[Asked], Answer]

    @property
    def adds(self) -> bool:
        """Whether it takes a body, which is read only from those who may write."""
        return self.method == "POST"

    def names(self, parts: tuple[str, ...]) -> dict[str, str] | None:
        """What stands in the places of a path, or None where it is another one."""
        mine = self.path.strip("/").split("/")
        if len(mine) != len(parts):
            return None
        found = {}
        for pattern, part in zip(mine, parts, strict=True):
            if pattern.startswith("{"):
                found[pattern[1:-1]] = part
            elif pattern != part:
                return None
        return found


def _discovery(asked: Asked) -> Answer:
    roots = list(dict.fromkeys(
        f"/{found.root}/" for found, _ in asked.store.members.rights_of(asked.member)
    ))  # fmt: skip
    resource: dict[str, Any] = {"title": asked.title}
    if roots:
        resource |= {"default": roots[0], "api_roots": roots}
    return answered(resource)


def _root(asked: Asked) -> Answer:
    asked.collections()
    return answered({
        "title": f"{asked.title}: {asked.names['root']}",
        "versions": [TAXII],
        "max_content_length": asked.largest,
    })  # fmt: skip


def _status(asked: Asked) -> Answer:
    names = asked.names
    found = asked.store.adder.status(names["status"], names["root"], asked.member)
    if found is None:
        raise RefusedError(404, "there is no such status of yours, or not any more")
    return answered(found)


def _collections(asked: Asked) -> Answer:
    return answered({"collections": [_resource(*each) for each in asked.collections()]})


def _collection(asked: Asked) -> Answer:
    mine = asked.collection()
    return answered(next(
        _resource(found, right) for found, right in asked.collections() if found.id == mine.id
    ))  # fmt: skip


def _resource(collection: Collection, right: Right) -> dict[str, Any]:
    resource = {
        "id": collection.id,
        "title": collection.title,
        "alias": collection.alias,
        "can_read": right.read,
        "can_write": right.write,
        "media_types": [STIX],
    }
    return resource | ({"description": collection.description} if collection.description else {})


def _manifest(asked: Asked) -> Answer:
    collection = asked.collection(read=True)
    query = read_query(asked.query, ("id", "type", "version", "spec_version"), versions=_LAST)
    page = asked.store.reader.page(collection, query.filter, most=query.limit, bodies=False)
    records = [
        {"id": e.id, "date_added": written(e.added), "version": e.shown, "media_type": STIX}
        for e in page.entries
    ]
    return answered(_paged(page, "objects", records), headers=_dates(page))


def _objects(asked: Asked) -> Answer:
    collection = asked.collection(read=True)
    query = read_query(asked.query, ("id", "type", "version", "spec_version"), versions=_LAST)
    return _envelope(asked.store.reader.page(collection, query.filter, most=query.limit))


def _object(asked: Asked) -> Answer:
    collection, name = asked.collection(read=True), asked.object_id()
    query = read_query(asked.query, ("version", "spec_version"), versions=_LAST)
    wanted = msgspec.structs.replace(query.filter, ids=(name,))
    page = asked.store.reader.page(collection, wanted, most=query.limit)
    _check_there(asked, collection, name, page)
    return _envelope(page)


def _versions(asked: Asked) -> Answer:
    collection, name = asked.collection(read=True), asked.object_id()
    query = read_query(asked.query, ("spec_version",), versions=_EVERY)
    wanted = msgspec.structs.replace(query.filter, ids=(name,))
    page = asked.store.reader.page(collection, wanted, most=query.limit, bodies=False)
    _check_there(asked, collection, name, page)
    return answered(_paged(page, "versions", [e.shown for e in page.entries]), headers=_dates(page))


def _check_there(asked: Asked, collection: Collection, name: str, page: Page) -> None:
    if not page.entries and not asked.store.reader.has(collection, name):
        raise RefusedError(404, "there is no such object")


def _add(asked: Asked) -> Answer:
    collection = asked.collection(write=True)
    try:
        envelope = parsed(asked.body)
    except ValueError as error:
        raise RefusedError(422, "the body cannot be read", str(error)) from error
    values = envelope.get("objects") if isinstance(envelope, dict) else None
    if not isinstance(values, list) or not values:
        raise RefusedError(422, "the body is no envelope with objects")
    if len(values) > MOST_IN_REQUEST:
        raise RefusedError(
            422, "the envelope has too many objects", f"send {MOST_IN_REQUEST:,} at most"
        )
    asked.count(len(values), len(asked.body))
    return answered(asked.store.adder.add(collection, asked.member, values).resource(), 202)


def _delete(asked: Asked) -> Answer:
    collection, name = asked.collection(read=True, write=True), asked.object_id()
    query = read_query(asked.query, ("version", "spec_version"), versions=_EVERY)
    if query.filter.spec_versions is not None and "2.1" not in query.filter.spec_versions:
        raise RefusedError(404, "there is no such object")
    deleted = asked.store.reader.delete(collection, name, query.filter.versions, asked.member)
    if deleted is None:
        raise RefusedError(403, "another member sent this object; they may delete it")
    if deleted == 0:
        raise RefusedError(404, "there is no such object")
    return Answer(200)


def _envelope(page: Page) -> Answer:
    """A page of objects, whose bodies are JSON already."""
    parts = [b"{"]
    if page.more:
        parts.append(b'"more":true,"next":"%d",' % page.entries[-1].added)
    if page.entries:
        parts += [b'"objects":[', b",".join([each.body for each in page.entries]), b"]"]
    parts.append(b"}")
    return Answer(200, b"".join(parts), _dates(page))


def _paged(page: Page, name: str, items: list[Any]) -> dict[str, Any]:
    resource: dict[str, Any] = {}
    if page.more:
        resource |= {"more": True, "next": str(page.entries[-1].added)}
    return resource | ({name: items} if items else {})


def _dates(page: Page) -> tuple[tuple[str, str], ...]:
    """When the first and the last object of a page were added; an empty page has neither."""
    if not page.entries:
        return ()
    return (
        ("x-taxii-date-added-first", written(page.entries[0].added)),
        ("x-taxii-date-added-last", written(page.entries[-1].added)),
    )


def _of(name: str, method: str, path: str, handler: Callable[[Asked], Answer]) -> Route:
    return Route(name=name, method=method, path=path, handler=handler)


_AT = "/{root}/collections/{collection}"
ROUTES: tuple[Route, ...] = (
    _of("discovery", "GET", "/taxii2/", _discovery),
    _of("root", "GET", "/{root}/", _root),
    _of("status", "GET", "/{root}/status/{status}/", _status),
    _of("collections", "GET", "/{root}/collections/", _collections),
    _of("collection", "GET", f"{_AT}/", _collection),
    _of("manifest", "GET", f"{_AT}/manifest/", _manifest),
    _of("objects", "GET", f"{_AT}/objects/", _objects),
    _of("add", "POST", f"{_AT}/objects/", _add),
    _of("object", "GET", f"{_AT}/objects/{{object}}/", _object),
    _of("delete", "DELETE", f"{_AT}/objects/{{object}}/", _delete),
    _of("versions", "GET", f"{_AT}/objects/{{object}}/versions/", _versions),
)
