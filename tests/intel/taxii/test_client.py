"""The client: what it does when servers and connections fail, and what it hands over."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import pytest

from stillwatch.errors import InputError, TaxiiError
from stillwatch.intel.store import Store
from stillwatch.intel.store.positions import Position
from stillwatch.intel.taxii import Batch, Published, TaxiiClient, poll, publish
from stillwatch.intel.taxii.client import Remote
from stillwatch.intel.taxii.files import into_folder, read_objects
from stillwatch.intel.taxii.media import TAXII
from tests.intel.taxii.conftest import ACME, READER, Served, indicator

T = TypeVar("T")


class Front(ThreadingHTTPServer):
    """Stands in front of a server: does what `troubles` say first (a status, or None to break the
    connection), answers `instead` where a path is in it, and passes on everything else."""

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.behind = urlsplit(behind)
        self.troubles: list[int | None] = []
        self.instead: dict[str, Any] = {}
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Front

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.asked.append(f"{self.command} {self.path}")
        if self.server.troubles:
            trouble = self.server.troubles.pop(0)
            if trouble is None:
                self.close_connection = True
                return
            self._send(trouble, b'{"title": "no"}', {"retry-after": "0", "content-type": TAXII})
        elif self.path in self.server.instead:
            answer = json.dumps(self.server.instead[self.path]).encode()
            self._send(200, answer, {"content-type": TAXII})
        else:
            behind = http.client.HTTPConnection(self.server.behind.netloc)
            behind.request(self.command, self.path, body or None, dict(self.headers))
            reply = behind.getresponse()
            answer = reply.read()
            kept = ("content-type", "retry-after", "x-taxii-date-added-last")
            self._send(reply.status, answer, {k: v for k, v in reply.headers.items() if k in kept})
            behind.close()

    do_POST = do_GET  # noqa: N815

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"content-length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def front(fresh: Served) -> Iterator[Front]:
    with Front(fresh.url) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def asking(served: Served, work: Callable[[TaxiiClient], Awaitable[T]], who: str = ACME) -> T:
    """Do something with a client."""

    async def run() -> T:
        async with TaxiiClient(served.tokens[who], attempts=4, pause=0.01) as client:
            return await work(client)

    return asyncio.run(run())


def at(served: Served, front: Front | None = None, largest: int = 10 * 2**20) -> Remote:
    url = served.at if front is None else served.at.replace(served.url, front.url)
    collection = served.collection
    return Remote(url=url, id=collection.id, alias=collection.alias, title="", can_read=True,
                  can_write=True, largest=largest)  # fmt: skip


def publishing(served: Served, remote: Remote, objects: list[Any]) -> Published:
    return asking(served, lambda client: publish(client, remote, objects))


def polling(served: Served, remote: Remote, store: Store, most: int = 4) -> list[Batch]:
    batches: list[Batch] = []
    asking(
        served,
        lambda client: poll(client, remote.url, store.positions, batches.append, most=most),
        READER,
    )
    return batches


def ids(batches: list[Batch]) -> list[str]:
    return [each["id"] for batch in batches for each in batch.objects]


OBJECTS = [indicator(n) for n in range(10)]
ALL_IDS = [each["id"] for each in OBJECTS]


def test_a_collection_is_found_from_the_server_its_root_and_its_own_address(fresh: Served) -> None:
    for url in (fresh.url, f"{fresh.url}taxii2/", f"{fresh.url}intel/", fresh.at[:-1]):
        found = asking(fresh, lambda client, url=url: client.collections(url), READER)
        [mine] = [each for each in found if each.id == fresh.collection.id]
        assert (mine.url, mine.can_read, mine.can_write) == (fresh.at, True, False)
        assert mine.largest == 10 * 2**20


@pytest.mark.parametrize("trouble", [429, 502, 503, 504, None])
def test_what_passes_is_tried_again_and_nothing_comes_twice(
    fresh: Served, front: Front, store: Store, trouble: int | None
) -> None:
    remote = at(fresh, front)
    front.troubles = [trouble] if trouble is None else [trouble] * 3
    assert publishing(fresh, remote, OBJECTS) == Published(taken=10)
    front.troubles = [trouble] if trouble is None else [trouble] * 3
    assert ids(polling(fresh, remote, store)) == ALL_IDS
    assert ids(polling(fresh, remote, store)) == []


def test_what_does_not_pass_is_not_tried_again(fresh: Served, front: Front) -> None:
    remote = at(fresh, front)
    front.troubles = [403]
    with pytest.raises(TaxiiError, match="403: no"):
        publishing(fresh, remote, OBJECTS)
    assert len(front.asked) == 1
    front.troubles = [503] * 9
    with pytest.raises(TaxiiError) as raised:
        publishing(fresh, remote, OBJECTS)
    assert (raised.value.status, len(front.asked)) == (503, 1 + 4)


def test_an_answer_that_was_lost_is_asked_for_again_and_adds_nothing(
    fresh: Served, front: Front
) -> None:
    assert publishing(fresh, at(fresh, front), OBJECTS).taken == 10
    assert publishing(fresh, at(fresh, front), [*OBJECTS, indicator(10)]).taken == 11
    found = asking(fresh, lambda c: c.page(fresh.at, after=None, following=None, most=99))
    assert [each["id"] for each in found.objects] == [*ALL_IDS, indicator(10)["id"]]


def test_a_server_that_cannot_be_reached_is_said_so() -> None:
    async def run() -> None:
        async with TaxiiClient("x", attempts=1) as client:
            await client.collections("http://127.0.0.1:9/intel/")

    with pytest.raises(TaxiiError, match="cannot connect"):
        asyncio.run(run())


def test_a_token_is_not_sent_in_the_clear_to_other_machines() -> None:
    async def run(**options: bool) -> None:
        async with TaxiiClient("x", attempts=1, **options) as client:
            await client.get("http://taxii.invalid/intel/")

    with pytest.raises(TaxiiError, match="TLS"):
        asyncio.run(run())
    with pytest.raises(TaxiiError, match="cannot connect"):
        asyncio.run(run(plain=True))


def test_a_token_is_not_sent_to_roots_on_other_servers(fresh: Served, front: Front) -> None:
    theirs = ["http://127.0.0.1:9/intel/", "//127.0.0.1:9/intel/", "/intel/"]
    front.instead["/taxii2/"] = {"title": "x", "api_roots": theirs}
    found = asking(fresh, lambda client: client.collections(front.url))
    assert {urlsplit(each.url).netloc for each in found} == {urlsplit(front.url).netloc}


@pytest.mark.parametrize("answer", [[], {"collections": 5}, {"collections": [{"id": 5}]}, "x"])
def test_what_is_no_taxii_is_said_so(fresh: Served, front: Front, answer: Any) -> None:
    front.instead["/intel/collections/"] = answer
    with pytest.raises(TaxiiError):
        asking(fresh, lambda client: client.collections(f"{front.url}intel/"))


def test_envelopes_are_as_large_as_the_server_takes(fresh: Served, front: Front) -> None:
    size = len(msgspec.json.encode(OBJECTS[0]))
    done = publishing(fresh, at(fresh, front, largest=3 * size + 40),
                      [*OBJECTS, indicator(99, name="x" * 3 * size)])  # fmt: skip
    assert (done.taken, len(front.asked)) == (10, 4)
    assert [name for name, _ in done.refused] == [indicator(99)["id"]]


def test_an_envelope_that_is_too_much_for_the_server_is_halved(fresh: Served, front: Front) -> None:
    front.troubles = [413, 413]
    assert publishing(fresh, at(fresh, front), OBJECTS).taken == 10
    assert len(front.asked) == 5


def test_objects_that_a_server_does_not_take_are_named_and_the_rest_is_there(
    fresh: Served,
) -> None:
    # half of a surrogate pair makes a body that is no text at all
    done = publishing(fresh, at(fresh), [OBJECTS[0], {"type": "x"}, OBJECTS[1]])
    assert (done.taken, [name for name, _ in done.refused]) == (2, ["unknown"])


def test_a_server_that_takes_its_time_is_asked_until_it_has_finished(
    fresh: Served, front: Front
) -> None:
    said = {"id": "s1", "total_count": 2, "success_count": 1, "failure_count": 1}
    path = f"{urlsplit(fresh.at).path}objects/"
    front.instead[path] = {"id": "s1", "status": "pending", "total_count": 2, "pending_count": 2}
    front.instead["/intel/status/s1/"] = said | {
        "status": "complete", "failures": [{"id": ALL_IDS[1], "message": "no"}],
    }  # fmt: skip
    done = publishing(fresh, at(fresh, front), OBJECTS[:2])
    assert done == Published(taken=1, refused=[(ALL_IDS[1], "no")])
    assert front.asked == [f"POST {path}", "GET /intel/status/s1/"]


def test_a_poll_goes_on_where_the_last_one_ended(fresh: Served, store: Store) -> None:
    remote = at(fresh)
    publishing(fresh, remote, OBJECTS)
    first = polling(fresh, remote, store)
    assert [len(batch.objects) for batch in first] == [4, 4, 2]
    publishing(fresh, remote, [indicator(3, 9, revoked=True), indicator(10)])
    [more] = polling(fresh, remote, store)
    assert [each.get("revoked", False) for each in more.objects] == [True, False]
    assert [batch.number for batch in (*first, more)] == [1, 2, 3, 4]
    assert polling(fresh, remote, store) == []
    assert store.positions.read(remote.url).objects == 12


def test_a_batch_that_was_not_taken_comes_again_by_its_number(fresh: Served, store: Store) -> None:
    publishing(fresh, at(fresh), OBJECTS)
    taken: dict[int, list[Any]] = {}

    def fails_at_two(batch: Batch) -> None:
        taken[batch.number] = batch.objects
        if batch.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asking(fresh, lambda c: poll(c, fresh.at, store.positions, fails_at_two, most=4), READER)
    again = polling(fresh, at(fresh), store)
    assert [batch.number for batch in again] == [2, 3]
    taken |= {batch.number: batch.objects for batch in again}
    assert [each["id"] for number in sorted(taken) for each in taken[number]] == ALL_IDS


def test_a_server_that_forgot_the_page_is_asked_from_where_the_fetch_began(
    fresh: Served, store: Store
) -> None:
    publishing(fresh, at(fresh), OBJECTS)
    polling(fresh, at(fresh), store, most=100)
    publishing(fresh, at(fresh), [indicator(n) for n in range(20, 23)])
    before = store.positions.read(fresh.at)
    store.positions.write(fresh.at, msgspec.structs.replace(before, next="forgotten"))
    assert ids(polling(fresh, at(fresh), store)) == [indicator(n)["id"] for n in range(20, 23)]


def test_next_is_followed_and_the_time_of_adding_is_for_the_next_poll(
    fresh: Served, front: Front, store: Store
) -> None:
    """As a server whose times of adding are not all different: only `next` tells pages apart."""
    url = at(fresh, front).url
    asked = f"{urlsplit(url).path}objects/?match%5Bversion%5D=all&limit=4"
    front.instead[asked] = {"more": True, "next": "a b", "objects": OBJECTS[:4]}
    front.instead[f"{asked}&next=a+b"] = {"objects": OBJECTS[4:]}
    assert ids(polling(fresh, at(fresh, front), store)) == ALL_IDS


def test_a_server_that_says_neither_next_nor_time_is_not_asked_for_ever(
    fresh: Served, front: Front, store: Store
) -> None:
    publishing(fresh, at(fresh), OBJECTS)
    url = at(fresh, front).url
    store.positions.write(url, Position())
    asked = f"{urlsplit(url).path}objects/?match%5Bversion%5D=all&limit=4"
    front.instead[asked] = {"more": True, "objects": OBJECTS[:4]}  # and says no time either
    with pytest.raises(TaxiiError, match="same page"):
        polling(fresh, at(fresh, front), store)


def test_a_batch_becomes_a_bundle_that_is_replaced_when_it_comes_again(tmp_path: Path) -> None:
    write = into_folder(tmp_path / "polled")
    first = write(Batch(collection="https://a/", number=1, objects=OBJECTS[:2]))
    again = write(Batch(collection="https://a/", number=1, objects=OBJECTS[:3]))
    other = write(Batch(collection="https://b/", number=1, objects=[{"half": "\ud800"}]))
    assert first == again != other
    assert sorted((tmp_path / "polled").iterdir()) == sorted([first, other])
    assert read_objects(first) == OBJECTS[:3]
    assert json.loads(other.read_text())["objects"] == [{"half": "?"}]


@pytest.mark.parametrize(
    ("text", "count"),
    [('{"type": "bundle", "objects": [{}, {}]}', 2), ("[1, 2, 3]", 3), ('{"id": "x"}', 1),
     ('{"id": "x"}\n\n{"id": "y"}\n', 2)],
)  # fmt: skip
def test_objects_are_read_from_bundles_lists_and_lines(
    tmp_path: Path, text: str, count: int
) -> None:
    (tmp_path / "f.json").write_text(text)
    assert len(read_objects(tmp_path / "f.json")) == count


def test_a_file_that_holds_no_objects_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "f.jsonl").write_text('{"id": "x"}\n{')
    with pytest.raises(InputError, match=r"f\.jsonl:2"):
        read_objects(tmp_path / "f.jsonl")
    with pytest.raises(InputError, match="cannot be read"):
        read_objects(tmp_path / "absent.json")


def test_waiting_is_as_long_as_the_server_says(fresh: Served, front: Front) -> None:
    async def run() -> None:
        async with TaxiiClient(fresh.tokens[ACME], pause=60.0) as client:
            await client.get(f"{front.url}taxii2/")

    front.troubles = [429]  # with which it says: 0 seconds
    began = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - began < 20
