"""Proofs made at a desk: verified under the reader's policy, and of nothing that the agency was not told."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from casebus_consumers.auditor.verifier import Given, judged
from casebus_consumers.desk.evidence import Sources
from casebus_consumers.desk.jobs import Jobs, Made
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.headers import EventHeaders
from casebus_services.ledger.store import LedgerStore
from support.cases.chains import at
from support.events.signed_events import chain
from support.ledger.ledgers import empty_sqlite, run
from support.ledger.proven import THREE, ProvenLedger, policy_file
from support.ledger.signed_case import SignedCase
from support.reconciler.desk import envelope_at
from support.scenes.desk_scene import Browser, DeskScene

SOURCE = "exchange_alert"
LONG_S = 60


def text_of(page: str) -> str:
    """What a page shows, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def id_of(event: Composed) -> str:
    """The id of an event."""
    return str(EventHeaders.parse(event.record.headers).id)


class Proving(DeskScene):
    """A desk beside a sealed ledger: two clues in a case that the police told it of, one that it was not."""

    def __init__(self, folder: Path, store: LedgerStore, url: str) -> None:
        self.policy = policy_file(folder)
        super().__init__(folder, ledger=Sources(url, self.policy))
        self.ledger = ProvenLedger(store, folder)
        case = SignedCase()
        mps = case.admitter.speaker("mps")
        self.told: list[Composed] = []
        for number, to, said in ((3, "csrc", 2), (3, "spp", 1), (4, "csrc", 1)):
            for turn in range(said):
                envelope = envelope_at("2022-10-01", to=[to])
                envelope["message_no"] = f"{number}/{to}/{turn}"
                event = mps.say("clue.submitted", {"envelope": envelope, "source": SOURCE}, chain(number))
                case.say(event)
                if to == "csrc":
                    self.hear(event, at("2022-10-02T09:00") + timedelta(minutes=len(self.told)))
                    self.told.append(event)
                else:
                    self.untold = event
        self.ledger.take(case)
        self.ledger.seal(*THREE)
        store.append([run(0, 5, topic="spp.record")])
        self.ledger.seal("spp")
        self.arrive()

    def over(self, browser: Browser, path: str = "/audit/proofs") -> str:
        """The page once nothing is under way any more."""
        end = time.monotonic() + LONG_S
        while time.monotonic() < end:
            page = browser.get(path).text
            if "data-renew" not in page:
                return page
            time.sleep(0.05)
        pytest.fail("the work did not end")

    def file(self, browser: Browser, page: str) -> bytes:
        """What was made last."""
        found = re.search(r'href="(/audit/proofs/[0-9a-f]+/made.bin)"', page)
        assert found is not None, text_of(page)
        answer = browser.get(found[1])
        assert "attachment" in answer.headers["content-disposition"]
        return answer.content

    def given(self) -> Given:
        """What a reader brings."""
        return Given(TrustPolicy.parse(self.policy.read_bytes()))


@pytest.fixture
def proving(tmp_path: Path) -> Iterator[Proving]:
    """The desk with its ledger."""
    url = empty_sqlite(tmp_path)
    store = LedgerStore(url)
    scene = Proving(tmp_path, store, url)
    yield scene
    scene.close()
    store.close()


def test_an_event_is_proven_to_whoever_has_the_policy(proving: Proving) -> None:
    """By its id, digest or number: the file holds under the reader's own policy, and the page says so."""
    browser, event = proving.browser("auditor"), proving.told[0]
    for about in (id_of(event), event.digest.hex(), "3/csrc/0"):
        answer = browser.submit("/audit/proofs", kind="event", about=about)
        assert answer.status_code == 303, text_of(answer.text)
        page = proving.over(browser)
        assert "校验通过" in page
        found = judged("proof", proving.file(browser, page), proving.given())
        assert found.ok
        assert found.body()["headers"]["ce_id"] == id_of(event)


def test_a_bundle_holds_what_the_agency_was_told(proving: Proving) -> None:
    """All of a case that it knows; of another only its part, and the bundle says what is not covered."""
    browser = proving.browser("auditor")
    for number, events, left_out in ((4, 1, 0), (3, 2, 2)):
        answer = browser.submit("/audit/proofs", kind="bundle", about=chain(number), cover="case")
        assert answer.status_code == 303
        page = proving.over(browser)
        raw = proving.file(browser, page)
        found = judged("bundle", raw, proving.given())
        body = found.body()
        assert found.ok, body["failed"]
        said = [one for one in body["entries"] if not one["place"].startswith("bus.")]
        assert [one["type"] for one in said] == ["clue.submitted"] * events
        assert ("总线裁定是否齐全" in text_of(page)) == bool(left_out)
        assert bool(left_out) == any("only what is of this chain" in one for one in body["not_covered"])
        assert id_of(proving.untold).encode() not in raw
        assert {str(one["id"]) for one in body["entries"]} <= {id_of(one) for one in proving.told}


def test_contents_stay_at_home_where_it_is_asked(proving: Proving) -> None:
    """Hashes alone: signatures are verified all the same."""
    browser = proving.browser("auditor")
    browser.submit("/audit/proofs", kind="bundle", about=chain(4), cover="none", withhold="all")
    body = judged("bundle", proving.file(browser, proving.over(browser)), proving.given()).body()
    assert body["ok"]
    assert {one["content"] for one in body["entries"]} == {"hash"}
    assert body["signatures"] > 0


