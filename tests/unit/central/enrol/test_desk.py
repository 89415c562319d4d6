"""The desk on a real database and signer: who gets what, how often, and what is kept of it."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from boxes import DeskBox
from ca import Pki, unlimited
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from roost_agent.enrol.centre import UntrustedError
from roost_agent.enrol.check import check_issued
from roost_agent.enrol.keys import make_key, public_pem
from roost_central.ca.profiles import Authority, Fresh, leaf
from roost_central.enrol.claim_desk import NewClaim
from roost_central.enrol.core import AGAIN_MS_MAX
from roost_central.enrol.matching import Matching
from roost_central.enrol.proof import key_hash
from roost_central.enrol.queue import Approval
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.states import Cause, Event, State, TransitionError
from roost_central.enrol.sweep import Sweep
from roost_central.enrol.withdrawal import WHY
from roost_central.storage import audit, claims, enrolments, identities
from roost_central.storage.claims import ClaimType
from roost_protocol.certificate import Holder, Kind
from roost_protocol.enrol import ClaimKind, Issued, Proof, RenewRequest, Waiting, transcript
from roost_protocol.errors import ProtocolError
from roost_protocol.hardware import Hardware
from roost_protocol.join_token import parse_token
from roost_protocol.seal import report_key

DAY_MS = 86_400_000
ADDRESS = "192.0.2.7"


async def enrolled(office, box, token):
    return await office.desk.enrol(box.request(office.desk, token), ADDRESS)


async def refusal(office, box, token):
    with pytest.raises(RefusedError) as refused:
        await enrolled(office, box, token)
    return refused.value.code


async def test_a_token_gives_an_identity_that_the_box_believes(office, box):
    issued = await enrolled(office, box, await office.token())
    fleet = office.desk.fleet
    assert (issued.site, issued.node, issued.generation, issued.box) == ("lab", "n1", 1, 1)
    assert check_issued(issued, box.keys, root=fleet.root, domain=fleet.domain)
    assert issued.report_key == report_key(fleet.ingest_key, "lab.n1", 1)
    assert (issued.broker_certificate, len(issued.brokers)) == ("", 1)


async def test_the_subject_of_a_request_is_for_nobody(office, box):
    asked = x509.load_pem_x509_csr(box.keys.csr.encode())
    assert asked.subject.rfc4514_string() == "CN=node"
    issued = await enrolled(office, box, await office.token())
    leaf = x509.load_pem_x509_certificate(issued.certificate.encode())
    assert leaf.subject.rfc4514_string() == "CN=lab.n1"


async def test_one_token_raced_by_many_keys_gives_one_identity(office):
    token = await office.token()
    boxes = [DeskBox(bytes([n]) * 32) for n in range(20)]

    async def ask(box):
        try:
            return await enrolled(office, box, token)
        except RefusedError as err:
            return err.code

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(ask(box)) for box in boxes]
    answers = [task.result() for task in asked]
    assert sum(isinstance(each, Issued) for each in answers) == 1
    assert answers.count("claim-spent") == 19


async def test_one_key_that_asks_many_times_at_once_gets_one_certificate(office, box):
    token = await office.token()
    before = (await office.signer.info()).signatures
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(enrolled(office, box, token)) for _ in range(10)]
    assert len({task.result().certificate for task in asked}) == 1
    assert (await office.signer.info()).signatures - before == 2  # node, and LAN


async def test_the_same_key_gets_the_same_for_a_day(office, box):
    token = await office.token()
    first = await enrolled(office, box, token)
    office.clock.ahead_ms = DAY_MS - 60_000
    assert await enrolled(office, box, token) == first
    office.clock.ahead_ms = DAY_MS + 60_000
    assert await refusal(office, box, token) == "key-used"


@pytest.mark.parametrize(
    "change",
    [
        {"wish": "n2"},
        {"lan_key": ""},
        {"sealing_key": b"x" * 32},
        {"hardware": Hardware(uuid="other")},
        {"agent": "9"},
        {"kind": ClaimKind.TOKEN},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_request_that_was_changed_on_its_way_proves_nothing(office, box, change):
    request = msgspec.structs.replace(box.request(office.desk), **change)
    with pytest.raises(ProtocolError, match="signature"):
        await office.desk.enrol(request, ADDRESS)


async def test_a_request_for_a_key_that_somebody_else_has_proves_nothing(office, box):
    thief = DeskBox()
    mine = box.request(office.desk, csr=box.keys.csr)
    stolen = thief.request(office.desk)
    mixed = msgspec.structs.replace(
        stolen, csr=mine.csr, node_nonce=mine.node_nonce, server_nonce=mine.server_nonce
    )
    with pytest.raises(ProtocolError, match="signature"):
        await office.desk.enrol(mixed, ADDRESS)


async def test_a_nonce_is_for_one_key_and_five_minutes(office, box):
    other = DeskBox().request(office.desk)
    with pytest.raises(ProtocolError, match="nonce"):
        await office.desk.enrol(box.request(office.desk, server_nonce=other.server_nonce), ADDRESS)
    old = box.request(office.desk)
    office.clock.ahead_ms = 301_000
    with pytest.raises(ProtocolError, match="nonce"):
        await office.desk.enrol(old, ADDRESS)


async def test_a_wrong_secret_is_no_claim_and_spends_nothing(office, box):
    token = await office.token()
    wrong = replace(parse_token(token), secret=bytes(32))
    assert await refusal(office, box, str(wrong)) == "claim-unknown"
    async with office.database.read() as connection:
        assert (await claims.find(connection, wrong.claim)).used == 0
        assert await enrolments.count(connection, State.PENDING) == 0


async def test_only_a_hash_of_the_secret_is_kept(office):
    token = parse_token(await office.token())
    async with office.database.read() as connection:
        kept = await claims.find(connection, token.claim)
    assert kept.secret_hash != token.secret
    assert token.secret not in kept.secret_hash


async def test_a_token_that_asks_a_human_waits_until_one_says_yes(office, box):
    waiting = await enrolled(office, box, await office.token(auto_approve=False))
    assert isinstance(waiting, Waiting)
    assert await office.desk.ask(waiting.ticket) == waiting
    [item] = await office.queue.boxes([State.PENDING])
    await office.queue.approve(item.id, Approval("lab", "n2"), "jd", office.note)
    assert (await office.desk.ask(waiting.ticket)).node == "n2"
    with pytest.raises(RefusedError, match="no box waits"):
        await office.desk.ask(bytes(32))
    assert office.noted[-1] == ("enrol.approve", "lab.n2")


@pytest.mark.parametrize("why", ["revoked", "quarantined", "a day later"])
async def test_a_ticket_brings_nothing_once_the_identity_may_not_be_asked_for(office, box, why):
    waiting = await enrolled(office, box, await office.token(auto_approve=False))
    [item] = await office.queue.boxes([State.PENDING])
    await office.queue.approve(item.id, Approval("lab", "n2"), "jd", office.note)
    issued = await office.desk.ask(waiting.ticket)
    assert await office.desk.ask(waiting.ticket) == issued
    async with office.database.write() as connection:
        identity = await identities.find(connection, "lab.n2", 1)
        if why == "revoked":
            await identities.happen(connection, identity, Event.REVOKE, now_ms=1, reason="stolen")
        if why == "quarantined":
            await identities.quarantine(
                connection, "lab.n2", Cause.CLONE, now_ms=1, reason="two boxes"
            )
    if why == "a day later":
        office.clock.ahead_ms = AGAIN_MS_MAX + DAY_MS
    with pytest.raises(RefusedError) as refused:
        await office.desk.ask(waiting.ticket)
    assert refused.value.code == "key-used"


async def test_a_box_without_a_claim_is_approved_by_its_words_only(office, box):
    await enrolled(office, box, "")
    [item] = await office.queue.boxes([State.PENDING])
    for words, says in (("", "compare the six words"), ("bababa " * 6, "other words")):
        with pytest.raises(RefusedError, match=says):
            await office.queue.approve(item.id, Approval("lab", "n1", words), "jd", office.note)
    spoken = item.words.upper().replace(" ", "-")
    decided = await office.queue.approve(item.id, Approval("lab", "n1", spoken), "jd", office.note)
    assert decided.node_id == "lab.n1"
    for words in (spoken, ""):  # what was decided is told first
        with pytest.raises(TransitionError):
            await office.queue.approve(item.id, Approval("lab", "n1", words), "jd", office.note)


async def test_a_box_whose_words_were_refused_at_the_box_goes_from_the_queue(office, box):
    waiting = await enrolled(office, box, "")
    with pytest.raises(RefusedError) as refused:
        await office.desk.withdraw(waiting.ticket)
    assert refused.value.code == "withdrawn"
    assert await office.queue.boxes([State.PENDING]) == []
    async with office.database.read() as connection:
        [act] = [row.act for row in await audit.after(connection, 0, 99)]
    assert (act.action, act.actor, act.reason) == ("enrol.withdraw", audit.CENTRE, WHY)
    again = await enrolled(office, box, "")  # its key may ask anew
    assert isinstance(again, Waiting)
    for ticket in (waiting.ticket, bytes(32)):
        with pytest.raises(RefusedError, match="no box waits"):
            await office.desk.withdraw(ticket)


async def test_a_box_that_was_let_in_is_not_withdrawn_by_its_ticket(office, box):
    waiting = await enrolled(office, box, await office.token(auto_approve=False))
    [item] = await office.queue.boxes([State.PENDING])
    await office.queue.approve(item.id, Approval("lab", "n2"), "jd", office.note)
    with pytest.raises(RefusedError, match="no box waits"):
        await office.desk.withdraw(waiting.ticket)
    assert (await office.desk.ask(waiting.ticket)).node == "n2"


async def test_a_denied_box_is_told_so_for_good(office, box):
    waiting = await enrolled(office, box, "")
    [item] = await office.queue.boxes([State.PENDING])
    await office.queue.deny(item.id, "not ours", "jd", office.note)
    with pytest.raises(RefusedError, match="not ours"):
        await office.desk.ask(waiting.ticket)
    assert await refusal(office, box, await office.token()) == "denied"


async def test_a_filled_slot_is_given_away_only_on_purpose(office):
    first, second = DeskBox(b"1" * 32), DeskBox(b"2" * 32)
    await enrolled(office, first, await office.token(node="n1"))
    waiting = await enrolled(office, second, await office.token(node="n1"))
    assert waiting.reason == "the slot n1 is not empty"
    [item] = await office.queue.boxes([State.PENDING])
    with pytest.raises(RefusedError, match="say replace"):
        await office.queue.approve(item.id, Approval("lab", "n1"), "jd", office.note)
    approval = Approval("lab", "n1", replace=True)
    await office.queue.approve(item.id, approval, "jd", office.note)
    async with office.database.read() as connection:
        assert (await identities.find(connection, "lab.n1", 1)).state is State.ISSUED
    issued = await office.desk.ask(waiting.ticket)
    assert (issued.node, issued.generation, issued.box) == ("n1", 2, 2)
    async with office.database.read() as connection:
        assert (await identities.find(connection, "lab.n1", 1)).state is State.REPLACED
    assert await refusal(office, first, await office.token()) == "key-used"


async def test_many_are_let_in_as_expected_or_not_at_all(office):
    token = await office.token(auto_approve=False, nodes_max=3)
    for n in range(2):
        await enrolled(office, DeskBox(bytes([n]) * 32, product="X1"), token)
    await enrolled(office, DeskBox(b"o" * 32, product="Y"), token)
    await enrolled(office, DeskBox(b"b" * 32, product="X1"), "")
    matching = Matching(product="X1")
    with pytest.raises(RefusedError, match="2 boxes match, not 3"):
        await office.queue.approve_all(matching, 3, "jd", office.note)
    assert len(await office.queue.boxes([State.PENDING])) == 4
    decided = await office.queue.approve_all(matching, 2, "jd", office.note)
    assert [each.node for each in decided] == ["n1", "n2"]


async def test_a_batch_without_slots_lets_nobody_in(office):
    token = await office.token(auto_approve=False, nodes_max=4)
    for n in range(4):
        await enrolled(office, DeskBox(bytes([n]) * 32), token)
    with pytest.raises(RefusedError, match="fewer empty slots"):
        await office.queue.approve_all(Matching(), 4, "jd", office.note)
    assert len(await office.queue.boxes([State.PENDING])) == 4


async def test_a_listed_serial_number_lets_in_without_a_human(office):
    token = await office.token(auto_approve=False, nodes_max=2)
    wanted = NewClaim("lab", "n3", kind=ClaimType.SERIAL, subject="S-77")
    await office.claims.make([wanted], "jd", office.note)
    issued = await enrolled(office, DeskBox(serial="S-77"), token)
    assert issued.node == "n3"
    twin = await enrolled(office, DeskBox(b"t" * 32, serial="S-77"), token)
    assert isinstance(twin, Waiting)


async def test_a_number_that_is_listed_for_another_site_lets_nobody_in(office):
    await office.add_site("other", "n1")
    wanted = NewClaim("other", kind=ClaimType.SERIAL, subject="S-77")
    await office.claims.make([wanted], "jd", office.note)
    token = await office.token(auto_approve=False)
    waiting = await enrolled(office, DeskBox(serial="S-77"), token)
    assert waiting.reason == "the claim asks for a human"
    assert [each.site for each in await office.queue.boxes([State.PENDING])] == ["lab"]


async def test_an_announced_key_lets_in_who_has_it(office, box):
    announced = make_key()
    subject = key_hash(announced.public_key()).hex()
    wanted = NewClaim("lab", kind=ClaimType.KEY, subject=subject)
    await office.claims.make([wanted], "jd", office.note)
    request = box.request(office.desk, kind=ClaimKind.KEY)

    def proven(by):
        signature = by.sign(transcript(request), ECDSA(SHA256()))
        proof = Proof(public_key=public_pem(announced), signature=signature)
        return msgspec.structs.replace(request, proof=proof)

    with pytest.raises(ProtocolError, match=r"proof\.signature"):
        await office.desk.enrol(proven(make_key()), ADDRESS)
    assert (await office.desk.enrol(proven(announced), ADDRESS)).node == "n1"


async def test_what_nobody_looked_at_and_what_was_never_heard_ends(office):
    await enrolled(office, DeskBox(b"1" * 32), await office.token())
    await enrolled(office, DeskBox(b"2" * 32), "")
    office.clock.ahead_ms = 7 * DAY_MS + 1_000
    await Sweep(office.database, office.clock).once()
    async with office.database.read() as connection:
        identity = await identities.find(connection, "lab.n1", 1)
        [lapsed] = await enrolments.in_states(connection, [State.DENIED], limit=9)
        acts = [row.act for row in await audit.after(connection, 0, 99)]
    assert (identity.state, identity.reason) == (State.REVOKED, "never heard in 7 days")
    assert lapsed.reason == "nobody decided in 7 days"
    assert [(act.actor, act.action, act.object, act.reason) for act in acts[-2:]] == [
        ("central", "identity.revoke", "lab.n1", "never heard in 7 days"),
        ("central", "enrol.deny", lapsed.id, "nobody decided in 7 days"),
    ]


async def test_who_was_let_in_and_never_came_gives_its_slot_back(office):
    await enrolled(office, DeskBox(), "")
    [box] = await office.queue.boxes([State.PENDING])
    office.clock.ahead_ms = 6 * DAY_MS
    await office.queue.approve(box.id, Approval("lab", "n1", box.words), "jd", office.note)
    for days, state in ((12, State.APPROVED), (13, State.DENIED)):
        office.clock.ahead_ms = days * DAY_MS + 1_000
        await Sweep(office.database, office.clock).once()
        [now] = await office.queue.boxes([state])
    assert now.reason == "it did not come for its identity in 7 days"
    assert (await enrolled(office, DeskBox(b"2" * 32), await office.token(node="n1"))).node == "n1"


async def test_a_promised_slot_is_promised_once(office):
    for n in range(2):
        await enrolled(office, DeskBox(bytes([n]) * 32), "")
    first, second = await office.queue.boxes([State.PENDING])
    wanted = Approval("lab", "n1", first.words)
    await office.queue.approve(first.id, wanted, "jd", office.note)
    wanted = Approval("lab", "n1", second.words, replace=True)
    with pytest.raises(RefusedError) as refused:
        await office.queue.approve(second.id, wanted, "jd", office.note)
    assert refused.value.code == "slot-promised"
    with pytest.raises(RefusedError) as refused:
        await office.claims.replace(NewClaim("lab", "n1"), None, "jd", "", office.note)
    assert refused.value.code == "slot-promised"


async def test_where_nothing_is_due_nobody_waits_for_the_sweep(office):
    await enrolled(office, DeskBox(b"1" * 32), await office.token())
    await enrolled(office, DeskBox(b"2" * 32), "")
    async with office.database.write(), asyncio.timeout(10):
        await Sweep(office.database, office.clock).once()


@pytest.mark.parametrize("is_decided", [False, True])
async def test_a_box_that_asks_or_is_decided_during_the_sweep_does_not_lapse(office, is_decided):
    await enrolled(office, DeskBox(), "")
    [box] = await office.queue.boxes([State.PENDING])
    office.clock.ahead_ms = 7 * DAY_MS + 1_000
    now_ms = office.clock.wall_ms()
    decided = {"state": State.APPROVED, "decided_ms": now_ms}
    now = decided if is_decided else {"seen_ms": now_ms}
    changed = replace(box, **now)

    class Overtaken:
        """The database, where somebody else writes between the sweep's read and its write."""

        read = office.database.read

        @asynccontextmanager
        async def write(self):
            async with office.database.write() as connection:
                await enrolments.save(connection, changed)
            async with office.database.write() as connection:
                yield connection

    await Sweep(Overtaken(), office.clock).once()
    async with office.database.read() as connection:
        assert await enrolments.find(connection, box.id) == changed


