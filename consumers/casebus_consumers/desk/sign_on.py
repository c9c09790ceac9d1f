"""How officers sign in at the agency's own identity provider: `oidc` of desk.yaml, read strictly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from casebus_schemas.errors import BusError, UsageError
from casebus_schemas.strict_yaml import known_keys, read_yaml

from .rights import Role, read_role

FILE = "desk.yaml"
RETURN = "/sign-in/oidc/return"
_REQUIRED = ("issuer", "client_id", "url", "roles")
_OPTIONAL = (
    "client_secret_file",
    "scopes",
    "name_claim",
    "shown_claim",
    "unit_claim",
    "roles_claim",
    "ca_file",
    "local_users",
)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NotProven(BusError):
    """The identity provider, or what it says, does not prove who this is: nobody is signed in."""


@dataclass(frozen=True, slots=True)
class SignOnSettings:
    """What an agency sets. Names of claims may lead into objects, with dots: `realm_access.roles`."""

    issuer: str
    client_id: str
    url: str
    """Where officers reach the desk; the provider sends them back to `url` + /sign-in/oidc/return."""
    roles: Mapping[str, Role]
    """The role that a value of the claim gives; of several the one that stands first."""
    client_secret_file: Path | None = None
    """Without it the client is a public one: the code is bound by PKCE alone."""
    scopes: Sequence[str] = ("openid", "profile")
    name_claim: str = "sub"
    """What names an officer in the log of accesses, and is never given to another person."""
    shown_claim: str = "name"
    unit_claim: str | None = None
    roles_claim: str = "groups"
    ca_file: Path | None = None
    """Certificates of the authority of the provider, instead of the machine's."""
    local_users: bool = False
    """Whether officers with a password of the desk's own may sign in, too."""

    @property
    def return_url(self) -> str:
        """Where the provider sends officers back to."""
        return self.url.rstrip("/") + RETURN


def read_sign_on(folder: Path) -> SignOnSettings | None:
    """The settings in a data folder, None where there are none. Raises UsageError."""
    file = folder / FILE
    try:
        source = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}", found=str(error)) from error
    body: Any = read_yaml(FILE, source) or {}
    known_keys(FILE, body, required=(), optional=("oidc",))
    oidc = body.get("oidc")
    if oidc is None:
        return None
    known_keys(f"{FILE}: oidc", oidc, required=_REQUIRED, optional=_OPTIONAL)
    local = oidc.get("local_users", False)
    if not isinstance(local, bool):
        raise UsageError(f"{FILE}: local_users", found=repr(local)[:80], expected="true or false")
    return SignOnSettings(
        issuer=_address(oidc, "issuer"),
        client_id=_text(oidc, "client_id"),
        url=_address(oidc, "url"),
        roles=_roles(oidc["roles"]),
        client_secret_file=_path(oidc, "client_secret_file", folder),
        scopes=_scopes(oidc.get("scopes")),
        name_claim=_text(oidc, "name_claim", "sub"),
        shown_claim=_text(oidc, "shown_claim", "name"),
        unit_claim=_text(oidc, "unit_claim", "") or None,
        roles_claim=_text(oidc, "roles_claim", "groups"),
        ca_file=_path(oidc, "ca_file", folder),
        local_users=local,
    )


def claim_of(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, which may lead into objects with dots; None where there is none."""
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def role_of(claims: Mapping[str, Any], settings: SignOnSettings) -> Role | None:
    """The role that the claims give at this desk, None if none does."""
    found = claim_of(claims, settings.roles_claim)
    held = {found} if isinstance(found, str) else set(map(str, found)) if isinstance(found, list) else set()
    return next((role for value, role in settings.roles.items() if value in held), None)


def _text(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    found = body.get(name, default)
    if not isinstance(found, str) or (not found and default != ""):
        raise UsageError(f"{FILE}: {name}", found=repr(found)[:80], expected="a text")
    return found


def _address(body: Mapping[str, Any], name: str) -> str:
    """An address of a safe channel: https, or this machine itself."""
    found = _text(body, name)
    address = urlsplit(found)
    if address.scheme != "https" and (address.scheme != "http" or address.hostname not in _LOOPBACK):
        raise UsageError(f"{FILE}: {name}", found=found[:120], expected="https://…, or http on loopback")
    return found


def _path(body: Mapping[str, Any], name: str, folder: Path) -> Path | None:
    found = _text(body, name, "")
    return folder / found if found else None


def _scopes(body: Any) -> tuple[str, ...]:
    if body is None:
        return ("openid", "profile")
    if not isinstance(body, list) or "openid" not in body or not all(isinstance(one, str) for one in body):
        raise UsageError(f"{FILE}: scopes", found=repr(body)[:80], expected="a list with openid")
    return tuple(body)


def _roles(body: Any) -> dict[str, Role]:
    """Roles by the value of the claim that gives them, in the order of the file."""
    if not isinstance(body, dict) or not body:
        raise UsageError(f"{FILE}: roles", found=repr(body)[:80], expected="values of the claim by role")
    found: dict[str, Role] = {}
    for role, values in body.items():
        for value in [values] if isinstance(values, str) else values or ():
            found.setdefault(str(value), read_role(str(role)))
    return found
