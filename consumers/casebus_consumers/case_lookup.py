"""Which case somebody means by a number, a name or the beginning of a chain id."""

from casebus_schemas.errors import UsageError

from .case_names import names_of
from .case_reader import MOST_MEANT, CaseReader

_MOST_LISTED = 10
_FEWEST = 4
"""Characters of a chain id by which one is found."""


def chain_meant(reader: CaseReader, text: str, agency: str | None = None) -> str:
    """The chain of which somebody gave a number, a name, or the beginning of its id.

    An agency finds only by what it was told. Raises UsageError naming the candidates where it is more than
    one, and how to find one where there is none. Where so many chains hold the text that not all can be
    looked at, only one is meant in which the agency itself calls the case so: nobody hides it behind others.
    """
    wanted = text.strip()
    candidates = reader.chains_like(wanted, agency)
    if wanted in candidates:
        return wanted
    called = {chain: names_of(reader.events(chain), agency) for chain in reader.chains_saying(wanted, agency)}
    exact = [chain for chain, names in called.items() if wanted in names.every()]
    if len(called) >= MOST_MEANT:
        own = [chain for chain in exact if _calls_it(reader, chain, agency, wanted)]
        if len(own) == 1:
            return own[0]
        raise UsageError(
            f"more than {MOST_MEANT - 1} cases say {wanted[:60]!r}",
            expected="the agency's own number of the case, or a chain id",
            remedy="`casebus case` lists all cases",
        )
    within = [chain for chain, names in called.items() if any(wanted in name for name in names.every())]
    found = exact or within
    if not found and len(wanted) >= _FEWEST:
        found = candidates
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            "no such chain",
            found=repr(wanted[:60]),
            expected=f"a case number, a name of a suspect or security, {_FEWEST} characters of a chain id",
            remedy="`casebus case` lists all cases",
        )
    listed = [
        (called.get(chain) or names_of(reader.events(chain), agency)).line(chain)
        for chain in found[:_MOST_LISTED]
    ]
    more = f"; and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
    raise UsageError(
        f"{wanted[:60]!r} names {len(found)} cases",
        found="; ".join(listed) + more,
        expected="one of them",
        remedy="give its number or the beginning of its chain id",
    )


def _calls_it(reader: CaseReader, chain: str, agency: str | None, wanted: str) -> bool:
    """Whether the agency itself calls this case so."""
    return wanted in names_of(e for e in reader.events(chain) if e.agency == agency).every()
