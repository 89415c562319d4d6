"""The life of an identity on a real database and signer: ended, in quarantine, in two boxes."""

from dataclasses import replace

import msgspec
import pytest
from boxes import DeskBox
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from enrolling import enrolled, identity_of, release_of, returning

from roost_central.enrol.claim_desk import NewClaim, token_text
from roost_central.enrol.queue import Approval
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.states import Cause, Event, State
from roost_central.enrol.sweep import Sweep
from roost_central.storage import audit, identities
from roost_central.storage.claims import ClaimType
from roost_protocol.enrol import Issued, RenewRequest, Waiting
from roost_protocol.errors import ProtocolError
from roost_protocol.hardware import Hardware

DAY_MS = 86_400_000
ADDRESS = "192.0.2.7"


def der_of(issued):
    leaf = x509.load_pem_x509_certificate(issued.certificate.encode())
    return leaf.public_bytes(Encoding.DER)


async def heard(office, generation, node="lab.n1"):
    async with office.database.write() as connection:
        await identities.proven(connection, node, generation, now_ms=office.clock.wall_ms())


async def node_of(office, box, slot="n1"):
    """Let a box in and hear it."""
    issued = await enrolled(office, box, await office.token(node=slot))
    await heard(office, 1, f"lab.{slot}")
    return issued


async def away(office, days):
    """Let time pass, and the centre see it."""
    office.clock.ahead_ms += days * DAY_MS
    await Sweep(office.database, office.clock).once()
    await Sweep(office.database, office.clock).once()  # due, then ended


async def came_back(office, old, new, **changes):
    return await office.desk.expired(returning(office.desk, old, new, **changes), ADDRESS)


async def test_a_node_comes_back_after_months_for_a_day_and_in_quarantine(office, box):
    first = await node_of(office, box)
    await away(office, 200)
    assert (await identity_of(office, 1)).state is State.EXPIRED_GRACE
    fresh = box.renewed()
    back = await came_back(office, box, fresh)
    assert isinstance(back, Issued)
    assert (back.node, back.generation, back.box) == ("n1", 2, first.box)
    assert await came_back(office, box, fresh) == back  # the reply was lost
    await heard(office, 2)
    now = await identity_of(office, 2)
    assert (now.state, now.quarantine) == (State.QUARANTINED, Cause.GRACE)
    assert now.not_after_ms - office.clock.wall_ms() <= DAY_MS
    assert (await identity_of(office, 1)).state is State.REPLACED
    with pytest.raises(RefusedError, match="in quarantine"):
        await office.desk.renewals.renew(der_of(back), RenewRequest(DeskBox().keys.csr, "0.1"))


async def test_who_came_back_is_renewed_once_it_is_out_of_quarantine(office, box):
    await node_of(office, box)
    await away(office, 100)
    back = await came_back(office, box, box.renewed())
    await heard(office, 2)
    await release_of(office, "lab.n1")
    assert (await identity_of(office, 2)).state is State.ACTIVE
    third = await office.desk.renewals.renew(der_of(back), RenewRequest(DeskBox().keys.csr, "0.1"))
    assert third.generation == 3
    assert (await identity_of(office, 3)).quarantine is Cause.NONE


async def test_a_second_attempt_with_another_key_ends_the_first(office, box):
    await node_of(office, box)
    await away(office, 100)
    await came_back(office, box, box.renewed())
    assert (await came_back(office, box, box.renewed())).generation == 3
    assert (await identity_of(office, 2)).state is State.REVOKED


async def test_a_box_of_other_parts_waits_for_a_human(office, box):
    await node_of(office, box)
    await away(office, 100)
    fresh = box.renewed(hardware=Hardware(uuid="another", macs=("02:00:00:00:00:09",)))
    waiting = await came_back(office, box, fresh)
    assert isinstance(waiting, Waiting)
    assert "made of other parts" in waiting.reason
    [item] = await office.queue.boxes([State.PENDING])
    assert (item.kind, item.site) == ("expired", "lab")
    approval = Approval("lab", "n1", replace=True)
    await office.queue.approve(item.id, approval, "jd", office.note)
    back = await came_back(office, box, fresh)
    assert (back.node, back.box) == ("n1", 2)
    assert back.lan_certificate
    assert (await identity_of(office, 1)).state is State.REPLACED


