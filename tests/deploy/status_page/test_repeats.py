"""Refused accesses are summarised: what is tried again and again is one line."""

from casebus_deploy.status_page.repeats import summarised

READ = "Principal = User:mps is Denied operation = READ from host = 127.0.0.1 on resource = Topic:inbox.csrc"
WRITE = READ.replace("READ", "WRITE")


def test_what_is_tried_again_is_one_line() -> None:
    """The newest of its kind stands for all, with how often and since when; another attempt stays apart."""
    lines = [f"2026-11-30T00:00:{second:02d}Z {READ} (port {40_000 + second})" for second in range(59, 0, -1)]
    lines.insert(3, f"2026-11-30T00:00:56Z {WRITE}")
    assert summarised(lines, 20) == (
        f"2026-11-30T00:00:59Z {READ} (port 40059) (59 次 times since 2026-11-30T00:00:01Z)",
        f"2026-11-30T00:00:56Z {WRITE}",
    )


def test_the_newest_kinds_are_shown() -> None:
    """Of many kinds the newest come first, and no more than asked for."""
    kinds = [READ.replace("csrc", "x" * number) for number in range(5, 0, -1)]
    lines = [f"2026-11-30T00:00:0{5 - n}Z {kind}" for n, kind in enumerate(kinds)]
    assert [line.split(":inbox.")[1] for line in summarised(lines, 2)] == ["xxxxx", "xxxx"]
    assert summarised([], 2) == ()
