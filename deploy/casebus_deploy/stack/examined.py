"""What the doctor says of one thing that it looked at."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing looked at: what was found, and the command or act that mends it."""

    name: str
    state: State
    found: str
    mend: str | None = None
