"""The mail server is reached over a safe and proven channel; a trial says whether it takes mails."""

import json
import ssl
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casebus_consumers.notifier.cli import app
from casebus_consumers.notifier.mail_server import ServerTrouble, connected, hand_over
from casebus_consumers.notifier.settings import FILE, NotifySettings
from casebus_consumers.notifier.settings import MailServer as Settings
from casebus_producers.private_files import write_private
from casebus_schemas.errors import UsageError
from support.scenes.certificates import Authority
from support.scenes.mail_server import OK, MailServer, serving

PLAIN = 'server: {{host: 127.0.0.1, port: {port}, security: "none"}}\nsender: casebus@csrc.example\n'
BOXES = "liaison: [one@csrc.example, two@csrc.example]\nhead: [two@csrc.example]\n"


def context_of(folder: Path) -> ssl.SSLContext:
    """Of a server whose certificate is of the authority in a folder."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(folder / "mail.both.pem")
    return found


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    Authority(tmp_path).issue("mail")
    (tmp_path / "others").mkdir()
    Authority(tmp_path / "others")
    write_private(tmp_path / "right", "right")
    write_private(tmp_path / "wrong", "wrong")
    return tmp_path


def test_a_mail_goes_by_starttls_under_a_login(authority: Path) -> None:
    """The server sees name and password only over TLS."""
    with serving(MailServer(), context=context_of(authority), login=True) as server:
        settings = Settings(
            "127.0.0.1",
            server.port,
            login="desk",
            password_file=authority / "right",
            ca_file=authority / "ca.pem",
        )
        with connected(settings) as smtp:
            hand_over(smtp, "casebus@csrc.example", "one@csrc.example", b"subject: x\r\n\r\ny\r\n")
    assert [to for to, _ in server.taken] == ["one@csrc.example"]
    assert server.logins == ["desk"]


@pytest.mark.parametrize(
    ("password", "ca", "found"),
    [("wrong", "ca.pem", "SMTP 535"), ("right", "others/ca.pem", "CERTIFICATE_VERIFY_FAILED")],
)
def test_another_certificate_or_password_is_the_servers_trouble(
    authority: Path, password: str, ca: str, found: str
) -> None:
    """No mail is at fault; and no password goes to a server that is not proven."""
    with serving(MailServer(), context=context_of(authority), login=True) as server:
        settings = Settings(
            "127.0.0.1",
            server.port,
            login="desk",
            password_file=authority / password,
            ca_file=authority / ca,
        )
        with pytest.raises(ServerTrouble, match=found), connected(settings):
            pass
    assert set(server.logins) == ({"desk"} if ca == "ca.pem" else set())


def test_a_server_without_starttls_gets_nothing(authority: Path) -> None:
    """It is not spoken to in the clear instead."""
    with (
        serving(MailServer()) as server,
        pytest.raises(ServerTrouble, match="NotSupported"),
        connected(Settings("127.0.0.1", server.port)),
    ):
        pass
    assert server.taken == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("sender: a@b.example\n", "server"),
        ("server: {host: mail.example, security: none}\nsender: a@b.example\n", "safe channel"),
        ("server: {host: mail.example}\nsender: a@b.example\nhead: [not a mailbox]\n", "head"),
        ('server: {host: m}\nsender: a@b.example\nhead: ["a@b.example\\nbcc: c@d"]\n', "head"),
        ("server: {host: m}\nsender: a@b.example\nquiet_from: 19:00\n", "quotation marks"),
        ("server: {host: m}\nsender: a@b.example\nnotices: always\n", "notices"),
        ("server: {host: m, login: a}\nsender: a@b.example\n", "password_file"),
        ("server: {host: m}\nsender: a@b.example\nhaed: [a@b.example]\n", "haed"),
    ],
)
def test_wrong_settings_name_what_is_wrong(tmp_path: Path, text: str, wrong: str) -> None:
    """Strictly, before anything is sent."""
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UsageError, match=wrong):
        NotifySettings.read(tmp_path)


def test_a_mailbox_hears_at_all_its_levels(tmp_path: Path) -> None:
    """Without the file there are no mails."""
    assert NotifySettings.read(tmp_path) is None
    (tmp_path / FILE).write_text(PLAIN.format(port=25) + BOXES)
    settings = NotifySettings.read(tmp_path)
    assert settings is not None
    assert settings.mailboxes() == {
        "one@csrc.example": frozenset({"liaison"}),
        "two@csrc.example": frozenset({"liaison", "head"}),
    }


def test_a_trial_says_which_mailbox_the_server_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line a mailbox; exit 1 while one is not taken."""
    files = {name: str(tmp_path / name) for name in ("password_file", "signing_key_file")}
    body = {
        "bootstrap_servers": "127.0.0.1:1",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "partitions": 4,
        "principals": {"csrc": {"username": "csrc", "data_dir": str(tmp_path), **files}},
    }
    (tmp_path / "connection.json").write_text(json.dumps(body))
    monkeypatch.setenv("CASEBUS_CONNECTION", str(tmp_path / "connection.json"))
    with serving(MailServer()) as server:
        (tmp_path / FILE).write_text(PLAIN.format(port=server.port) + BOXES)
        server.on_rcpt = lambda to: "550 5.1.1 who?" if to.startswith("two") else OK
        ran = CliRunner().invoke(app, ["test", "--agency", "csrc", "--json"])
        assert ran.exit_code == 1
        assert json.loads(ran.output) == [
            {"mailbox": "one@csrc.example", "taken": True, "problem": None},
            {"mailbox": "two@csrc.example", "taken": False, "problem": "SMTP 550 5.1.1"},
        ]
        server.on_rcpt = lambda _to: OK
        ran = CliRunner().invoke(app, ["test", "--agency", "csrc", "--level", "head"])
        assert ran.exit_code == 0, ran.output
        assert [to for to, _ in server.taken] == ["one@csrc.example", "two@csrc.example"]
    ran = CliRunner().invoke(app, ["test", "--agency", "csrc", "--json"])
    assert ran.exit_code == 1
    assert "ConnectionRefusedError" in json.loads(ran.output)[0]["problem"]
