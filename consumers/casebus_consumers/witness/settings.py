"""What a witness's program needs: its login, its folder of key and state, and the policy it serves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from casebus_producers.config import VARIABLES, KafkaLogin
from casebus_producers.variables import read_variables
from casebus_schemas.agencies import WITNESSES, Members
from casebus_schemas.catalogue.topology import ledgered_topics
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.wire.records import TopicPartition
from casebus_schemas.wire.signing import SigningKey


@dataclass(frozen=True, kw_only=True)
class WitnessSettings:
    """`witness` is its name in agencies.yaml. `mirror`: it also reads what it may read, and compares.

    `ledger` is the ledger's origin. `url` is where it answers add-checkpoint by HTTP; None: only by Kafka.
    """

    witness: str
    login: KafkaLogin
    folder: Path
    policy: TrustPolicy
    mirror: bool = True
    url: str | None = None
    signing_key_file: Path | None = None

    @classmethod
    def read(cls, witness: str, connection: Connection | None = None) -> Self:
        """Settings of a witness: the connection's where there is one, else CASEBUS_* variables.

        Raises UsageError naming what is missing, or who is no witness.
        """
        if witness not in WITNESSES:
            known = ", ".join(WITNESSES)
            raise UsageError("no such witness", found=repr(witness), expected=f"one of {known}")
        principal = Members.load().login_of(witness)
        given = {} if connection is None else _of_connection(witness, principal, connection)
        more = WitnessVariables(**{**read_variables(WitnessVariables, VARIABLES, without=given), **given})
        if more.policy_file is None or more.witness_dir is None:
            raise UsageError(
                "the witness does not know where its files are",
                expected="CASEBUS_POLICY_FILE and CASEBUS_WITNESS_DIR, or a connection.json that names them",
            )
        return cls(
            witness=witness,
            login=KafkaLogin.read(principal, connection),
            folder=more.witness_dir,
            policy=read_policy(more.policy_file),
            mirror=more.witness_mirror,
            url=more.witness_url,
            signing_key_file=more.signing_key_file,
        )

    @property
    def ledger(self) -> str:
        """The ledger's origin, which the policy names."""
        return self.policy.logs[0].key.name

    def readable(self) -> list[TopicPartition] | None:
        """The ledgered partitions that its login may read; None for who is no mirror."""
        if not self.mirror:
            return None
        return [
            TopicPartition(spec.name, number)
            for spec in ledgered_topics(self.login.partitions)
            if self.login.sasl_username in spec.read_by
            for number in range(spec.partitions)
        ]

    def other_keys(self) -> list[bytes]:
        """Public keys that sign events here, and may not cosign."""
        file = self.signing_key_file
        return [SigningKey.from_file(file).public] if file is not None and file.exists() else []


@dataclass(frozen=True, kw_only=True)
class WitnessVariables:
    """What a witness reads beside its login."""

    policy_file: Path | None = None
    """Trust policy (C2SP tlog-policy): keys of ledger and witnesses, how many make a head final."""
    witness_dir: Path | None = None
    """Folder of its key and state."""
    witness_mirror: bool = True
    """Whether it reads the records that its login may read, and computes their roots itself."""
    witness_url: str | None = None
    """Where it answers add-checkpoint by HTTP; without it only by Kafka."""
    signing_key_file: Path | None = None
    """The agency's key that signs events, which may not cosign."""


def _of_connection(witness: str, principal: str, connection: Connection) -> dict[str, Any]:
    entry = connection.principal(principal)
    found = {
        "policy_file": connection.policy_file,
        "witness_dir": entry.witness_dir,
        "witness_url": entry.witness_url,
        "signing_key_file": entry.signing_key_file,
    }
    return {name: value for name, value in found.items() if value is not None}


def read_policy(file: Path) -> TrustPolicy:
    """The policy in a file, with one log. Raises UsageError."""
    try:
        policy = TrustPolicy.parse(file.read_bytes(), str(file))
    except OSError as error:
        raise UsageError(
            f"cannot read the policy {file}",
            found=error.strerror,
            expected="a policy of the log and its witnesses, as C2SP tlog-policy writes it",
        ) from error
    if not policy.logs or len({one.key.name for one in policy.logs}) > 1:
        raise UsageError(f"{file}: logs", found=f"{len(policy.logs)}", expected="keys of one log")
    return policy
