"""One case as an agency's own files come to hold it: a referral, its receipt, a filing."""

from datetime import timedelta
from typing import Any

from support.cases.chains import amount, at, suspects
from support.events.signed_events import chain
from support.reconciler.desk import envelope_at
from support.scenes.own_scene import OwnScene, headers_of


def play(scene: OwnScene, number: int) -> None:
    """A referral of the regulator, its receipt and a filing with another figure by the police."""
    data = {
        "envelope": envelope_at("2022-09-28", to=["mps"]),
        "suspects": suspects("姜某君", "柳某"),
        "charges": [{"suspect": "S1", "article": "180(4)"}],
        "amounts": [amount("illegal_gain", "46190000.00", "2009-04-01", "2013-02-28")],
    }
    referral = scene.say("referral.submitted", data, chain(number), at("2022-09-28T10:00"))
    answer(
        scene,
        referral,
        "2022-09-29T10:00",
        "referral.receipted",
        received_at=at("2022-09-29T10:00"),
        competent=True,
        complete=True,
    )
    answer(
        scene,
        referral,
        "2022-09-30T10:00",
        "referral.filed",
        suspects=suspects("姜某君", "柳某"),
        amounts=[amount("illegal_gain", "4619.00", "2009-04-01", "2013-02-28")],
    )


def answer(scene: OwnScene, referral: Any, when: str, type: str, **facts: Any) -> None:
    """The police answer a referral."""
    headers = headers_of(referral)
    envelope = envelope_at(when, to=["csrc"], message_class="response", in_reply_to=headers.id)
    said = scene.admitter.speaker("mps").say(type, {"envelope": envelope, **facts}, headers.subject)
    scene.hear(said, at(when) + timedelta(minutes=1))
