"""FULL_TRANSITIVE: every version of a type reads every other, and nothing that is frozen changes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from .evolution import frozen_problems
from .field_names import alias_problems, rename_problems
from .lint import malformed
from .resolution import read_problems
from .schema_problem import Problem
from .schema_tree import Schema

Past = Sequence[tuple[str, Schema]]
"""Earlier versions from the oldest on, each with the words for it in a message, such as `version 1`."""


def incompatibilities(candidate: Schema, past: Past) -> list[Problem]:
    """Why a schema may not become the next version after those of the past; empty if it may.

    Each problem is told once, with the newest version that shows it; what is no schema at all is one problem.
    """
    broken = malformed(candidate)
    if broken is not None:
        return [broken]
    found: dict[tuple[str, str], Problem] = {}
    for problem in _all(candidate, past):
        found.setdefault((problem.rule, problem.place.path or problem.place.pointer), problem)
    return list(found.values())


def _all(candidate: Schema, past: Past) -> Iterator[Problem]:
    for name, schema in reversed(past):
        for problem in frozen_problems(candidate, schema):
            yield replace(problem, against=f"compared with {name}")
    if past:
        name, previous = past[-1]
        for problem in rename_problems(candidate, previous):
            yield replace(problem, against=f"compared with {name}")
    yield from alias_problems(candidate, [schema for _, schema in past])
    for name, schema in reversed(past):
        yield from backward_problems(candidate, schema, name)
        yield from forward_problems(candidate, schema, name)


def backward_problems(candidate: Schema, past: Schema, name: str) -> list[Problem]:
    """Why the candidate cannot read what the past version, told of as `name`, wrote."""
    return [
        replace(problem, against=f"when it reads what {name} wrote")
        for problem in read_problems(candidate, past)
    ]


def forward_problems(candidate: Schema, past: Schema, name: str) -> list[Problem]:
    """Why the past version cannot read what the candidate writes. Places are those of the past version."""
    return [_forward(problem, name) for problem in read_problems(past, candidate)]


def _forward(problem: Problem, name: str) -> Problem:
    against = f"when {name} reads what it writes (the place is that in {name})"
    if problem.rule == "reader-field-missing-default-value":
        return replace(
            problem,
            message=f"the field {problem.place.path} is gone or renamed, and {name} has no default for it",
            expected="the field under its name",
            remedy="keep the field",
            against=against,
        )
    # What the reader has is here what was expected: the author of the candidate is the writer.
    return replace(problem, found=problem.expected, expected=problem.found, against=against)
