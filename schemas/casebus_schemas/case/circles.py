"""Which events claim to be each other's cause: the circles of a graph, without recursion."""

from collections.abc import Collection, Iterator, Mapping

from .chain import Digest


def circles_of(causes: Mapping[Digest, Collection[Digest]], settled: Collection[Digest]) -> list[set[Digest]]:
    """The largest sets of events of which each is, through others, its own cause (Tarjan's components).

    `settled` are in no circle and lead to none.
    """
    index: dict[Digest, int] = {}
    low: dict[Digest, int] = {}
    stack: list[Digest] = []
    on_stack: set[Digest] = set()
    found: list[set[Digest]] = []
    for root in causes:
        if root in index or root in settled:
            continue
        walk: list[tuple[Digest, Iterator[Digest]]] = []
        at: Digest | None = root
        while True:
            if at is not None:
                index[at] = low[at] = len(index)
                stack.append(at)
                on_stack.add(at)
                walk.append((at, iter([cause for cause in causes[at] if cause not in settled])))
            here, ahead = walk[-1]
            at = None
            for cause in ahead:
                if cause not in index:
                    at = cause
                    break
                if cause in on_stack:
                    low[here] = min(low[here], index[cause])
            if at is not None:
                continue
            walk.pop()
            if low[here] == index[here]:
                circle = set()
                while here not in circle:
                    digest = stack.pop()
                    on_stack.discard(digest)
                    circle.add(digest)
                if len(circle) > 1 or here in causes[here]:
                    found.append(circle)
            if not walk:
                break
            above = walk[-1][0]
            low[above] = min(low[above], low[here])
    return found