async def test_past_half_a_year_a_box_waits_and_may_be_denied(office, box):
    await node_of(office, box)
    await away(office, 300)
    fresh = box.renewed()
    waiting = await came_back(office, box, fresh)
    assert "210 days ago" in waiting.reason
    assert (await came_back(office, box, fresh)).reason == waiting.reason  # asked again: it waits
    [item] = await office.queue.boxes([State.PENDING])
    await office.queue.deny(item.id, "sold", "jd", office.note)
    with pytest.raises(RefusedError, match="sold"):
        await came_back(office, box, fresh)


async def test_nobody_comes_back_without_both_keys(office, box):
    await node_of(office, box)
    await away(office, 100)
    thief = DeskBox()
    request = returning(office.desk, thief, thief.renewed())
    with pytest.raises(RefusedError, match="no node ever had this key"):
        await office.desk.expired(request, ADDRESS)
    forged = msgspec.structs.replace(
        request, proof=returning(office.desk, box, box.renewed()).proof
    )
    with pytest.raises(ProtocolError, match="signature"):
        await office.desk.expired(forged, ADDRESS)
    other = returning(office.desk, box, box.renewed())
    with pytest.raises(ProtocolError, match="signature"):
        await office.desk.expired(msgspec.structs.replace(other, sealing_key=b"x" * 32), ADDRESS)


async def test_each_kind_of_request_has_its_own_door(office, box):
    with pytest.raises(ProtocolError, match="kind"):
        await office.desk.expired(box.request(office.desk), ADDRESS)
    with pytest.raises(ProtocolError, match="kind"):
        await office.desk.enrol(returning(office.desk, box, box.renewed()), ADDRESS)


async def test_a_revoked_key_does_not_come_back(office, box):
    await node_of(office, box)
    async with office.database.write() as connection:
        row = await identities.find(connection, "lab.n1", 1)
        await identities.happen(connection, row, Event.REVOKE, now_ms=1, reason="stolen")
    await away(office, 100)
    with pytest.raises(RefusedError, match="revoked"):
        await came_back(office, box, box.renewed())


async def test_a_key_that_renews_after_its_successor_was_heard_is_a_clone(office, box):
    first = await node_of(office, box)
    await office.desk.renewals.renew(der_of(first), RenewRequest(DeskBox().keys.csr, "0.1"))
    await heard(office, 2)
    with pytest.raises(RefusedError, match="an operator has to choose") as refused:
        await office.desk.renewals.renew(der_of(first), RenewRequest(DeskBox().keys.csr, "0.1"))
    assert refused.value.code == "clone"
    held = await identity_of(office, 2)
    assert (held.state, held.quarantine) == (State.QUARANTINED, Cause.CLONE)
    async with office.database.read() as connection:
        acts = await audit.page(connection, before=None, limit=9)
    done = [(each.act.action, each.act.object, each.act.actor) for each in acts]
    assert done.count(("node.quarantine", "lab.n1", "central")) == 1


async def test_an_ended_key_whose_successor_was_heard_is_a_clone_too(office, box):
    await node_of(office, box)
    await away(office, 100)
    await came_back(office, box, box.renewed())
    await heard(office, 2)
    with pytest.raises(RefusedError, match="an operator has to choose"):
        await came_back(office, box, box.renewed())
    assert (await identity_of(office, 2)).quarantine is Cause.CLONE


async def test_of_a_clone_nobody_is_renewed_until_a_human_chose(office, box):
    first = await node_of(office, box)
    async with office.database.write() as connection:
        await identities.quarantine(connection, "lab.n1", Cause.CLONE, now_ms=1, reason="two")
    request = RenewRequest(DeskBox().keys.csr, "0.1")
    with pytest.raises(RefusedError, match="in quarantine"):
        await office.desk.renewals.renew(der_of(first), request)
    await away(office, 100)  # its certificate ends there: that is no way out
    with pytest.raises(RefusedError, match="an operator has to choose"):
        await came_back(office, box, box.renewed())
    await release_of(office, "lab.n1")
    assert isinstance(await came_back(office, box, box.renewed()), Issued)


