"""A rule as `casebus law show --json` gives it."""

from casebus_schemas.law.clocks import clock_table

from .rule import Rule


def rule_json(rule: Rule) -> dict[str, object]:
    """The head of the rule, its law with titles; `severity` and `law` are those of the rule as a whole."""
    known = clock_table().instruments
    return {
        "id": rule.id,
        "title": rule.title.to_json(),
        "kind": "rule",
        "scopes": list(rule.scopes),
        "class": rule.cls,
        "severity": rule.severity,
        "forbids": rule.forbids,
        "looks_at": list(rule.looks_at),
        "law": [
            {**article.to_json(), "title": known[article.instrument].title.to_json()} for article in rule.law
        ],
        "acts": rule.acts.to_json(),
        "mends": rule.mends.to_json(),
        "closes": rule.closes.to_json(),
    }
