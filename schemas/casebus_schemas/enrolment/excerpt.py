"""What an operator answers an agency: where the bus is, and its login's password, sealed for it alone."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, Self

from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError
from casebus_schemas.sealed.cipher import DecryptionKey, seal_letter
from casebus_schemas.times import utc_text
from casebus_schemas.wire.signing import SigningKey, parse_block

from .signed_file import SignedFile, read_signed, signed, spoken

KIND = "connection-excerpt"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One agency's part of connection.json, signed by the operator; only `password` is secret, and sealed.

    `authority` is the PEM text of the certificates by which the brokers are known, None without TLS.
    `operator` is the public key that signed it: whose it is, people compare.
    """

    file: SignedFile
    agency: str
    username: str
    bootstrap_servers: str
    security_protocol: str
    sasl_mechanism: str
    partitions: int
    registry_url: str | None
    simulated_clock: bool
    ledger_origin: str
    ledger_vkey: str | None
    authority: str | None
    sealed_password: bytes
    operator: bytes

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """The excerpt in a file. Raises UsageError unless it is whole and signed by the key that it names."""
        file = read_signed(KIND, raw)
        said = file.statement
        try:
            found = cls(
                file=file,
                agency=_text(said["agency"]),
                username=_text(said["username"]),
                bootstrap_servers=_text(said["bootstrap_servers"]),
                security_protocol=_text(said["security_protocol"]),
                sasl_mechanism=_text(said["sasl_mechanism"]),
                partitions=int(said["partitions"]),
                registry_url=None if said["registry_url"] is None else _text(said["registry_url"]),
                simulated_clock=said["simulated_clock"] is True,
                ledger_origin=_text(said["ledger_origin"]),
                ledger_vkey=None if said["ledger_vkey"] is None else _text(said["ledger_vkey"]),
                authority=None if said["authority"] is None else _text(said["authority"]),
                sealed_password=b64decode(said["sealed_password"], validate=True),
                operator=bytes.fromhex(said["operator"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                "not a connection of an agency",
                found=str(error)[:200],
                expected="what `casebus connection export` writes",
            ) from error
        if not file.is_signed_by("operator", found.operator):
            raise UsageError(
                "the connection is not signed by the operator's key that it names",
                expected="the file as `casebus connection export` wrote it",
                remedy="ask the operator for the file once more",
            )
        return found

    @property
    def operator_number(self) -> str:
        """The operator's key as two people compare it: the beginning of its hexadecimal form."""
        return spoken(self.operator)

    def password(self, keys: list[DecryptionKey]) -> str:
        """The password, opened with the agency's own key. Raises UsageError where none of them opens it."""
        place = _place(self.ledger_origin, self.agency)
        for key in keys:
            if (found := key.open_letter(self.sealed_password, place)) is not None:
                return found.decode("ascii")
        raise UsageError(
            "the connection is sealed for another key",
            found="no key of this folder opens its password",
            expected=f"the encryption key that {self.agency} has announced",
            remedy="use the folder in which the request was made, or ask the operator for a new export",
        )


def make_excerpt(
    agency: str,
    connection: Connection,
    password: str,
    encryption_key: bytes,
    operator: SigningKey,
    *,
    authority: str | None,
    now_ms: int,
) -> Excerpt:
    """The excerpt of a bus's connection for one agency, its password sealed for its public encryption key.

    Raises UsageError where the bus has no ledger's name.
    """
    if connection.ledger_origin is None:
        raise UsageError("connection.json names no ledger", expected="its origin")
    statement: dict[str, Any] = {
        "agency": agency,
        "made_at": utc_text(now_ms - now_ms % 1000),
        "username": connection.principal(agency).username,
        "bootstrap_servers": connection.bootstrap_servers,
        "security_protocol": connection.security_protocol,
        "sasl_mechanism": connection.sasl_mechanism,
        "partitions": connection.partitions,
        "registry_url": connection.registry_url,
        "simulated_clock": connection.simulated_clock,
        "ledger_origin": connection.ledger_origin,
        "ledger_vkey": connection.ledger_vkey,
        "authority": authority,
        "sealed_password": b64encode(
            seal_letter(password.encode(), encryption_key, _place(connection.ledger_origin, agency))
        ).decode(),
        "operator": operator.public.hex(),
    }
    signers = {"operator": lambda message: parse_block(operator.sign(message)).signature}
    return Excerpt.read(signed(KIND, statement, signers).to_bytes())


def _place(ledger: str, agency: str) -> bytes:
    return f"casebus/login-password/v1\n{ledger}\n{agency}\n".encode()


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r}, expected a text")
    return value
