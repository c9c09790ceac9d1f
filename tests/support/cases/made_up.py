"""How many made-up cases a test looks at: a tenth of them in `make smoke`."""

import os


def made_up(cases: int) -> int:
    """That many cases, or in smoke a tenth."""
    return max(2, cases // 10) if os.environ.get("CASEBUS_SMOKE") else cases
