"""Whole lawful lives of cases by kind: a road, and what goes on beside it, of 12 to 60 events."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random

from casebus_schemas.times import BEIJING

from . import beside, penalty, road, side_roads
from .matter import Matter

FEWEST, MOST = 12, 60
"""How many events a chain has (domain, sizing)."""
FAMILIES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
_FIGURES: Mapping[str, tuple[str, int]] = {
    "160": ("funds_raised", 20_000_000),
    "161": ("loss", 3_000_000),
    "179": ("funds_raised", 20_000_000),
    "180(1)": ("illegal_gain", 2_000_000),
    "180(4)": ("illegal_gain", 2_000_000),
    "182": ("illegal_gain", 2_000_000),
    "229(1)": ("loss", 3_000_000),
}
"""What each article is measured by, and a figure above its filing standard of 2022."""


def begun(number: int, kind: str, dice: Random, since: datetime | None = None) -> Matter:
    """A matter with its suspects, charges and figures, on a day of the first half of 2025."""
    first = since or datetime(2025, 1, 6, 9, tzinfo=BEIJING) + timedelta(days=dice.randrange(180))
    matter = Matter(number, kind, dice, first)
    count = dice.choice((1, 2, 2, 3, 4))
    matter.names = [f"{dice.choice(FAMILIES)}某{number}-{place}" for place in range(1, count + 1)]
    articles = dice.sample(sorted(_FIGURES), dice.choice((1, 1, 2)))
    for ref in matter.refs:
        matter.charges += [(ref, article) for article in articles[: dice.randint(1, len(articles))]]
    used = {article for _, article in matter.charges}
    figures = {
        basis: least + dice.randrange(1, 900) * 10_000
        for basis, least in (_FIGURES[article] for article in sorted(used))
    }
    matter.amounts = [(basis, f"{value}.00") for basis, value in figures.items()]
    return matter


def _asides(matter: Matter, *chosen: Callable[[Matter], None]) -> None:
    """Each of these from the present day on, beside each other."""
    for aside in chosen:
        with matter.beside(matter.now):
            aside(matter)


def _filed(matter: Matter) -> None:
    road.opened(matter)
    road.referred(matter)
    road.accepted(matter)
    road.decided_on_filing(matter)


def prosecution(matter: Matter) -> None:
    """From a clue to a judgment that is carried out."""
    _filed(matter)
    _asides(
        matter,
        *matter.dice.sample((beside.assets, beside.laundering, beside.expertise, beside.consultation), 2),
    )
    road.investigated(matter)
    road.transferred(matter)
    road.prosecuted(matter)
    _asides(matter, matter.dice.choice((beside.suit, beside.recommendation)))
    road.judged(matter)


def fined_first(matter: Matter) -> None:
    """Referred and filed, fined by the regulator meanwhile; the court offsets the fine."""
    _filed(matter)
    penalty.penalised(matter)
    road.investigated(matter)
    road.transferred(matter)
    road.prosecuted(matter)
    _asides(matter, beside.suit)
    road.judged(matter)


def one_cleared(matter: Matter) -> None:
    """One suspect is indicted, another is not, and is penalised instead."""
    if len(matter.names) < 2:
        matter.names.append(f"卫某{matter.number}-9")
        matter.charges.append(("S2", matter.charges[0][1]))
    _filed(matter)
    road.investigated(matter)
    road.transferred(matter)
    cleared = matter.refs[-1:]
    road.prosecuted(matter, [ref for ref in matter.refs if ref not in cleared])
    penalty.not_prosecuted(matter, cleared)
    since = matter.now
    penalty.passed_on(matter)
    penalty.punished_instead(matter)
    with matter.beside(since):
        road.judged(matter)


def all_cleared(matter: Matter) -> None:
    """Nobody is indicted; the company's programme counts, and a penalty follows."""
    _filed(matter)
    _asides(matter, beside.compliance, beside.consultation)
    road.investigated(matter)
    road.transferred(matter)
    penalty.not_prosecuted(matter, matter.refs)
    penalty.passed_on(matter)
    penalty.punished_instead(matter)


def supervised(matter: Matter) -> None:
    """Not filed at first; filed on the order of the procuratorate, and prosecuted."""
    road.opened(matter)
    road.referred(matter)
    road.receipted(matter)
    road.refused(matter)
    road.ordered(matter)
    road.investigated(matter)
    road.transferred(matter)
    road.prosecuted(matter)
    road.judged(matter)


