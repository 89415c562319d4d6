"""An offer says what its site installs, the same bytes each time."""

from rollout_fleet import NEW, OLD, SmallFleet

from roost_central.rollout.job import job_id
from roost_central.rollout.offer import assignment_of, document_of, offer_of
from roost_protocol.codec import Decoder
from roost_protocol.update import Offer

WINDOW = 'window = {days = ["sun"], start = "02:00", minutes = 90}\n'


def offered(is_back=False):
    fleet = SmallFleet(plan=WINDOW)
    rollout = fleet.rollout
    rollout.start(fleet.now_ms)
    fleet.turn()
    job = rollout.jobs["s0000"]
    if is_back:
        rollout.roll_back("no", fleet.now_ms)
        job = rollout.jobs["s0000"]
    raw = offer_of(
        rollout.head, rollout.plan, rollout.rules(0), job, rollout.target(job),
        deadline_ms=fleet.now_ms + 5, timezone="Europe/Berlin",
    )  # fmt: skip
    return rollout, job, raw


def test_an_offer_can_be_read_and_has_the_site_s_own_window():
    rollout, job, raw = offered()
    offer = Decoder[Offer](Offer).decode(raw)
    offer.check()
    assert (offer.version, offer.digest) == NEW
    assert offer.window.tz == "Europe/Berlin"
    assert offer.job == job_id(rollout.head.id, job)
    assert offer.alarms == "relaxed", "the site judges again by the gates' word"
    assert (offer.parallel_workers, offer.parallel_storage) == (2, 2)
    assert raw == offered()[2]


def test_the_way_back_waits_for_no_window():
    fleet = SmallFleet(plan=WINDOW)
    job = fleet.rollout.jobs["s0000"]
    back = type(job)(site="s0000", wave=0, nodes=job.nodes, former=OLD, is_back=True)
    raw = offer_of(
        fleet.rollout.head, fleet.plan, fleet.rollout.rules(0), back, OLD,
        deadline_ms=5, timezone="UTC",
    )  # fmt: skip
    offer = Decoder[Offer](Offer).decode(raw)
    assert offer.window is None
    assert offer.alarms == "permissive", "what a bad release raises does not keep it"
    assert (offer.version, offer.digest) == OLD


def test_the_document_of_a_site_names_the_target_for_its_nodes():
    rollout, job, _ = offered()
    document = document_of("s0000", [assignment_of(rollout.head, job, "1.1.0", 1)])
    document.check()
    assert document.assigned("s0000.n1", "app/pump/1.1.0.json").rollout == rollout.head.id
