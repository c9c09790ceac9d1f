"""Whether faults may be asked for: only where a test says that it is one."""

from collections.abc import Mapping

from .errors import UsageError

FAULTS = "CASEBUS_FAULT"
TEST = "CASEBUS_FAULT_IS_A_TEST"
"""Must be `yes` beside the other: who runs the bus never sets it."""


def faults_asked_for(environ: Mapping[str, str]) -> str:
    """The value of CASEBUS_FAULT, empty where there is none.

    Raises UsageError if it is set and nothing says that this is a test: whoever sets it loses data by order.
    """
    asked = environ.get(FAULTS, "").strip()
    if asked and environ.get(TEST) != "yes":
        raise UsageError(
            f"{FAULTS} takes safeguards away and is refused outside of tests",
            found=asked[:200],
            expected="no such variable",
            remedy=f"unset {FAULTS}; a test sets {TEST}=yes beside it",
        )
    return asked


def loud_line(asked: str) -> str:
    """What a process says on standard error before it begins with faults."""
    return f"casebus: FAULTS ARE ASKED FOR, data may be lost by order: {asked[:200]}\n"
