"""Scenarios put on one time line, and their steps turned into events of the door."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError

from .pointers import Said, resolved
from .scenario import Context, Passing, Scenario, Step

Line = Context | Passing | Step


class Script:
    """Scenarios on one time line; remembers what each step was published as."""

    def __init__(self, scenarios: Sequence[Scenario], catalog: Catalog) -> None:
        self.scenarios = tuple(scenarios)
        self.skipped = {
            (scenario.name, label): why
            for scenario in scenarios
            for label, why in scenario.skipped(catalog).items()
        }
        self._said: dict[tuple[str, str], Said] = {}
        self._chains: dict[tuple[str, str | None], UUID] = {}
        self._references = {
            (scenario.name, chain): reference
            for scenario in scenarios
            for chain, reference in [(None, scenario.reference), *scenario.chains.items()]
        }

    def lines(self) -> list[Line]:
        """Context, passing time and steps of all scenarios, by time and then by scenario."""
        placed: list[tuple[datetime, int, int, Line]] = []
        for rank, scenario in enumerate(self.scenarios):
            own: list[Line] = [*scenario.context, *scenario.passings, *scenario.steps]
            for number, line in enumerate(own):
                placed.append((line.at, rank, number, line))
        return [line for *_, line in sorted(placed, key=lambda entry: entry[:3])]

    def playable(self) -> list[Step]:
        """The steps that can be said, in their order."""
        steps = [line for line in self.lines() if isinstance(line, Step)]
        return [step for step in steps if (step.scenario, step.label) not in self.skipped]

    def event(self, step: Step) -> dict[str, Any]:
        """The step as CloudEvents JSON of records.md 3, its pointers resolved to what was published.

        Raises UsageError if it points at a step that was not published yet.
        """
        replied = self._found(step, step.in_reply_to)
        corrected = self._found(step, step.corrects)
        withdrawn = self._found(step, step.withdraws)
        chain = self._chains.get((step.scenario, step.chain))
        answered = step.in_reply_to
        envelope = {
            "message_class": "response" if answered else "initial",
            "to": list(step.to),
            "cc": list(step.cc),
            "in_reply_to": str(self._id(step, answered)) if answered else None,
            "in_reply_to_hash": replied.digest.hex() if replied else None,
            "corrects": corrected.digest.hex() if corrected else None,
            "withdraws": withdrawn.digest.hex() if withdrawn else None,
            "local_refs": [
                dict(self._references[step.scenario, step.chain]),
                *(dict(ref) for ref in step.refs),
            ],
            "precision": "day",
            "date_basis": step.date_basis,
            "legal_basis": [dict(article) for article in step.legal_basis],
            "handling": step.handling,
            "obligation": None,
            "message_no": step.message_no,
        }
        return {
            "specversion": "1.0",
            "type": step.type,
            "source": step.source,
            "time": step.date.isoformat(),
            "subject": str(chain) if chain else None,
            "data": {"envelope": envelope, **resolved(step.data, partial(self._one, step))},
        }

    def publish(self, step: Step, chain: UUID, digest: bytes) -> None:
        """Remembers what the step was published as, so that later steps can point at it."""
        self._said[step.scenario, step.label] = Said(chain, digest)
        self._chains.setdefault((step.scenario, step.chain), chain)

    def chain(self, scenario: str, chain: str | None = None) -> UUID | None:
        """Chain id of a scenario, or of a further chain of it, once its first step is published."""
        return self._chains.get((scenario, chain))

    def chains(self) -> dict[str, str]:
        """What each chain is called: by its scenario, a further one by its own name too."""
        return {
            str(id): name if chain is None else f"{name}/{chain}"
            for (name, chain), id in self._chains.items()
        }

    def said(self, scenario: str, label: str) -> Said | None:
        """What a step was published as, None before."""
        return self._said.get((scenario, label))

    def _id(self, step: Step, label: str) -> UUID:
        owner = next(scenario for scenario in self.scenarios if scenario.name == step.scenario)
        return owner.step(label).id

    def _found(self, step: Step, label: str | None) -> Said | None:
        return None if label is None else self._one(step, label)

    def _one(self, step: Step, label: str) -> Said:
        said = self.said(step.scenario, label)
        if said is None:
            raise UsageError(
                f"step {step.message_no} points at a step that was not published",
                found=label,
                expected="an earlier published step of the same scenario",
            )
        return said
