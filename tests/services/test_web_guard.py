"""Before a web application: only known hosts, methods and sizes reach it; browsers are told to be strict."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from casebus_services.metrics.named import REGISTRY
from casebus_services.web_guard import LOOPBACK, Guarded, web_hosts

MOST = 10


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with what it was sent."""
    body = (await receive())["body"]
    await PlainTextResponse(b"got " + body)(scope, receive, send)


GUARDED = Guarded(
    app, server="page", hosts={*LOOPBACK, "bus.example"}, methods=("GET", "POST"), most_bytes=MOST
)


def status(method: str = "GET", *, host: str = "localhost:8", **more: Any) -> int:
    """The answer to one request."""
    headers = {"host": host, **more.pop("headers", {})}
    client = TestClient(GUARDED, "http://localhost")
    return int(client.request(method, "/", headers=headers, **more).status_code)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:81", "[::1]:81", "bus.example", "BUS.example:1"])
def test_b10_known_hosts_are_answered(host: str) -> None:
    """Loopback by each of its names and the configured hosts are answered, on any port."""
    assert status(host=host) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1@evil.example", "", "[bad", "10.0.0.1"]
)
def test_b10_a_foreign_host_is_not_answered(host: str) -> None:
    """A name that somebody else lets point to this machine does not reach the application."""
    assert status(host=host) == 421


def test_b10_a_page_of_another_site_is_not_answered() -> None:
    """What a browser sends for another site's page is refused, for one of ours answered."""
    assert status(headers={"origin": "https://evil.example"}) == 403
    assert status(headers={"origin": "null"}) == 403
    assert status(headers={"origin": "http://bus.example"}) == 200


def test_b10_other_methods_are_refused() -> None:
    """A method that the application was not made for does not reach it."""
    assert status("DELETE") == 405


def parts(*sizes: int) -> Iterator[bytes]:
    """A body in parts, whose length nobody says beforehand."""
    return iter([b"x" * size for size in sizes])


def test_b10_a_long_body_is_refused_whether_its_length_is_said_or_not() -> None:
    """One byte more than allowed is refused, with a length and in chunks; what is allowed arrives whole."""
    client = TestClient(GUARDED, "http://localhost")
    assert client.post("/", content=b"x" * (MOST + 1)).status_code == 413
    assert client.post("/", content=parts(6, 5)).status_code == 413
    assert client.post("/", content=parts(6, 4)).text == "got " + "x" * MOST


def test_b10_reading_stops_at_the_limit() -> None:
    """Of an endless body no more is taken than the limit."""
    taken = 0
    sent: list[Message] = []

    async def endless() -> Message:
        nonlocal taken
        taken += 4
        return {"type": "http.request", "body": b"xxxx", "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"transfer-encoding", b"chunked")]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b""}
    asyncio.run(GUARDED(scope, endless, send))
    assert sent[0]["status"] == 413
    assert taken <= MOST + 4


def test_b10_browsers_are_told_to_be_strict() -> None:
    """Answers and refusals forbid frames, foreign scripts and guessing of types."""
    client = TestClient(GUARDED, "http://localhost")
    for answer in (client.get("/"), client.get("/", headers={"host": "evil.example"})):
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_b10_configured_hosts_are_trusted() -> None:
    """A server trusts loopback, the host of its own address, and those of the list."""
    assert web_hosts("http://bus.example:80/", " One.example, ,two.example") == LOOPBACK | {
        *("bus.example", "one.example", "two.example")
    }


def test_requests_are_counted_by_class_and_by_no_path() -> None:
    """What a guarded server answers is told by method and class of answer; an unknown method is `other`."""
    client = TestClient(Guarded(app, server="registry", hosts=LOOPBACK, methods=("GET",), most_bytes=MOST))

    def told() -> dict[tuple[str, str], float]:
        found = REGISTRY.collect()
        return {
            (one.labels["method"], one.labels["status"]): one.value
            for family in found
            for one in family.samples
            if one.name == "casebus_http_requests_total" and one.labels["server"] == "registry"
        }

    before = told()
    client.get("http://localhost/a-name-that-is-nobodys-business")
    client.get("http://evil.example/")
    client.request("BREW", "http://localhost/")
    after = told()
    assert {one: after[one] - before.get(one, 0) for one in after if after[one] != before.get(one, 0)} == {
        ("GET", "2xx"): 1,
        ("GET", "4xx"): 1,
        ("other", "4xx"): 1,
    }
    assert REGISTRY.get_sample_value("casebus_http_open_requests", {"server": "registry"}) == 0
