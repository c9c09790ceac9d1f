"""Officers are told once of what came and of terms as they near and pass, whatever the mail server does."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from casebus_consumers.door.webhooks.telling import AGAIN_S
from support.cases.chains import at
from support.scenes.mail_server import CUT, OK, MailServer, serving
from support.scenes.notifier_scene import HEAD, LIAISON, PROCURATORATE, TERM, NotifierScene, duty

MINUTES = timedelta(minutes=6)
DAY = timedelta(days=1)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with serving(MailServer()) as found:
        yield found


# --- what is told, to whom, when -------------------------------------------------------------------------


def test_what_came_is_told_once(tmp_path: Path, server: MailServer) -> None:
    """Each notice in one mail, to the liaison officer alone, also when another process goes on."""
    scene = NotifierScene(tmp_path, server)
    scene.hear(0, 1)
    scene.look()
    scene.restart()
    scene.look(after=MINUTES)
    scene.hear(2)
    scene.look(after=MINUTES)
    scene.look(after=MINUTES)
    assert scene.told() == ["/inbox/0", "/inbox/1", "/inbox/2"]
    assert [to for to, _ in server.taken] == [LIAISON, LIAISON]
    first = server.mails()[0]
    assert first["subject"] == "casebus：2 条通知"
    assert "立案" in server.bodies()[0]
    assert first["auto-submitted"] == "auto-generated"


def test_mails_at_once_are_at_most_one_in_five_minutes(tmp_path: Path, server: MailServer) -> None:
    """What comes in a rush is in the next mail together."""
    scene = NotifierScene(tmp_path, server)
    for number in range(20):
        scene.hear(number)
        scene.look(after=timedelta(seconds=10))
    scene.look(after=MINUTES)
    assert len(server.taken) == 2
    assert len(scene.told()) == 20


def test_a_digest_comes_at_its_hours(tmp_path: Path, server: MailServer) -> None:
    """All that came since the last, and no mail where nothing came."""
    scene = NotifierScene(tmp_path, server, notices="digest")
    scene.hear(0, 1)
    scene.look()
    assert server.taken == []
    scene.now = at("2022-09-28T14:01")
    scene.look()
    assert scene.told() == ["/inbox/0", "/inbox/1"]
    scene.now = at("2022-09-29T08:31")
    scene.look()
    scene.hear(2)
    scene.look(after=MINUTES)
    assert len(server.taken) == 1
    scene.now = at("2022-09-29T14:00")
    scene.look()
    assert scene.told()[2:] == ["/inbox/2"]


def test_quiet_hours_and_days_off_pass_in_silence(tmp_path: Path, server: MailServer) -> None:
    """What came then is told when office hours begin; 1 October is a holiday, 8 October a made-up workday."""
    scene = NotifierScene(tmp_path, server)
    for number, when in enumerate(("2022-09-28T20:00", "2022-09-29T07:59", "2022-10-01T10:00")):
        scene.now = at(when)
        scene.hear(number)
        scene.look()
        assert server.taken == [], when
    scene.now = at("2022-10-08T08:00")
    scene.look()
    assert scene.told() == ["/inbox/0", "/inbox/1", "/inbox/2"]


def test_a_mail_that_waits_does_not_go_out_at_night(tmp_path: Path, server: MailServer) -> None:
    """A retry keeps the quiet hours, too."""
    scene = NotifierScene(tmp_path, server)
    server.on_rcpt = lambda _to: "451 4.7.1 later"
    scene.hear(0)
    scene.look()
    server.on_rcpt = lambda _to: OK
    scene.now = at("2022-09-28T23:00")
    scene.look()
    assert server.taken == []
    scene.now = at("2022-09-29T08:00")
    scene.look()
    assert scene.told() == ["/inbox/0"]


def test_the_circle_grows_as_a_term_nears_and_passes(tmp_path: Path, server: MailServer) -> None:
    """Near: liaison; due or contested: the head, too; overdue: the procuratorate's mailbox; each once."""
    scene = NotifierScene(tmp_path, server)
    seen = []
    for state, when in (
        ("open", "2022-09-26T09:00"),
        ("open", "2022-09-28T09:00"),
        ("due", "2022-09-29T09:00"),
        ("contested", "2022-09-30T09:00"),
        ("overdue", "2022-10-09T09:00"),
    ):
        scene.duties = [duty(state, "2022-09-30", "2022-10-09")]
        for hours in (0, 1):
            scene.now = at(when) + timedelta(hours=hours)
            scene.look()
        seen.append(sorted(to for to, _ in server.taken))
        server.taken.clear()
    circle = [[], [LIAISON], [HEAD, LIAISON], [], sorted([HEAD, LIAISON, PROCURATORATE])]
    assert seen == circle


def test_a_term_that_moves_is_told_anew_and_one_that_is_done_is_not(
    tmp_path: Path, server: MailServer
) -> None:
    """The new end is a new occasion; others' terms, rights and what is met are none."""
    scene = NotifierScene(tmp_path, server)
    scene.duties = [
        duty("open", "2022-09-30", "2022-09-30"),
        duty("overdue", "2022-09-27", "2022-09-27", id=TERM.replace("1", "a"), owed_by="mps"),
        duty("overdue", "2022-09-27", "2022-09-27", id=TERM.replace("1", "b"), right=True),
        duty(
            "overdue",
            "2022-09-27",
            "2022-09-27",
            id=TERM.replace("1", "c"),
            met={"provably": "2022-09-28T00:00:00Z"},
        ),
        duty("met", "2022-09-27", "2022-09-27", id=TERM.replace("1", "d")),
    ]
    scene.look()
    scene.duties[0] = duty("open", "2022-10-01", "2022-10-01")
    scene.look(after=DAY)
    assert [body.count("/due/") for body in server.bodies(LIAISON)] == [1, 1]
    assert server.mails(PROCURATORATE) == []


