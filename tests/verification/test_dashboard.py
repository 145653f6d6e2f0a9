"""The dashboard and the alerts read exactly what the function logs."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.handling import HEARD, WHISPER, forget_settings, new_instance
from support.logql import values
from support.loopback import Peer, serve
from support.object_storage import ACCESS_KEY, BUCKET, REGION, SECRET_KEY
from support.triggering import TALK, post, upload

from transcriber.cloud.object_storage import ObjectStorage
from transcriber.jobs.layout import Version
from transcriber.jobs.stores import Stores
from transcriber.request.s3_events import ObjectReference
from transcriber.request_log import JsonLogger
from transcriber.settings import Settings
from transcriber.spans import Span
from transcriber.transcription.chunk_result import ChunkResult
from verify_run.__main__ import main
from verify_run.alerts import ALERTS
from verify_run.dashboard import ALERTS_FILE, DASHBOARD_FILE, write_dashboard
from verify_run.queries import QUERIES, SELECTOR, Query

Lines = list[dict[str, Any]]


class Operation:
    """A function, what its API does next, and the lines that it has logged."""

    def __init__(self, s3: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.s3 = s3
        self.monkeypatch = monkeypatch
        self.statuses: list[str] = []
        self.before_answer: Callable[[], None] = lambda: None
        self.handle = new_instance()
        self._capfd = capfd
        self._lines: Lines = []

    def api(self, peer: Peer) -> None:
        if peer.path == "/models":
            peer.answer(json.dumps({"data": [{"id": WHISPER}]}).encode())
        elif self.statuses:
            peer.answer(b'{"error": {"message": "not now"}}', status=self.statuses.pop(0))
        else:
            self.before_answer()
            peer.answer(json.dumps({"text": HEARD}).encode())

    def lines(self) -> Lines:
        texts = self._capfd.readouterr().err.splitlines()
        self._lines += [json.loads(text) for text in texts if text.startswith("{")]
        return self._lines


@pytest.fixture
def operation(
    server: str, s3: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Operation]:
    forget_settings(monkeypatch)
    operation = Operation(s3, monkeypatch, capfd)
    with serve(operation.api) as api:
        settings = {
            "GENERATIVE_API_KEY": "an-invented-key",
            "GENERATIVE_API_URL": api.url,
            "MODELS": WHISPER,
            "TIME_LIMIT": "6",
            "S3_ENDPOINT": server,
            "S3_REGION": REGION,
            "S3_ACCESS_KEY": ACCESS_KEY,
            "S3_SECRET_KEY": SECRET_KEY,
            "PRICES": f"{WHISPER}=0.6",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        operation.handle = new_instance()
        yield operation


def write_part_before(operation: Operation, server: str) -> None:
    """Have another instance write the part of the recording while this one's call is under way."""
    settings = Settings(api_key="x", models=(WHISPER,), storage_region=REGION)
    etag = operation.s3.head_object(Bucket=BUCKET, Key=TALK)["ETag"].strip('"')
    account = Settings.from_environment(
        {"GENERATIVE_API_KEY": "x", "S3_ACCESS_KEY": ACCESS_KEY, "S3_SECRET_KEY": SECRET_KEY}
    ).storage
    assert account is not None
    storage = ObjectStorage(server, REGION, account)
    parts = Stores(storage, settings).parts(ObjectReference(BUCKET, TALK), Version(etag), JsonLogger("error"))
    span = Span(0.0, 11.088)
    parts.keep(span, [ChunkResult(span, "Words.", WHISPER)])
    operation.before_answer = lambda: None
    storage._client.close()


def a_day(operation: Operation) -> Lines:
    """What a day of operation logs: transcripts, a sweep, failures of each kind."""
    sweep = {"sweep": {"bucket": BUCKET, "prefix": "incoming/"}}
    recording = {"bucket": BUCKET, "key": TALK}
    upload(operation.s3)
    operation.handle(post(sweep), {})  # a backlog, and a transcript of it
    operation.handle(post(recording | {"prompt": "Americans", "top_p": 0.5}), {})  # with a warning
    operation.statuses = ["500 X"]
    operation.handle(post(recording | {"language": "en"}), {})  # a retry
    operation.statuses = ["429 X"] * 50
    operation.handle(post(recording | {"language": "fr"}), {})  # the quota
    operation.statuses = ["402 X"]
    operation.handle(post(recording | {"language": "de"}), {})  # the budget
    operation.statuses = ["401 X"]
    operation.handle(post(recording | {"language": "it"}), {})  # a wrong key
    operation.statuses = []
    operation.monkeypatch.setenv("ACCESS_TOKEN", "a-token")
    new_instance()(post(recording), {})
    return operation.lines()


