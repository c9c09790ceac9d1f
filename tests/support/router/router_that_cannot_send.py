"""The router with a fault: what it would tell of one event is more than any producer takes."""

import os
from collections.abc import Iterator

from casebus_deploy.cli.main import main
from casebus_schemas.admission.verdict import Admission
from casebus_schemas.wire.records import Outgoing
from casebus_services.router import agent
from casebus_services.router.judgement import Judgement
from casebus_services.router.outputs import notices

EVENT = "TEST_UNSENDABLE_EVENT"
"""The variable that names the event by its id."""


def _impossible(judgement: Judgement, admission: Admission) -> Iterator[Outgoing]:
    poisoned = judgement.headers is not None and str(judgement.headers.id) == os.environ[EVENT]
    for one in notices(judgement, admission):
        yield one._replace(value=bytes(2 << 20)) if poisoned else one


if __name__ == "__main__":
    setattr(agent, "notices", _impossible)  # noqa: B010  the name that the agent has imported
    main()
