"""Small types: what a text names, so that an agency is never given where a chain is meant."""

from typing import NewType

Agency = NewType("Agency", str)
"""Short name of an agency, a guest or the bus: `csrc`."""
ChainId = NewType("ChainId", str)
"""Lower-case UUID text of one matter: the key of all its records."""
RuleId = NewType("RuleId", str)
"""Number of a rule of reconciliation: `R30`."""