def test_what_was_not_told_is_not_proven(proving: Proving) -> None:
    """Neither the event, nor by its place, nor the silence of who said something to others there."""
    browser = proving.browser("auditor")
    for about in (id_of(proving.untold), proving.untold.digest.hex(), "mps.clue/0/0", "3/spp/0"):
        answer = browser.submit("/audit/proofs", kind="event", about=about)
        assert answer.status_code == 422, about
    assert browser.submit("/audit/proofs", kind="bundle", about=chain(9), cover="case").status_code == 422
    fields = {"kind": "absence", "by": "mps", "type1": "referral.filed", "until": "2022-10-05"}
    assert browser.submit("/audit/proofs", about=chain(3), **fields).status_code == 303
    page = text_of(proving.over(browser))
    assert "未能完成" in page
    assert "未被告知" in page


def test_silence_is_proven_as_far_as_the_ledger_shows_it(proving: Proving) -> None:
    """What the file says is what the verifier says; an agency that has not confirmed its end is named."""
    browser = proving.browser("auditor")
    fields = {"kind": "absence", "by": "mps", "type1": "referral.filed", "until": "2016-10-18"}
    assert browser.submit("/audit/proofs", about=chain(4), **fields).status_code == 303
    page = proving.over(browser)
    found = judged("absence", proving.file(browser, page), proving.given()).body()
    assert found["finding"] == "tail not confirmed"
    assert "尾部未经确认" in page
    assert (
        browser.submit("/audit/proofs", kind="absence", about=chain(4), by="mps", until="x").status_code
        == 422
    )


def test_the_ledgers_health(proving: Proving) -> None:
    """Epochs, entries, what is final, who lags behind; the final checkpoint to keep."""
    browser = proving.browser("auditor")
    page = text_of(browser.get("/audit/ledger").text)
    assert "2 封存期" in page
    assert "1 最终确认至" in page
    assert "最高检 2" in page
    assert "审计机关 1" in page
    assert page.count("落后 1 期") == len(THREE)
    note = browser.get("/audit/ledger/checkpoint.note")
    assert proving.given().policy.judge(SignedNote.parse(note.content)).accepted


def test_a_verification_is_noted_with_its_report(proving: Proving) -> None:
    """Sound at first; after a change of a row the page says that it is damaged, and the report names it."""
    browser = proving.browser("auditor")
    assert browser.submit("/audit/ledger").status_code == 303
    page = proving.over(browser, "/audit/ledger")
    assert "校验通过" in page
    with proving.ledger.store.database.engine.begin() as connection:
        for name in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).scalars():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql(
            "UPDATE payload SET value = x'00' WHERE rowid = (SELECT max(rowid) FROM payload)"
        )
    browser.submit("/audit/ledger")
    page = proving.over(browser, "/audit/ledger")
    assert "校验未通过" in page
    assert b'"payload"' in proving.file(browser, page)


def test_a_desk_without_a_ledger_says_what_it_lacks(scene: DeskScene) -> None:
    """Its pages open and teach; nothing can be asked for."""
    browser = scene.browser("auditor")
    for path in ("/audit/ledger", "/audit/proofs"):
        page = browser.get(path)
        assert page.status_code == 200
        assert "CASEBUS_LEDGER_URL" in page.text
        assert browser.submit(path, "/account", kind="event", about=chain(1)).status_code == 422


def test_files_are_the_auditors(proving: Proving) -> None:
    """Other roles ask for nothing and download nothing; made-up ids lead nowhere; all is logged."""
    browser = proving.browser("auditor")
    browser.submit("/audit/proofs", kind="event", about=id_of(proving.told[0]))
    page = proving.over(browser)
    address = re.search(r"/audit/proofs/[0-9a-f]+/made.bin", page)
    assert address is not None
    proving.file(browser, page)
    for role in ("liaison", "head", "operator"):
        other = proving.browser(role)
        for path in ("/audit/proofs", "/audit/ledger", address[0], "/audit/ledger/checkpoint.note"):
            assert other.get(path).status_code == 403
        assert other.submit("/audit/proofs", "/account", kind="event", about="x").status_code == 403
    assert browser.get("/audit/proofs/0123456789abcdef/made.bin").status_code == 404
    assert browser.get("/audit/proofs/..%2f..%2foutbox.db/made.bin").status_code == 404
    acts = {one["act"] for one in proving.desk.accesses.before(10_000, 100)}
    assert {"proved", "downloaded"} <= acts
    for file in (proving.folder / "evidence").iterdir():
        assert file.stat().st_mode & 0o077 == 0


def test_work_goes_on_after_a_stop(scene: DeskScene) -> None:
    """What was asked for and not done when the desk was stopped is done by the next one."""
    store, officer = scene.desk.store, scene.officers["auditor"]
    stopped = Jobs(store, scene.folder / "evidence", {"bundle": lambda _asked, _watch: Made("x", b"", {})})
    stopped._work_on = lambda: None  # type: ignore[method-assign]
    waiting, begun = (stopped.ask("bundle", {"n": n}, officer) for n in (1, 2))
    with store.writing() as connection:
        connection.execute("UPDATE job SET state = 'running' WHERE id = ?", (begun,))
    fresh = Jobs(store, scene.folder / "evidence", {"bundle": lambda asked, _watch: _made(asked["n"])})
    fresh.resume()
    end = time.monotonic() + LONG_S
    while not all((job := fresh.one(id)) and job.is_over for id in (waiting, begun)):
        assert time.monotonic() < end
        time.sleep(0.02)
    first, second = fresh.one(waiting), fresh.one(begun)
    assert first is not None
    assert second is not None
    assert fresh.content(first) == b"made 1"
    assert second.problem["en"].startswith("no such thing")


def _made(number: int) -> Made:
    if number == 2:
        raise UsageError("no such thing", found="2", expected="1")
    return Made("one.txt", f"made {number}".encode(), {})
