"""The report as Chromium sees it: silent console, no request, dark scheme, working script."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from stillwatch.campaigns import Campaign, ScanReport
from stillwatch.campaigns.report import render

pytestmark = pytest.mark.service

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--window-size=1280,900",
]
LIGHT, DARK = "--blink-settings=preferredColorScheme=1", "--blink-settings=preferredColorScheme=0"


@dataclass
class Visit:
    """What a visit left behind: the page after its script, the console, requests of the page."""

    dom: str
    console: list[str]
    requests: list[str]


@pytest.fixture
def browse(tmp_path: Path) -> Callable[..., Visit]:
    def visit(html: str, *options: str) -> Visit:
        chromium = shutil.which("chromium")
        assert chromium, "these tests need Debian's chromium; .ci/run installs it"
        page, log = tmp_path / "report.html", tmp_path / "net.json"
        page.write_text(html, encoding="utf-8")
        ran = subprocess.run(
            [
                chromium,
                *QUIET,
                "--host-resolver-rules=MAP * ~NOTFOUND",  # its own calls home lead nowhere
                f"--user-data-dir={tmp_path / 'profile'}",
                f"--log-net-log={log}",
                *(options or ("--dump-dom",)),
                page.as_uri(),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return Visit(ran.stdout, re.findall(r"CONSOLE.*", ran.stderr), requests_of_pages(log))

    return visit


def requests_of_pages(log: Path) -> list[str]:
    """Addresses that a page asked for; the browser's own requests have no origin."""
    found = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    return [p["url"] for p in found if "url" in p and p.get("initiator", "") == "null"]


def corner(picture: Path) -> tuple[int, int, int]:
    """Colour of the first pixel of a PNG: no filter changes it, since nothing is before it."""
    data, at, packed = picture.read_bytes(), 8, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += length + 12
    red, green, blue = zlib.decompress(packed)[1:4]
    return red, green, blue


def test_the_page_opens_silently_and_asks_for_nothing(
    full_report: ScanReport, browse: Callable[..., Visit]
) -> None:
    visit = browse(render(full_report))
    assert visit.console == []
    assert visit.requests == []
    assert "Four suspected campaigns, 3,341 accounts" in visit.dom
    assert "evaluate the response on a scale from" in visit.dom
    assert '<button type="button">Accounts</button>' in visit.dom, "the script did not run"


def test_a_request_or_an_error_would_have_been_noticed(browse: Callable[..., Visit]) -> None:
    visit = browse('<img src="http://127.0.0.1:9/spy.png"><script>throw new Error("no")</script>')
    assert "http://127.0.0.1:9/spy.png" in visit.requests
    assert any("Error: no" in line for line in visit.console)


def test_the_policy_stops_what_escaping_would_have_let_through(
    full_report: ScanReport, browse: Callable[..., Visit]
) -> None:
    planted = '<img src="http://127.0.0.1:9/spy.png"><script>document.title = "owned"</script>'
    visit = browse(render(full_report).replace("</main>", planted + "</main>"))
    assert "<title>owned</title>" not in visit.dom
    assert "http://127.0.0.1:9/spy.png" not in visit.requests
    assert len([line for line in visit.console if "Content Security Policy" in line]) >= 2


def test_hostile_names_stay_text(
    make_report: Callable[..., ScanReport],
    make_campaign: Callable[..., Campaign],
    browse: Callable[..., Visit],
) -> None:
    names = ["<script>document.title = 'owned'</script>", '"><img src=x onerror=alert(1)>', "c"]
    visit = browse(render(make_report(make_campaign(names))))
    assert "owned</title>" not in visit.dom
    assert "<img" not in visit.dom
    assert visit.console == []


def test_the_dark_scheme_applies(
    full_report: ScanReport, browse: Callable[..., Visit], tmp_path: Path
) -> None:
    shade = {}
    for scheme in (LIGHT, DARK):
        picture = tmp_path / "page.png"
        browse(render(full_report), scheme, f"--screenshot={picture}")
        shade[scheme] = sum(corner(picture)) / 3
    assert shade[LIGHT] > 230
    assert shade[DARK] < 40


def test_tables_can_be_sorted_and_filtered(
    full_report: ScanReport, browse: Callable[..., Visit]
) -> None:
    clicks = """
    <script>
      const button = [...document.querySelectorAll(".overview button")]
        .find((each) => each.textContent === "Accounts");
      button.click();
      const field = document.querySelector(".filter input");
      field.value = "KEY-0";
      field.dispatchEvent(new Event("input"));
      const numbers = [...document.querySelectorAll(".overview tbody tr")]
        .map((row) => row.cells[2].textContent);
      const left = [...document.querySelector("table.members").tBodies[0].rows]
        .filter((row) => !row.hidden).map((row) => row.cells[0].textContent);
      document.title = JSON.stringify({ numbers, left });
    </script></body>"""
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", render(full_report))
    visit = browse(html.replace("</body>", clicks))
    title = re.search(r"<title>(.*?)</title>", visit.dom)
    assert title
    found = json.loads(title[1])
    assert found["numbers"] == ["3,000", "312", "24", "5"]
    assert found["left"]
    assert all(name.startswith("key-0") for name in found["left"])


def test_the_graph_lights_up_what_the_pointer_is_on(
    full_report: ScanReport, browse: Callable[..., Visit]
) -> None:
    hover = """
    <script>
      const graph = document.querySelector("svg.graph");
      const box = graph.querySelector(".box rect");
      box.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
      const lit = [...graph.querySelectorAll("path.on")].map((path) => path.dataset.h);
      const wanted = [...graph.querySelectorAll("path")]
        .filter((path) => path.dataset.h === box.parentElement.dataset.h).length;
      box.dispatchEvent(new PointerEvent("pointerout", { bubbles: true }));
      const after = graph.querySelectorAll("path.on").length;
      document.title = JSON.stringify({ lit, wanted, after });
    </script></body>"""
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", render(full_report))
    title = re.search(r"<title>(.*?)</title>", browse(html.replace("</body>", hover)).dom)
    assert title
    found = json.loads(title[1])
    assert len(found["lit"]) == found["wanted"] > 1
    assert len(set(found["lit"])) == 1
    assert found["after"] == 0