def no_crime(matter: Matter) -> None:
    """Not filed, and rightly so: the regulator deals with it."""
    road.opened(matter)
    road.referred(matter)
    road.receipted(matter)
    road.refused(matter)
    penalty.passed_by_the_police(matter)
    _asides(matter, beside.consultation)


def administrative(matter: Matter) -> None:
    """A case of the regulator alone, with a penalty below every filing standard."""
    road.opened(matter)
    _asides(matter, beside.consultation, matter.dice.choice((beside.recommendation, beside.expertise)))
    penalty.penalised(matter)


def settled(matter: Matter) -> None:
    """A case of the regulator alone that ends with a commitment."""
    road.opened(matter)
    _asides(matter, beside.consultation, beside.compliance)
    penalty.committed(matter)


def not_competent(matter: Matter) -> None:
    """Referred to the police, who are not competent; the regulator punishes what it can."""
    road.opened(matter)
    road.referred(matter)
    road.receipted(matter)
    side_roads.returned_as_not_competent(matter)
    penalty.penalised(matter)
    _asides(matter, beside.consultation)


def referred_twice(matter: Matter) -> None:
    """Withdrawn before the decision, referred again, corrected, filed, and cancelled in the end."""
    road.opened(matter)
    road.referred(matter)
    road.receipted(matter)
    side_roads.withdrawn_before_filing(matter)
    side_roads.corrected(matter)
    road.receipted(matter)
    road.decided_on_filing(matter)
    _asides(matter, beside.laundering)
    side_roads.cancelled(matter)


def wrongly_filed(matter: Matter) -> None:
    """Filed, and cancelled on the order of the procuratorate."""
    _filed(matter)
    side_roads.ordered_to_cancel(matter)


def on_the_fast_track(matter: Matter) -> None:
    """Moved to another procuratorate, which chooses the fast track; protested; assets beside it."""
    _filed(matter)
    _asides(matter, beside.assets, side_roads.gains_of_the_fled)
    road.investigated(matter)
    matter.later(1, 5)
    about = matter.about()
    transferred = matter.say("progress.transferred_for_prosecution", "mps/shanghai", "spp", **about)
    matter.memory["transferred"] = transferred
    side_roads.moved_and_hurried(matter)
    side_roads.protested(matter)


def cleared_after_all(matter: Matter) -> None:
    """The indictment is withdrawn, nobody is prosecuted; the police challenge it, in vain."""
    _filed(matter)
    road.investigated(matter)
    road.transferred(matter)
    road.prosecuted(matter)
    side_roads.indictment_withdrawn(matter)
    side_roads.challenged(matter)


def merged_in(matter: Matter) -> None:
    """Filed, and another case of the first suspect is merged into it; prosecuted and judged together."""
    _filed(matter)
    side_roads.merged(matter)
    road.investigated(matter)
    road.transferred(matter)
    road.prosecuted(matter)
    road.judged(matter)


def split_up(matter: Matter) -> None:
    """Filed, and split in two cases that go on in chains of their own."""
    if len(matter.names) < 2:
        matter.names.append(f"卫某{matter.number}-9")
        matter.charges.append(("S2", matter.charges[0][1]))
    _filed(matter)
    side_roads.split(matter)


def working_together(matter: Matter) -> None:
    """No case: questions, experts, a training, officers who change places, recommendations."""
    with matter.beside(matter.now):
        beside.training(matter)
    matter.later(20, 30)
    _asides(matter, beside.consultation, beside.expertise, beside.recommendation)


KINDS: Mapping[str, Callable[[Matter], None]] = {
    life.__name__: life
    for life in (
        prosecution,
        fined_first,
        one_cleared,
        all_cleared,
        supervised,
        no_crime,
        administrative,
        settled,
        not_competent,
        referred_twice,
        wrongly_filed,
        on_the_fast_track,
        cleared_after_all,
        merged_in,
        split_up,
        working_together,
    )
}


def lived(number: int, kind: str, dice: Random) -> Matter:
    """A lawful life of a kind, with 12 to 60 events."""
    matter = begun(number, kind, dice)
    live(matter)
    return matter


def live(matter: Matter) -> None:
    """Lives a matter that has begun; questions are added until it has twelve events."""
    KINDS[matter.kind](matter)
    while len(matter.papers) < FEWEST:
        _asides(matter, beside.consultation)
    assert len(matter.papers) <= MOST, f"{matter.kind} has {len(matter.papers)} events"
