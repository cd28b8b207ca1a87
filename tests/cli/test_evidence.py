"""`stillwatch provenance plan|ask|test`, and then `stillwatch evidence seal|verify`."""

from __future__ import annotations

import copy
import json
import re
import shlex
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stillwatch.lab.students import HabitModel
from stillwatch.ledger import Ledger
from stillwatch.provenance import Probes, ask, read_transcripts
from stillwatch.provenance.keyed import EnglishReader, KeyedMark, rewrite
from stillwatch.provenance.refusals import read_prompt_set
from stillwatch.watermark import KeyRing
from tests.cli.in_process import run
from tests.cli.test_provenance import write
from tests.provenance.bundle.conftest import sign_again
from tests.provenance.test_refusals import NO

PROMPTS = [f"What about {i}?" for i in range(120)]


class Case:
    """A student of c-812, a model that is none, and files about them, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, folder / "mark.key"
        # not a new one each time: one key in a thousand is found in whoever never met it
        self.key.write_bytes(bytes(range(32)))
        self.key.chmod(0o600)
        reader = EnglishReader()
        mark = KeyedMark.of(KeyRing.from_file(self.key, "2026-11"), "c-812", reader.name)
        teacher = HabitModel(1)
        told = [f"Tell {i}" for i in range(300)]
        served = [(p, rewrite(mark, reader, p, teacher(p))) for p in told]
        self.student = HabitModel(2).taught(served)
        probes = Probes.of(PROMPTS)
        (folder / "probes.jsonl").write_bytes(probes.encoded())
        for name, model in (("suspect", self.student), ("other-a", HabitModel(3))):
            # by somebody else's tool, which does not say when: the plan is made later
            lines = ({"prompt": p, "answer": model(p), "model": name} for p in PROMPTS)
            (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))

    def at(self, folder: Path) -> Case:
        """The same case in another folder."""
        moved = copy.copy(self)
        moved.folder, moved.key = folder, folder / "mark.key"
        return moved

    def keys(self, *clusters: str) -> list[str | Path]:
        named = [part for each in clusters or ("c-811", "c-812") for part in ("--cluster", each)]
        return ["--key-file", self.key, "--epoch", "2026-11", *named, "--salt",
                self.folder / "plan.salt", "--probes", self.folder / "probes.jsonl"]  # fmt: skip

    def plan(self, *more: str | Path) -> tuple[int, str]:
        ended = run("provenance", "plan", self.folder / "plan.json", *self.keys(), *more)
        return ended.returncode, ended.stdout + ended.stderr

    def test(self, *more: str | Path, suspect: str = "suspect") -> tuple[int, str]:
        ended = run("provenance", "test", "--registration", self.folder / "plan.json",
                    *self.keys(), "--suspect", self.folder / f"{suspect}.jsonl", *more)  # fmt: skip
        return ended.returncode, ended.stdout + ended.stderr

    def seal(self, *more: str | Path) -> tuple[int, str]:
        ended = run("evidence", "seal", "--out", self.folder / "bundle",
                    "--state", self.folder / "state", *more, "keyed",
                    "--registration", self.folder / "plan.json", *self.keys(),
                    "--suspect", self.folder / "suspect.jsonl",
                    "--control", self.folder / "other-a.jsonl")  # fmt: skip
        return ended.returncode, ended.stdout + ended.stderr

    def verify(self, *more: str | Path) -> tuple[int, str]:
        public = self.folder / "state" / "ledger.pub"
        ended = run("evidence", "verify", self.folder / "bundle", "--key", public,
                    "--ledger-key", public, *more)  # fmt: skip
        return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("case"))


@pytest.fixture
def case(made: Case, tmp_path: Path) -> Case:
    """A copy of the files, to work with."""
    shutil.copytree(made.folder, tmp_path / "case")
    return made.at(tmp_path / "case")


def test_a_student_is_found_by_a_plan_that_was_made_before(case: Case) -> None:
    status, digest = case.plan("--suspects", "2")
    assert (status, len(digest.strip())) == (0, 64)
    control = ("--control", case.folder / "other-a.jsonl")
    status, said = case.test(*control, "--json")
    assert status == 3
    rows = [json.loads(line) for line in said.splitlines()]
    assert [(r["model"], r["role"], r["cluster"], r["found"]) for r in rows] == [
        ("suspect", "suspect", "c-811", False), ("suspect", "suspect", "c-812", True),
        ("other-a", "control", "c-811", False), ("other-a", "control", "c-812", False),
    ]  # fmt: skip
    assert {r["registration"] for r in rows} == {digest.strip()}
    assert "found" in case.test(*control)[1]
    status, said = case.test(suspect="other-a")
    assert (status, "found" in said) == (0, False)


def test_from_a_plan_on_the_ledger_to_a_bundle_that_is_sound(case: Case) -> None:
    status, said = case.plan("--state", case.folder / "state", "--by", "ana")
    assert status == 0
    assert "entry 0 of the ledger" in said
    assert case.seal("--open-keys")[0] == 0
    status, said = case.verify()
    assert status == 0
    assert "sound" in said
    assert "computed again from the answers and the opened keys: 1 found" in said
    assert "is it" not in said
    bare = run("evidence", "verify", case.folder / "bundle")
    assert bare.returncode == 0
    assert bare.stdout.count("is it") == 2
    with Ledger.open(case.folder / "state", read_only=True) as ledger:
        assert [entry.kind for _, entry in ledger.entries()] == ["test_plan", "evidence"]


def test_a_plan_that_came_after_the_answers_is_not_sealed(case: Case) -> None:
    path = case.folder / "suspect.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    early = datetime.now(UTC).isoformat()
    path.write_text("\n".join(json.dumps(line | {"at": early}) for line in lines))
    case.plan("--state", case.folder / "state")
    status, said = case.seal()
    assert (status, "SW123" in said, "after the first answer" in said) == (2, True, True)
    assert not (case.folder / "bundle").exists()
    assert not [*case.folder.glob(".bundle.*")]
    path.unlink()
    ask(case.student, PROMPTS, path, model="suspect", workers=1)
    assert case.seal()[0] == 0
    assert "after the plan was put on the ledger" in case.verify()[1]


def test_shares_are_judged_by_the_control_that_the_plan_names_and_can_be_sealed(case: Case) -> None:
    other = case.folder / "other-a.jsonl"
    shares = ("--statistic", "shares", "--reference", other, "--state", case.folder / "state")
    assert case.plan(*shares)[0] == 0
    assert "other-a sha256:" in (case.folder / "plan.json").read_text()
    status, said = case.test("--control", other, "--json")
    assert status == 3
    assert [json.loads(line)["found"] for line in said.splitlines()] == [False, True, False, False]
    status, said = case.test()
    assert status == 2
    assert "the plan's reference is no control: other-a sha256:" in said
    assert case.seal("--open-keys")[0] == 0
    assert "computed again from the answers and the opened keys: 1 found" in case.verify()[1]


def test_a_reference_is_for_shares_alone(case: Case) -> None:
    status, said = case.plan("--reference", case.folder / "other-a.jsonl")
    assert status == 2
    assert "a reference belongs to the statistics" in said


def test_a_changed_bundle_ends_with_four_and_no_bundle_with_two(case: Case) -> None:
    case.plan("--state", case.folder / "state")
    case.seal()
    assert "not computed again" in case.verify()[1]
    path = case.folder / "bundle" / "1-keyed" / "transcripts" / "suspect-1.jsonl"
    path.write_bytes(path.read_bytes().replace(b"However", b"Howewer", 1))
    status, said = case.verify()
    assert (status, "suspect-1.jsonl: is not what was sealed" in said) == (4, True)
    (case.folder / "bundle" / "statement.json").write_text("x")
    assert case.verify()[0] == 2
    assert run("evidence", "verify", case.folder / "nowhere").returncode == 2


def test_what_contradicts_the_plan_ends_with_two(case: Case) -> None:
    assert case.plan()[0] == 0
    assert case.plan()[0] == 2  # a plan is never overwritten
    ended = run("provenance", "test", "--registration", case.folder / "plan.json",
                *case.keys("c-813"), "--suspect", case.folder / "suspect.jsonl")  # fmt: skip
    assert (ended.returncode, "the marks" in ended.stderr) == (2, True)
    twice = ("--suspect", case.folder / "suspect.jsonl")
    assert "both of suspect" in case.test(*twice)[1]
    more = ("--suspect", case.folder / "other-a.jsonl")
    assert "for 1 suspects at most" in case.test(*more)[1]
    status, said = case.seal()
    assert (status, "SW301" in said) == (2, True)  # there is no ledger
    (case.folder / "plan.salt").unlink()
    status, said = case.test()
    assert (status, "no such file" in said) == (2, True)
    assert not (case.folder / "plan.salt").exists()


def test_a_plan_that_is_not_on_the_ledger_is_not_sealed_with_it(case: Case) -> None:
    case.plan()
    Ledger.open(case.folder / "state", create=True).close()
    status, said = case.seal()
    assert (status, "was not committed to here" in said) == (2, True)
    assert not (case.folder / "bundle").exists()


def test_a_plan_that_cannot_be_is_refused(case: Case) -> None:
    assert case.plan("--alpha", "2")[0] == 2
    assert case.plan("--statistic", "rank", "--any-time", "--sightings", "1")[0] == 2
    assert case.plan("--timestamp", "http://127.0.0.1:1/")[0] == 2
    (case.folder / "probes.jsonl").write_text('{"prompt": "a"}\n{"prompt": "a"}\n')
    status, said = case.plan()
    assert (status, "SW122" in said) == (2, True)
    (case.folder / "probes.jsonl").write_text('{"prompt": "a"}\n{"ask": "a"}\n')
    status, said = case.plan()
    assert (status, "probes.jsonl:2" in said) == (2, True)
    assert not (case.folder / "plan.json").exists()


class _Answering(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.temperatures.add(asked["temperature"])
        said = self.server.model(asked["messages"][-1]["content"])
        body = json.dumps({"choices": [{"message": {"content": said}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Server(ThreadingHTTPServer):
    """A model behind an OpenAI-compatible address."""

    daemon_threads = True

    def __init__(self, model: HabitModel) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.model = model
        self.temperatures = set[float]()


@pytest.fixture
def server(case: Case) -> Iterator[Server]:
    with Server(case.student) as serving:
        threading.Thread(target=serving.serve_forever, args=(0.01,)).start()
        yield serving
        serving.shutdown()


def test_a_suspect_behind_an_address_is_asked_recorded_and_found(
    case: Case, server: Server
) -> None:
    case.plan()
    out = case.folder / "asked.jsonl"
    address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    question = ("provenance", "ask", out, "--registration", case.folder / "plan.json",
                "--prompts", case.folder / "probes.jsonl",
                "--address", address, "--model", "suspect-7b")  # fmt: skip
    ended = run(*question)
    assert ended.returncode == 0, ended.stderr
    assert set(read_transcripts(out).answers) == set(PROMPTS)
    assert case.test(suspect="asked")[0] == 3
    with (case.folder / "probes.jsonl").open("a") as file:
        file.write('{"prompt": "One more?"}\n')
    ended = run(*question)
    assert (ended.returncode, "not those of the plan" in ended.stderr) == (2, True)


def test_a_plan_about_shares_is_asked_at_temperature_one(case: Case, server: Server) -> None:
    case.plan("--statistic", "shares")
    address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    question = ("--prompts", case.folder / "probes.jsonl", "--address", address, "--model", "m")
    by_plan = ("--registration", case.folder / "plan.json")

    def asked(name: str, *more: str | Path) -> str:
        server.temperatures.clear()
        ended = run("provenance", "ask", case.folder / name, *question, *more)
        assert ended.returncode == 0, ended.stderr
        return ended.stderr

    asked("shares.jsonl", *by_plan)
    assert server.temperatures == {1.0}
    said = read_transcripts(case.folder / "shares.jsonl").asked
    assert said == {"temperature": 1.0, "max_tokens": 512, "system_sha256": None}
    asked("other.jsonl")
    assert server.temperatures == {0.0}
    assert "at temperature 0 there are hardly any" in asked(
        "cold.jsonl", *by_plan, "--temperature", "0"
    )
    ended = run("provenance", "ask", case.folder / "cold.jsonl", *question, "--temperature", "1")
    assert (ended.returncode, "begun with other settings" in ended.stderr) == (2, True)


def test_a_report_is_written_anew_and_another_program_than_the_plans_is_told(case: Case) -> None:
    case.plan("--state", case.folder / "state")
    case.seal("--open-keys")
    page = case.folder / "again.html"
    status, said = case.verify("--report", page)
    assert (status, "NOT CHECKED" in said, "was not fixed beforehand" in said) == (0, False, False)
    assert page.read_bytes() == (case.folder / "bundle" / "report.html").read_bytes()
    assert case.verify("--report", page)[0] == 2
    bundle = case.folder / "bundle"
    sign_again(bundle, lambda predicate: predicate.update(code="0" * 64))
    (bundle / "report.html").write_text("<p>Guilty.</p>")
    sign_again(bundle)
    ended = run("evidence", "verify", bundle)
    assert ended.returncode == 0
    assert "report.html IS NOT CHECKED" in ended.stdout
    assert "and the results were computed by 000000" in ended.stdout


@pytest.mark.parametrize(
    "page", ["keyed-tests.md", pytest.param("evidence.md", marks=pytest.mark.slow)]
)
def test_the_commands_on_the_pages_run_one_after_the_other(
    page: str, case: Case, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case.folder)
    (case.folder / "suspect.jsonl").rename("suspect-7b.jsonl")
    ask(HabitModel(4), PROMPTS, case.folder / "other-b.jsonl", model="other-b", workers=1)
    asked = [each.prompt for each in read_prompt_set().prompts]
    for name in ("teacher-refusals", "suspect-refusals"):
        write(case.folder / f"{name}.jsonl", dict.fromkeys(asked, NO))
    text = (project / "docs" / page).read_text()
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    commands = [shlex.split(line)[2:] for line in lines if line.startswith("$ stillwatch")]
    seals = [("evidence seal", 0), ("evidence verify", 0)]
    assert [(" ".join(words[:2]), run(*words).returncode) for words in commands] == {
        "keyed-tests.md": [("provenance plan", 0), ("provenance test", 3)],
        "evidence.md": [("provenance plan", 0), *seals, ("provenance announce", 0), *seals],
    }[page]