async def test_half_a_life_and_a_whole_one_are_noticed(office, box):
    await enrolled(office, box, await office.token())
    sweep = Sweep(office.database, office.clock)
    async with office.database.write() as connection:
        await identities.proven(connection, "lab.n1", 1, now_ms=0)
    for days, state in ((44, State.ACTIVE), (46, State.RENEWAL_DUE), (91, State.EXPIRED_GRACE)):
        office.clock.ahead_ms = days * DAY_MS
        await sweep.once()
        async with office.database.read() as connection:
            assert (await identities.find(connection, "lab.n1", 1)).state is state
            [*_, last] = await audit.after(connection, 0, 99)
    assert (last.act.action, last.act.reason) == ("identity.expire", "the certificate ended")


async def test_a_box_believes_nothing_that_is_for_another(office, box):
    issued = await enrolled(office, box, await office.token())
    root, domain = office.desk.fleet.root, office.desk.fleet.domain
    other = await enrolled(office, DeskBox(b"o" * 32), await office.token())
    for change in (
        {"certificate": other.certificate},
        {"node": "n2"},
        {"lan_certificate": other.lan_certificate},
        {"chain": ""},
        {"root": other.certificate},
        {"box": 2},
        {"fleet_domain": "evil.example"},
    ):
        wrong = msgspec.structs.replace(issued, **change)
        with pytest.raises(UntrustedError):
            check_issued(wrong, box.keys, root=root, domain=domain)