# --- whatever the server does ----------------------------------------------------------------------------


def test_a_server_that_is_away_loses_nothing(tmp_path: Path) -> None:
    """A week of it uses up no attempt; then each mail comes once."""
    scene_server = MailServer()
    with serving(scene_server):
        scene = NotifierScene(tmp_path, scene_server)
    for number in range(30):
        scene.hear(number)
        scene.look(after=timedelta(hours=5))
    assert "mail: " in str(scene.notifier.problem)
    scene.now = at("2022-10-10T09:00")
    with serving(scene_server, port=scene_server.port):
        for _ in range(3):
            scene.look(after=MINUTES)
    assert sorted(scene.told()) == sorted(f"/inbox/{number}" for number in range(30))
    assert set(scene_server.ids().values()) == {1}
    assert scene.notifier.problem is None


def test_a_mail_that_is_put_off_comes_later_once(tmp_path: Path, server: MailServer) -> None:
    """4xx: again after a while, and never again once it was taken."""
    scene = NotifierScene(tmp_path, server)
    answers = iter(["450 4.2.0 busy", "452 4.3.1 full", OK, "554 not asked"])
    server.on_data = lambda _to: next(answers)
    scene.hear(0)
    for _ in range(4):
        scene.look(after=timedelta(hours=2))
    assert scene.told() == ["/inbox/0"]
    (line,) = scene.store.log(LIAISON, None, 5)
    assert (line["state"], line["attempts"], line["problem"]) == ("told", 3, None)


def test_a_mail_that_is_refused_is_kept_and_says_so(tmp_path: Path, server: MailServer) -> None:
    """5xx: no attempt more, the others get theirs, and the operator can have it sent again, once."""
    scene = NotifierScene(tmp_path, server)
    server.on_rcpt = lambda to: "550 5.1.1 <somebody> unknown" if to == HEAD else OK
    scene.duties = [duty("due", "2022-09-29", "2022-10-09")]
    for _ in range(3):
        scene.look(after=MINUTES)
    assert [to for to, _ in server.taken] == [LIAISON]
    (line,) = scene.store.log(HEAD, "failed", 5)
    assert (line["attempts"], line["problem"]) == (1, "SMTP 550 5.1.1")
    assert scene.notifier.problem == "mail: 1 refused for good (casebus notify log)"
    server.on_rcpt = lambda _to: OK
    assert scene.store.drive_again(HEAD) == 1
    for _ in range(2):
        scene.look(after=MINUTES)
    assert [to for to, _ in server.taken] == [LIAISON, HEAD]
    assert scene.notifier.problem is None


def test_a_mail_that_is_put_off_for_days_is_kept_as_failed(tmp_path: Path, server: MailServer) -> None:
    """Ten attempts in some days, then it waits for a person and is not lost."""
    scene = NotifierScene(tmp_path, server, days_off=False, quiet_from=at("2022-01-01T08:00").time())
    server.on_rcpt = lambda _to: "451 4.7.1 greylisted"
    scene.hear(0)
    for _ in range(len(AGAIN_S) + 3):
        scene.look(after=timedelta(hours=27))
    (line,) = scene.store.log(LIAISON, None, 5)
    assert (line["state"], line["attempts"]) == ("failed", len(AGAIN_S) + 1)


def test_a_second_copy_is_known_as_one(tmp_path: Path, server: MailServer) -> None:
    """Where the connection breaks before the answer the same bytes go again, under the same Message-ID."""
    scene = NotifierScene(tmp_path, server)
    answers = iter([CUT, OK])
    server.on_data = lambda _to: next(answers)
    scene.hear(0)
    for _ in range(4):
        scene.look(after=MINUTES)
    (first, second) = server.taken
    assert first == second


def test_a_process_that_ends_before_it_notes_an_answer_sends_the_same_again(
    tmp_path: Path, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once: nothing that was only in memory decides."""
    scene = NotifierScene(tmp_path, server)
    scene.hear(0)
    with monkeypatch.context() as patch:
        patch.setattr(scene.store, "note_told", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            scene.look()
    scene.restart()
    scene.look(after=MINUTES)
    scene.look(after=MINUTES)
    (first, second) = server.taken
    assert first == second


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_server_answers_nothing_is_lost_and_nothing_comes_twice(
    tmp_path: Path, server: MailServer, seed: int
) -> None:
    """A server that takes, puts off, refuses and is away by chance; in the end each is told once."""
    chance = random.Random(seed)
    scene = NotifierScene(tmp_path, server)
    bad = ("421 4.3.2 closing", "451 4.3.0 later", "550 5.7.1 no", "554 5.3.4 no")
    server.on_rcpt = lambda _to: OK if chance.random() < 0.5 else chance.choice(bad)
    server.on_data = lambda _to: OK if chance.random() < 0.5 else chance.choice(bad)
    for number in range(40):
        scene.hear(number)
        scene.look(after=timedelta(minutes=chance.randrange(30)))
        if chance.random() < 0.1:
            scene.restart()
        scene.store.drive_again(LIAISON)
    server.on_rcpt = server.on_data = lambda _to: OK
    scene.now = at("2022-09-30T09:00")
    for _ in range(3):
        scene.store.drive_again(LIAISON)
        scene.look(after=MINUTES)
    assert sorted(scene.told(), key=lambda path: int(path[7:])) == [f"/inbox/{n}" for n in range(40)]
    assert set(server.ids().values()) == {1}
