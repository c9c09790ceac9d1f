"""Topics, access rules and logins become what the topology files say."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from confluent_kafka import ShareConsumer
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import TopicAuthorizationFailedError
from typer.testing import CliRunner

from casebus_deploy.cli.passwords import app as passwords
from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_deploy.embedded.secret_files import write_private
from casebus_deploy.stack.logins import password_file
from casebus_deploy.stack.quotas_admin import described_quotas, set_quotas
from casebus_deploy.stack.topics_admin import Wanted, apply, plan
from casebus_deploy.stack.tried_logins import is_taken
from casebus_deploy.status_page.folder import last_lines
from casebus_deploy.status_page.throttling import held_back
from casebus_schemas.catalogue.quotas import quotas
from casebus_schemas.catalogue.topology import PRINCIPALS, SERVICES, topics
from casebus_schemas.errors import UsageError
from support.cases.members import write_connection

pytestmark = pytest.mark.broker

WANTED = Wanted.of_bus(4)


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A broker whose whole inventory belongs to these tests."""
    with EmbeddedBroker(tmp_path_factory.mktemp("topics-admin")) as broker:
        yield broker


@pytest.fixture(scope="module")
def admin(own_broker: EmbeddedBroker) -> Iterator[Any]:
    """A super user on it."""
    client = KafkaAdminClient(**own_broker.admin_settings())
    yield client
    client.close()