async def test_a_box_believes_no_certificate_of_another_root(office, box, tmp_path):
    issued = await enrolled(office, box, await office.token())
    fleet, foreign = office.desk.fleet, Pki(tmp_path / "foreign", unlimited())
    by, chain = foreign.issuer(Authority.NODE)
    fresh = Fresh(1 << 100, datetime.now(UTC))
    holder = Holder(Kind.NODE, "lab.n1")
    made = leaf(holder, box.keys.node.public_key(), by=by, fresh=fresh, days=90)
    pem = made.public_bytes(Encoding.PEM).decode()
    forged = msgspec.structs.replace(issued, certificate=pem, chain=chain)
    with pytest.raises(UntrustedError, match="the identity from the centre is wrong"):
        check_issued(forged, box.keys, root=fleet.root, domain=fleet.domain)


def der_of(issued):
    leaf = x509.load_pem_x509_certificate(issued.certificate.encode())
    return leaf.public_bytes(Encoding.DER)


async def state_of(office, generation, node="lab.n1"):
    async with office.database.read() as connection:
        return (await identities.find(connection, node, generation)).state


async def test_a_renewal_is_the_next_generation_of_the_same_box(office, box):
    first = await enrolled(office, box, await office.token())
    fresh = DeskBox()
    request = RenewRequest(fresh.keys.csr, "0.1")
    second = await office.desk.renewals.renew(der_of(first), request)
    assert (second.node, second.generation, second.box) == ("n1", 2, 1)
    assert second.lan_certificate == ""
    assert second.lan_ca == first.lan_ca, "one that was added meanwhile is learnt"
    assert second.report_key != first.report_key
    assert await office.desk.renewals.renew(der_of(first), request) == second  # the reply was lost
    assert await state_of(office, 1) is State.ISSUED  # both count until the new one is heard
    async with office.database.write() as connection:
        await identities.proven(connection, "lab.n1", 2, now_ms=1)
    assert (await state_of(office, 1), await state_of(office, 2)) == (
        State.REPLACED,
        State.ACTIVE,
    )
    with pytest.raises(RefusedError, match=r"a newer key of lab\.n1 was heard"):
        await office.desk.renewals.renew(der_of(first), RenewRequest(DeskBox().keys.csr, "0.1"))


