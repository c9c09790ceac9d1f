"""What every desk has, whoever it belongs to: officers, their sessions, the log of what they looked at."""

from pathlib import Path
from typing import TYPE_CHECKING

from argon2 import PasswordHasher

from .accesses import Accesses
from .attempts import Attempts
from .dead_letters import Letters, NoLetters
from .officers import Officers
from .operation import NoOperation, Operation
from .sessions import Sessions
from .sign_on import read_sign_on
from .started import StartedSignIns
from .store import DeskStore
from .unmasking import Unmasking

if TYPE_CHECKING:
    from .oidc.provider import Provider


class Office:
    """A desk without what it is about; `name` is the agency's, or `bus`. For several threads."""

    def __init__(
        self,
        name: str,
        file: Path,
        *,
        simulated_clock: bool = False,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self.agency = name
        self.letters: Letters = NoLetters()
        self.operation: Operation = NoOperation()
        self.simulated_clock = simulated_clock
        self.store = DeskStore(file)
        self.officers = Officers(self.store, hasher)
        self.sessions = Sessions(self.store)
        self.attempts = Attempts(self.store)
        self.accesses = Accesses(self.store)
        self.unmasking = Unmasking(self.store)
        self.form_secret = self.store.secret("forms")
        self.started = StartedSignIns(self.store)
        self.provider = _provider(file.parent)
        """The agency's identity provider, where its desk.yaml names one."""


def _provider(folder: Path) -> "Provider | None":
    if (settings := read_sign_on(folder)) is None:
        return None
    from .oidc.provider import Provider  # its libraries come with the extra `desk-oidc`

    return Provider(settings)