# What only two instances at once log; it has a test of its own.
TWICE = "paid_twice"


@pytest.mark.parametrize("is_alert", [False, True])
def test_each_query_finds_what_is_logged(operation: Operation, is_alert: bool) -> None:  # noqa: FBT001 # of the table
    """Over a day's real lines, each query of dashboard and alerts reads fields that are there, and finds a value."""
    lines = a_day(operation)
    queries = [alert.query for alert in ALERTS] if is_alert else list(QUERIES)
    for query in queries:
        if TWICE in query.fields:
            continue
        read = [line for line in lines if line["message"] in query.messages]
        logged = {name for line in read for name in line}
        assert set(query.fields) <= logged, (query.title, query.fields)
        found = values(query.text(SELECTOR, "5m"), lines)
        assert found, (query.title or query.expression, lines)


def test_figures_are_right(operation: Operation) -> None:
    """Sums over the lines are those of what was done: nothing is counted in two lines."""
    lines = a_day(operation)
    by_title = {query.title: values(query.text(SELECTOR, "5m"), lines) for query in QUERIES}
    assert sum(by_title["Audio transcribed"]) == pytest.approx(3 * 11.088)
    assert sum(by_title["Cost"]) == pytest.approx(3 * 11.088 * 0.01, abs=1e-4)
    assert sum(by_title["Quota used"]) == pytest.approx(3 * 11.088)
    assert sum(by_title["Calls made again after a failure"]) == 1
    assert sum(by_title["Calls that the quota refused"]) >= 1
    assert len(by_title["Cold starts"]) == 2
    assert len(by_title["Requests by status and trigger"]) == 7


def test_chunks_paid_twice_are_found(operation: Operation, server: str) -> None:
    """A chunk that another instance has done meanwhile stands in the line, and the query finds it."""
    upload(operation.s3)
    operation.before_answer = lambda: write_part_before(operation, server)
    operation.handle(post({"bucket": BUCKET, "key": TALK}), {})
    (query,) = (query for query in QUERIES if TWICE in query.fields)
    assert values(query.text(SELECTOR, "5m"), operation.lines()) == [1.0]


def test_fields_that_a_query_reads_are_those_that_it_names() -> None:
    """A query's filters and sums read the labels that its json stage extracts, and each of them."""
    for query in (*QUERIES, *(alert.query for alert in ALERTS)):
        words = set(re.findall(r"\w+", query.expression)) | {"message"}
        assert set(query.fields) <= words | {"message"}, query
        text = query.text(SELECTOR, "5m")
        read = set(re.findall(r"unwrap (\w+)", text)) | set(re.findall(r'(\w+)(?:!=|>=|=)"?', query.expression))
        assert read - {"__error__"} <= {*query.fields, "message"}, query


def test_files_are_valid(tmp_path: Path) -> None:
    """The files are JSON and YAML with the panels that were asked for, in places that do not overlap."""
    write_dashboard(tmp_path / "new")
    dashboard = json.loads((tmp_path / "new" / DASHBOARD_FILE).read_text())
    panels = dashboard["panels"]
    assert {panel["title"] for panel in panels} == {query.title for query in QUERIES} | {"Warnings and errors"}
    cells = [
        (x, y)
        for panel in panels
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)
    variables = {f"${{{each['name']}" for each in dashboard["templating"]["list"]}
    assert set(re.findall(r"\$\{\w+", json.dumps(panels))) == variables
    rules = yaml.safe_load((tmp_path / "new" / ALERTS_FILE).read_text())["groups"][0]["rules"]
    assert [rule["alert"] for rule in rules] == [alert.name for alert in ALERTS]
    assert all(rule["annotations"]["description"] and rule["expr"] and rule["for"] for rule in rules)


def test_brackets_of_queries_match() -> None:
    """Each query is whole: its brackets match, outside of what it quotes."""
    for query in (*QUERIES, *(alert.query for alert in ALERTS)):
        text = re.sub(r'"[^"]*"|`[^`]*`', "", query.text(SELECTOR, "5m"))
        for opening, closing in ("()", "{}", "[]"):
            assert text.count(opening) == text.count(closing), text
        assert "{lines}" not in text
        assert "{interval}" not in text


def test_the_command_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`scripts/verify --dashboard FOLDER` writes both files, checks nothing, and needs no setting."""
    assert main(["--dashboard", str(tmp_path)], {}) == 0
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / DASHBOARD_FILE), str(tmp_path / ALERTS_FILE)]


def test_a_query_names_its_messages() -> None:
    """A query of no message would count every line."""
    assert all(query.messages for query in QUERIES)
    assert Query("", "count({lines})", ("request",), ()).text("{a}", "5m").endswith('| message="request")')