async def test_a_renewal_on_its_way_does_not_escape_a_quarantine(office, box):
    first = await node_of(office, box)
    await office.desk.renewals.renew(der_of(first), RenewRequest(DeskBox().keys.csr, "0.1"))
    async with office.database.write() as connection:
        await identities.quarantine(connection, "lab.n1", Cause.CLONE, now_ms=1, reason="two")
    await heard(office, 2)
    held = await identity_of(office, 2)
    assert (held.state, held.quarantine, held.reason) == (State.QUARANTINED, Cause.CLONE, "two")


async def test_an_old_box_that_was_replaced_is_no_clone(office, box):
    first = await node_of(office, box)
    await enrolled(office, DeskBox(b"2" * 32), await replacement(office))
    await heard(office, 2)
    with pytest.raises(RefusedError, match="this identity is replaced"):
        await office.desk.renewals.renew(der_of(first), RenewRequest(DeskBox().keys.csr, "0.1"))
    assert (await identity_of(office, 2)).state is State.ACTIVE


async def replacement(office, **more):
    wanted = NewClaim("lab", "n1", auto_approve=True)
    given = {"silent_ms": None, "by": "jd", "reason": "", "note": office.note, **more}
    claim, secret = await office.claims.replace(wanted, **given)
    return token_text(claim, secret, office.desk.fleet.pin)


async def test_the_next_box_takes_the_place_of_the_one_that_is_replaced(office, box):
    await node_of(office, box)
    token = await replacement(office)
    assert office.noted[-1] == ("node.replace", "lab.n1")
    assert (await identity_of(office, 1)).state is State.ACTIVE  # until the new one is here
    new = await enrolled(office, DeskBox(b"2" * 32), token)
    assert (new.node, new.generation, new.box) == ("n1", 2, 2)
    old, now = await identity_of(office, 1), await identity_of(office, 2)
    assert (old.state, old.reason, now.reason) == (
        State.REPLACED,
        "replaced by box 2",
        "replaces box 1",
    )


async def test_a_replacement_is_of_one_box_and_of_no_later_one(office, box):
    await node_of(office, box)
    first, second = await replacement(office), await replacement(office)
    await enrolled(office, DeskBox(b"2" * 32), first)
    waiting = await enrolled(office, DeskBox(b"3" * 32), second)
    assert isinstance(waiting, Waiting)
    assert (await identity_of(office, 2)).state is State.ISSUED


async def test_a_listed_box_replaces_by_its_serial_number(office, box):
    await node_of(office, box)
    wanted = NewClaim("lab", "n1", kind=ClaimType.SERIAL, subject="S-9")
    await office.claims.replace(wanted, None, "jd", "", office.note)
    token = await office.token(auto_approve=False)
    new = await enrolled(office, DeskBox(b"2" * 32, serial="S-9"), token)
    assert (new.node, new.box) == ("n1", 2)


async def test_a_box_that_may_be_at_work_is_not_approved_away_without_a_reason(office, box):
    await node_of(office, box)
    office.view.nodes["lab.n1"].heard_ms = office.clock.wall_ms() - 10_000
    await enrolled(office, DeskBox(b"2" * 32), await office.token(auto_approve=False))
    [item] = await office.queue.boxes([State.PENDING])
    wanted = Approval("lab", "n1", replace=True)
    with pytest.raises(RefusedError, match="its box was heard 10 s ago"):
        await office.queue.approve(item.id, wanted, "jd", office.note)
    wanted = replace(wanted, reason="it burns")
    await office.queue.approve(item.id, wanted, "jd", office.note)
    async with office.database.read() as connection:
        [*_, row] = await audit.after(connection, 0, 99)
    assert (row.act.action, row.act.detail["reason"]) == ("enrol.approve", "it burns")


async def test_a_box_that_may_be_at_work_is_replaced_for_a_reason_only(office, box):
    await node_of(office, box)
    with pytest.raises(RefusedError, match="its box was heard 899 s ago"):
        await replacement(office, silent_ms=899_999)
    await replacement(office, silent_ms=899_999, reason="it burns")
    await replacement(office, silent_ms=900_000)