async def test_a_renewal_that_lost_its_key_makes_the_lost_one_worthless(office, box):
    first = await enrolled(office, box, await office.token())
    for generation in (2, 3):
        request = RenewRequest(DeskBox().keys.csr, "0.1")
        assert (await office.desk.renewals.renew(der_of(first), request)).generation == generation
    assert (await state_of(office, 2), await state_of(office, 3)) == (State.REVOKED, State.ISSUED)
    async with office.database.read() as connection:
        act = (await audit.after(connection, 0, 99))[-1].act
    assert (act.actor, act.action, act.detail) == (
        "node:lab.n1", "identity.revoke", {"generation": 2},
    )  # fmt: skip


@pytest.mark.parametrize("event", [Event.REVOKE, Event.DECOMMISSION])
async def test_what_ended_is_not_renewed(office, box, event):
    first = await enrolled(office, box, await office.token())
    async with office.database.write() as connection:
        row = await identities.find(connection, "lab.n1", 1)
        await identities.happen(connection, row, event, now_ms=1, reason="gone")
    with pytest.raises(RefusedError, match="this identity is"):
        await office.desk.renewals.renew(der_of(first), RenewRequest(DeskBox().keys.csr, "0.1"))


async def test_a_renewal_is_for_whom_the_database_knows_and_for_a_new_key(office, box):
    first = await enrolled(office, box, await office.token())
    with pytest.raises(RefusedError, match="no node has this certificate"):
        await office.desk.renewals.renew(b"another", RenewRequest(DeskBox().keys.csr, "0.1"))
    other = DeskBox(b"o" * 32)
    await enrolled(office, other, await office.token())
    with pytest.raises(RefusedError, match="a new key"):
        await office.desk.renewals.renew(der_of(first), RenewRequest(other.keys.csr, "0.1"))


async def test_revoked_is_revoked_for_its_key_too(office, box):
    token = await office.token()
    await enrolled(office, box, token)
    async with office.database.write() as connection:
        row = await identities.find(connection, "lab.n1", 1)
        await identities.happen(connection, row, Event.REVOKE, now_ms=1, reason="stolen")
    assert await refusal(office, box, token) == "key-used"
