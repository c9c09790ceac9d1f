"""The door connects to no internal address by itself, however it is written or named."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from casebus_consumers.door.addresses import read_networks, resolve_name
from casebus_consumers.door.outbound import Outbound
from casebus_consumers.door.settings import DoorSettings
from casebus_schemas.errors import RetryLater, UsageError
from support.scenes.webhook_receiver import Receiver, receiving

WRITTEN = [
    # loopback, as it is and in other spellings
    *(
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "127.255.255.254",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
    ),
    *("localhost", "LOCALHOST", "localhost.", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]"),
    *("[::ffff:7f00:1]", "[::127.0.0.1]", "0.0.0.0", "0", "[::]"),
    # networks of an organisation, of a provider, of a link; the data of a cloud's machine
    *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "100.64.0.1"),
    *("169.254.169.254", "169.254.0.1", "2852039166", "[fd00::1]", "[fc00::1]", "[fe80::1]", "[fec0::1]"),
    *("[fd00:ec2::254]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]"),
    # what stands for other addresses, and what is nobody's
    *("[64:ff9b::7f00:1]", "[64:ff9b::a00:1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:a00:1::1]"),
    *("[2001:0:7f00:1::1]", "224.0.0.1", "239.255.255.250", "[ff02::1]", "255.255.255.255", "240.0.0.1"),
    *("198.18.0.1", "192.0.0.1", "203.0.113.1", "[2001:db8::1]"),
]
assert len(set(WRITTEN)) > 40


class Watched:
    """Connects to nothing, and remembers to what it was asked to."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, address: tuple[str, int], timeout_s: float) -> socket.socket:
        self.asked.append(address[0])
        raise ConnectionRefusedError("nobody is there")


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", WRITTEN)
def test_no_internal_address_is_reached(receiver: Receiver, host: str, scheme: str) -> None:
    """Refused before any connection, whatever listens there; a name that nobody resolves is none either."""
    watched = Watched()
    outbound = Outbound(connect=watched)
    port = receiver.url.rsplit(":", 1)[1].removesuffix("/hook")
    with pytest.raises((UsageError, RetryLater)):
        outbound.post(f"{scheme}://{host}:{port}/hook", {}, b"", 5)
    assert watched.asked == []
    assert receiver.calls == []


def test_a_network_that_the_settings_name_is_reached(receiver: Receiver) -> None:
    """Loopback and others by an explicit setting alone, and no more than it names."""
    assert (
        Outbound(read_networks(["127.0.0.1/32"])).post(receiver.url, {"webhook-id": "1"}, b"", 5).status
        == 204
    )
    receiver.calls.clear()
    for named in ("10.0.0.0/8", "127.0.0.2/32", "::1/128"):
        with pytest.raises(UsageError):
            Outbound(read_networks([named])).post(receiver.url, {}, b"", 5)
    assert receiver.calls == []


@pytest.mark.parametrize("named", ["0.0.0.0/0", "::/0", "169.254.0.0/16", "8.8.8.0/24", "10.0.0.0/7", "x", 7])
def test_settings_name_internal_networks_only(named: object) -> None:
    """Not everything, nothing link-local, nothing public."""
    with pytest.raises(UsageError):
        read_networks([named])


def test_a_name_is_resolved_once() -> None:
    """A name that is public when it is judged and internal when it is called leads to what was judged."""
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    watched = Watched()
    outbound = Outbound(resolve=lambda _host, _port: answers.pop(0), connect=watched)
    with pytest.raises(RetryLater):
        outbound.post("https://rebinding.example/", {}, b"", 5)
    assert watched.asked == ["93.184.215.14"]
    assert len(answers) == 1


def test_a_name_with_one_internal_address_is_refused() -> None:
    """All that it stands for is judged, not the first alone."""
    watched = Watched()
    both = ["93.184.215.14", "10.0.0.1"]
    with pytest.raises(UsageError):
        Outbound(resolve=lambda _host, _port: both, connect=watched).post("https://both.example/", {}, b"", 5)
    assert watched.asked == []


def test_plain_http_goes_to_named_networks_only() -> None:
    """A public address is called by TLS."""
    with pytest.raises(UsageError):
        Outbound(resolve=lambda _host, _port: ["93.184.215.14"]).check("http://public.example/")
    Outbound(resolve=lambda _host, _port: ["93.184.215.14"]).check("https://public.example/")


@pytest.mark.parametrize(
    "url",
    [
        "https://user@host/",
        "https://user:word@127.0.0.1/",
        "https://host/#x",
        "file:///etc/passwd",
        "gopher://host/",
        "https:///path",
        "https://host\r\nx: y/",
        "https://ho st/",
        "https://例子.example/",
        "https://host:99999/",
        "//host/",
        "https://%31%32%37.0.0.1/",
        "https://host\\@127.0.0.1/",
        "",
    ],
)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    """No other scheme, user, fragment, control character or second reading."""
    with pytest.raises(UsageError):
        Outbound(resolve=lambda _host, _port: ["93.184.215.14"]).check(url)


def test_a_slow_answer_ends() -> None:
    """A server that says nothing, or a byte now and then, holds nobody beyond the time of the call."""
    import threading
    import time

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            talk, _ = listening.accept()
            with talk:
                while not ended.wait(0.05):
                    try:
                        talk.send(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        began = time.monotonic()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(RetryLater):
            Outbound(read_networks(["127.0.0.0/8"])).post(url, {}, b"", 0.4)
        assert time.monotonic() - began < 3
        ended.set()
        thread.join(5)


def test_the_system_resolves_names() -> None:
    """By its own resolver: what it makes of a number is judged, not the text."""
    assert resolve_name("127.0.0.1", 80) == ["127.0.0.1"]


@pytest.mark.parametrize("text", ["reach: 10.0.0.0/8", "reach: [1]", "nothing: 1", "- 1", "reach: ["])
def test_wrong_settings_are_refused(tmp_path: Path, text: str) -> None:
    """A setting that nobody knows is an error, not silence."""
    (tmp_path / "door.yaml").write_text(text)
    with pytest.raises(UsageError):
        DoorSettings.read(tmp_path)


def test_settings_are_read(tmp_path: Path) -> None:
    """Networks, and paths below the data folder; nothing where there is no file."""
    assert DoorSettings.read(tmp_path) == DoorSettings()
    (tmp_path / "door.yaml").write_text("reach: [10.20.0.0/16]\nca_file: ca.pem\n")
    found = DoorSettings.read(tmp_path)
    assert (list(map(str, found.reach)), found.ca_file) == (["10.20.0.0/16"], tmp_path / "ca.pem")
