"""The metrics of this process: each is had by its defined name, and kept in one registry."""

from functools import cache
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from .definitions import Definition, definitions

REGISTRY = CollectorRegistry()
"""What the endpoint tells. Values grow from the import of a module on, whether anybody asks or not."""

_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)


def counter(name: str) -> Counter:
    """The counter of that name. Raises LookupError for a name that is not defined as one."""
    return _made(name, "counter", Counter)


def gauge(name: str) -> Gauge:
    """The gauge of that name. Raises LookupError for a name that is not defined as one."""
    return _made(name, "gauge", Gauge)


def histogram(name: str) -> Histogram:
    """The histogram of that name. Raises LookupError for a name that is not defined as one."""
    return _made(name, "histogram", Histogram)


def _made(name: str, kind: str, form: type[_Metric]) -> _Metric:
    known = definitions().get(name)
    if known is None or known.kind != kind:
        raise LookupError(f"{name} is not defined as a {kind} in definitions.yaml")
    metric = _metric(known)
    assert isinstance(metric, form)
    return metric


@cache
def _metric(known: Definition) -> Counter | Gauge | Histogram:
    said = known.meaning.en
    if known.kind == "counter":
        return Counter(known.name, said, known.labels, registry=REGISTRY)
    if known.kind == "gauge":
        return Gauge(known.name, said, known.labels, registry=REGISTRY)
    return Histogram(known.name, said, known.labels, buckets=known.buckets, registry=REGISTRY)