@pytest.fixture(scope="module")
def credentials(admin: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of password files after the topology was applied."""
    folder = tmp_path_factory.mktemp("credentials") / "logins"
    done = apply(admin, WANTED, folder)
    assert {spec.name for spec in done.topics} == {spec.name for spec in WANTED.topics}
    return folder


def test_applying_twice_changes_nothing_the_second_time(admin: Any, credentials: Path) -> None:
    """After an apply nothing is left to do, and a second apply does nothing."""
    before = {file.name: file.read_bytes() for file in credentials.iterdir()}
    assert plan(admin, WANTED, credentials).settled
    assert apply(admin, WANTED, credentials).settled
    assert {file.name: file.read_bytes() for file in credentials.iterdir()} == before


def test_topics_have_their_partitions_and_configuration(admin: Any, credentials: Path) -> None:
    """Every topic of the files exists with exactly its partitions."""
    found = {entry["name"]: len(entry["partitions"]) for entry in admin.describe_topics()}
    wanted = {spec.name: spec.partitions for spec in topics(4)}
    assert {name: count for name, count in found.items() if not name.startswith("__")} == wanted


def test_passwords_are_private_and_different(credentials: Path) -> None:
    """Each principal has a password of its own that only the owner of the folder can read."""
    files = [password_file(credentials, user) for user in PRINCIPALS]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * len(files)
    assert len({file.read_text() for file in files}) == len(files)


def test_an_agency_writes_its_own_topics_and_no_other(
    own_broker: EmbeddedBroker, credentials: Path, admin: Any
) -> None:
    """An agency's login may write its own channel, and is refused on another agency's."""
    login = {
        "sasl_plain_username": "csrc",
        "sasl_plain_password": password_file(credentials, "csrc").read_text(),
    }
    producer = KafkaProducer(**own_broker.admin_settings() | login, max_block_ms=20_000)
    try:
        assert producer.send("csrc.referral", b"x", partition=0).get(20).offset == 0
        with pytest.raises(TopicAuthorizationFailedError):
            producer.send("mps.referral", b"x", partition=0).get(20)
    finally:
        producer.close(timeout=1)


def test_a_changed_configuration_is_found_and_mended(admin: Any, credentials: Path) -> None:
    """A setting that somebody changed or added on the cluster is set back."""
    from kafka.admin import ConfigResource

    changed = {"retention.ms": "1000", "segment.ms": "60000"}
    admin.alter_configs([ConfigResource("TOPIC", "csrc.referral", dict(changed))])
    found = plan(admin, WANTED, credentials).configs
    assert found == {"csrc.referral": {"retention.ms": ("1000", "-1"), "segment.ms": ("60000", None)}}
    apply(admin, WANTED, credentials)
    assert plan(admin, WANTED, credentials).settled


def test_d8_a_password_file_that_no_longer_fits_is_found_and_applied(admin: Any, credentials: Path) -> None:
    """A login that the cluster refuses with the password in its file is named, and an apply mends it."""
    file = password_file(credentials, "csrc")
    write_private(file, "another")
    found = plan(admin, WANTED, credentials)
    assert (found.refused, found.settled) == (("csrc",), False)
    assert [one.subject for one in found.changes() if one.action == "login"] == ["csrc"]
    apply(admin, WANTED, credentials)
    assert plan(admin, WANTED, credentials).settled
    assert is_taken(admin.config, "csrc", "another")


def test_d4_a_right_to_transactions_is_a_fault(admin: Any, credentials: Path) -> None:
    """Such a right is named as a fault by `plan`, left by an ordinary `apply`, and taken away by pruning."""
    right = ACL(
        principal="User:csrc",
        host="*",
        operation=ACLOperation.WRITE,
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(
            ResourceType.TRANSACTIONAL_ID, "csrc", ACLResourcePatternType.PREFIXED
        ),
    )
    admin.create_acls([right])
    apply(admin, WANTED, credentials)
    (fault,) = [one for one in plan(admin, WANTED, credentials).changes() if one.action == "fault"]
    assert (fault.subject, "TRANSACTIONAL_ID" in fault.detail) == ("User:csrc", True)
    apply(admin, WANTED, credentials, prune=True)
    assert plan(admin, WANTED, credentials).faulty_acls == ()


def test_c16_a_password_is_exchanged_and_failed_logins_are_told(
    own_broker: EmbeddedBroker, admin: Any, credentials: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`passwords rotate` leaves a new password that is taken; the old one fails, which a log says."""
    file = password_file(credentials, "mps")
    old = file.read_text()
    connection = write_connection(own_broker.bootstrap_servers, credentials, tmp_path)
    monkeypatch.setenv("CASEBUS_ADMIN_PASSWORD_FILE", str(own_broker.admin_password_file))
    result = CliRunner().invoke(passwords, ["rotate", "mps", "--connection", str(connection)])
    assert result.exit_code == 0, result.output
    assert file.read_text() != old
    assert is_taken(admin.config, "mps", file.read_text())
    assert not file.with_name(f"{file.name}.next").exists()
    assert plan(admin, WANTED, credentials).settled
    log = own_broker.log_dir / "logins.log"
    before = log.read_text() if log.exists() else ""
    assert not is_taken(admin.config, "mps", old)
    deadline = time.monotonic() + 20
    while (said := log.read_text() if log.exists() else "") == before:
        assert time.monotonic() < deadline, "the failed login is not in the log"
        time.sleep(0.1)
    assert "Failed authentication" in said


def test_a5_every_member_has_its_quotas(admin: Any, credentials: Path) -> None:
    """The cluster limits what each member, the auditor and the operator may ask, and services not at all."""
    found = described_quotas(admin)
    assert found == quotas()
    assert {"csrc", "court", "auditor"} <= found.keys()
    assert found.keys() & set(SERVICES) == set()


def test_a5_who_is_held_back_is_shown(own_broker: EmbeddedBroker, admin: Any, credentials: Path) -> None:
    """A login that writes faster than its quota is named with the quota, by what the broker writes of it."""
    wanted = quotas()["mps"]["producer_byte_rate"]
    set_quotas(admin, {"mps": {"producer_byte_rate": (wanted, 1000.0)}})
    password = password_file(credentials, "mps").read_text()
    login = {"sasl_plain_username": "mps", "sasl_plain_password": password}
    log = own_broker.log_dir / "throttled.log"
    producer = KafkaProducer(**own_broker.admin_settings() | login)
    try:
        for _ in range(3):
            producer.send("mps.referral", b"x" * 20_000, partition=0).get(60)
        deadline = time.monotonic() + 60
        while not (found := held_back(last_lines(log, 1000), time.time())):
            assert time.monotonic() < deadline, "nobody is said to be held back"
            time.sleep(0.1)
    finally:
        producer.close(timeout=1)
        set_quotas(admin, {"mps": {"producer_byte_rate": (1000.0, float(wanted))}})
    assert {(one.user, one.kind) for one in found} == {("mps", "Produce")}
    assert max(one.most_ms for one in found) > 1000


def test_a5_a_changed_quota_is_shown_and_mended(admin: Any, credentials: Path) -> None:
    """A limit that somebody removed, changed or added is named by the plan and set back."""
    wanted = quotas()["csrc"]["producer_byte_rate"]
    set_quotas(
        admin,
        {
            "csrc": {"producer_byte_rate": (None, 7.0), "request_percentage": (None, None)},
            "router": {"consumer_byte_rate": (None, 5.0)},
        },
    )
    told = {(change.subject, change.detail) for change in plan(admin, WANTED, credentials).changes()}
    assert told == {
        ("csrc", f"producer_byte_rate: 7 -> {wanted}"),
        ("csrc", f"request_percentage: no limit -> {quotas()['csrc']['request_percentage']}"),
        ("router", "consumer_byte_rate: 5 -> no limit"),
    }
    apply(admin, WANTED, credentials)
    assert described_quotas(admin) == quotas()


def test_d13_a_share_group_of_an_inbox_begins_at_its_beginning(
    own_broker: EmbeddedBroker, credentials: Path, admin: Any
) -> None:
    """After an apply an agency's share group `<agency>.inbox`, new as it is, gets what waits in the inbox."""
    login = {"bootstrap.servers": own_broker.bootstrap_servers, "security.protocol": "SASL_PLAINTEXT"}
    login |= {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "mps", "group.id": "mps.inbox"}
    login["sasl.password"] = password_file(credentials, "mps").read_text()
    with closing(KafkaProducer(**own_broker.admin_settings())) as producer:
        offset = producer.send("inbox.mps", b"waits", partition=0).get(20).offset
    consumer = ShareConsumer(login)
    consumer.subscribe(["inbox.mps"])
    heard: list[int | None] = []
    deadline = time.monotonic() + 60
    while offset not in heard and time.monotonic() < deadline:
        heard += [message.offset() for message in consumer.poll(1.0) if message.error() is None]
    consumer.close()
    assert offset in heard


def test_d13_a_share_group_that_begins_elsewhere_is_shown_and_mended(admin: Any, credentials: Path) -> None:
    """A setting of a member's share group that somebody changed is named by the plan and set back."""
    from kafka.admin import ConfigResource

    key = "share.auto.offset.reset"
    admin.alter_configs([ConfigResource("GROUP", "spp.inbox", {key: "latest"})])
    told = [(change.subject, change.detail) for change in plan(admin, WANTED, credentials).changes()]
    assert told == [("group spp.inbox", f"{key}: latest -> earliest")]
    apply(admin, WANTED, credentials)
    assert plan(admin, WANTED, credentials).settled


def test_growth_of_partitions_is_refused(admin: Any, credentials: Path) -> None:
    """Another partition count is refused before anything is changed."""
    with pytest.raises(UsageError, match="4 partitions, 8 wanted"):
        apply(admin, Wanted.of_bus(8), credentials)


def test_what_no_file_names_stays_until_pruned(admin: Any, credentials: Path) -> None:
    """A narrower set of files removes rules and logins only when told to, and topics never."""
    last = WANTED.topics[-1]
    narrower = replace(
        WANTED,
        topics=WANTED.topics[:-1],
        acls=tuple(rule for rule in WANTED.acls if rule.principal != "court"),
        users=tuple(user for user in WANTED.users if user != "court"),
    )
    kept = apply(admin, narrower, credentials)
    assert kept.settled
    assert kept.foreign_topics == (last.name,)
    assert kept.foreign_users == ("court",)
    assert {acl.principal for acl in kept.foreign_acls} == {"User:court"}
    assert plan(admin, WANTED, credentials).settled
    apply(admin, narrower, credentials, prune=True)
    pruned = plan(admin, narrower, credentials)
    assert (pruned.foreign_topics, pruned.foreign_users, pruned.foreign_acls) == ((last.name,), (), ())
    apply(admin, WANTED, credentials)
    assert plan(admin, WANTED, credentials).settled


def test_a_lost_password_file_gives_a_new_password(admin: Any, credentials: Path) -> None:
    """A login whose password file is gone is given a new one."""
    file = password_file(credentials, "spp")
    old = file.read_text()
    file.unlink()
    assert apply(admin, WANTED, credentials).users == ("spp",)
    assert file.read_text() != old


def test_a_wrong_configuration_is_an_error(admin: Any, credentials: Path) -> None:
    """A change that the cluster refuses is an error and not silence."""
    spec = WANTED.topics[0]
    wrong = replace(spec, config=MappingProxyType({**spec.config, "max.message.bytes": "-1"}))
    with pytest.raises(Exception, match=r"refused|Invalid"):
        apply(admin, replace(WANTED, topics=(wrong, *WANTED.topics[1:])), credentials, timeout_s=5)
