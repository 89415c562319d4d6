"""Claims by TPM at the desk: a real database, a real signer and emulated TPMs."""

from contextlib import ExitStack

import msgspec
import pytest
from boxes import DeskBox
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from maker import Maker
from swtpm import ECC, RSA, endorsed, endorsement, needs_swtpm, pem

from roost_agent.enrol.keys import make_key, public_pem
from roost_agent.enrol.tpm import chip as chips
from roost_agent.enrol.tpm.command import CommandError
from roost_agent.enrol.tpm.template import key_of
from roost_central.enrol.desk import Desk
from roost_central.enrol.factory import Makers
from roost_central.enrol.issue import Issuer
from roost_central.enrol.nonce import LIFE_MS
from roost_central.enrol.queue import Approval
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.rules import Rule
from roost_central.enrol.states import Event, State
from roost_central.enrol.tpm.endorsement import TpmMakers
from roost_central.storage import audit, enrolments, identities
from roost_protocol.enrol import ClaimKind, Issued, Proof, Waiting, question
from roost_protocol.errors import ProtocolError
from roost_protocol.hardware import Hardware
from roost_protocol.tpm import ATTESTATION_KEY, ECDSA_SHA256, RESTRICTED, ecc_area

ADDRESS = "192.0.2.7"


@pytest.fixture(scope="module")
def maker():
    return Maker("Chips Root")


@pytest.fixture(scope="module")
def tpms(tmp_path_factory, maker):
    """Two TPMs of one maker, one for each template, and how to open them."""
    needs_swtpm()
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("tpms")
        yield [
            stack.enter_context(endorsed(folder / str(index), maker, index)) for index in (ECC, RSA)
        ]


@pytest.fixture(params=[0, 1], ids=["p256", "rsa"])
def either(tpms, request):
    with chips.opened(str(tpms[request.param].socket)) as chip:
        yield chip


@pytest.fixture
def chip(tpms):
    with chips.opened(str(tpms[0].socket)) as chip:
        yield chip


@pytest.fixture
def other(tpms):
    with chips.opened(str(tpms[1].socket)) as chip:
        yield chip


def desk_of(office, maker, *rules):
    fleet = office.desk.fleet
    return Desk(
        office.database, office.view, office.clock, office.desk._entropy, fleet=fleet,
        issuer=Issuer(office.database, office.signer, office.clock, fleet), nonce_key=b"k" * 32,
        makers=Makers([("chips", [maker.certificate])]),
        tpm_makers=TpmMakers([("chips", [maker.certificate])]), rules=rules,
    )  # fmt: skip


@pytest.fixture
def desk(office, maker):
    return desk_of(office, maker, Rule("any-chip", "lab", tpm="chips", serial="*"))


async def challenged(desk, box, chip):
    request = box.endorsed(desk, chip)
    return request, await desk.enrol(request, ADDRESS)


async def refused(desk, activation, code, told):
    with pytest.raises(ProtocolError, match=told) as caught:
        await desk.activate(activation, ADDRESS)
    assert caught.value.code == code


async def waiting(office):
    async with office.database.read() as connection:
        return await enrolments.count(connection, State.PENDING)


async def test_a_tpm_and_a_rule_for_it_let_a_box_in(office, maker, box, either):
    rule = Rule("ours", "lab", tpm="chips", serials=frozenset({either.fingerprint.upper()}))
    issued = await box.activated(desk_of(office, maker, rule), either, ADDRESS)
    assert isinstance(issued, Issued)
    assert (issued.site, issued.node) == ("lab", "n1")
    async with office.database.read() as connection:
        [entry] = await audit.after(connection, 0, 10)
    assert (entry.act.actor, entry.act.object) == ("rule:ours", "lab.n1")
    assert entry.act.via == "enrol:tpm"


async def test_a_challenge_alone_lets_in_and_writes_nothing(office, desk, box, chip):
    await challenged(desk, box, chip)
    assert await waiting(office) == 0


async def test_a_lost_reply_is_given_again_by_the_same_answer_and_by_a_new_one(desk, box, chip):
    request, challenge = await challenged(desk, box, chip)
    answer = box.answer(chip, request, challenge)
    first = await desk.activate(answer, ADDRESS)
    assert await desk.activate(answer, ADDRESS) == first
    assert await box.activated(desk, chip, ADDRESS) == first


async def test_a_tpm_that_no_rule_means_waits_with_its_number(office, maker, box, chip):
    desk = desk_of(office, maker, Rule("others", "lab", tpm="chips", serial="0000*"))
    answer = await box.activated(desk, chip, ADDRESS)
    assert isinstance(answer, Waiting)
    told = f"chips vouches for the TPM {chip.fingerprint}; no rule says where it belongs"
    assert answer.reason == told
    [record] = await office.queue.boxes([State.PENDING])
    await office.queue.approve(record.id, Approval("lab", "n2"), "jd", office.note)
    assert (await desk.ask(answer.ticket)).node == "n2"


async def test_one_tpm_is_one_box_until_that_is_out(office, desk, chip):
    first, second, third = (DeskBox(bytes([n]) * 32) for n in range(3))
    assert (await first.activated(desk, chip, ADDRESS)).node == "n1"
    answer = await second.activated(desk, chip, ADDRESS)
    assert "that box is lab.n1 already" in answer.reason
    async with office.database.write() as connection:
        for row in await identities.of_node(connection, "lab.n1"):
            await identities.happen(connection, row, Event.REVOKE, now_ms=1, reason="so")
    assert (await third.activated(desk, chip, ADDRESS)).site == "lab"


async def test_one_tpm_waits_once_by_its_last_key(office, maker, chip):
    """Else whoever has one TPM of a maker fills the queue with keys."""
    desk = desk_of(office, maker)
    first, second = (DeskBox(bytes([n]) * 32) for n in range(2))
    earlier = await first.activated(desk, chip, ADDRESS)
    later = await second.activated(desk, chip, ADDRESS)
    assert await waiting(office) == 1
    assert (await desk.ask(later.ticket)).ticket == later.ticket
    with pytest.raises(RefusedError, match="join again"):
        await desk.ask(earlier.ticket)


async def test_what_a_box_says_of_itself_chooses_no_rule_of_a_tpm(office, maker, box, chip):
    desk = desk_of(office, maker, Rule("s", "lab", tpm="chips", serial="S-1"))
    box.hardware = Hardware(serial="S-1", ek="S-1")
    assert isinstance(await box.activated(desk, chip, ADDRESS), Waiting)


async def test_an_answer_counts_for_its_own_request_only(desk, box, chip):
    request, challenge = await challenged(desk, box, chip)
    answer = box.answer(chip, request, challenge)
    thief = DeskBox(b"t" * 32)
    theirs = msgspec.structs.replace(answer, request=thief.endorsed(desk, chip))
    await refused(desk, theirs, "activation", "not the secret of this request")
    again = msgspec.structs.replace(answer, request=box.endorsed(desk, chip))
    await refused(desk, again, "activation", "not the secret of this request")


async def test_a_challenge_ends_with_its_nonce(office, desk, box, chip):
    request, challenge = await challenged(desk, box, chip)
    answer = box.answer(chip, request, challenge)
    office.clock.ahead_ms = LIFE_MS + 1
    await refused(desk, answer, "nonce", "bound 300 s")


async def test_another_tpm_cannot_answer(desk, box, chip, other):
    request, challenge = await challenged(desk, box, chip)
    with pytest.raises(CommandError, match="refuses ActivateCredential"):
        other.activate(challenge.credential, challenge.seed)
    attestation, signature = other.certify(box.keys.node, question(request))
    answer = box.answer(chip, request, challenge)
    guessed = msgspec.structs.replace(
        answer, secret=b"g" * 32, attestation=attestation, signature=signature
    )
    await refused(desk, guessed, "activation", "not the secret of this request")
    theirs = msgspec.structs.replace(answer, attestation=attestation, signature=signature)
    await refused(desk, theirs, "attestation", "the attestation key did not sign")


async def test_an_endorsement_key_in_software_is_refused(desk, box, chip):
    key = make_key()
    own = Maker("Chips Root")  # the maker's name, and another key
    for issuer in (own, Maker("box", key=key)):
        certificate = pem(endorsement(issuer, key.public_key()))
        proof = Proof(public_key=chip.attestation_key, chain=certificate)
        with pytest.raises(ProtocolError, match="no maker vouches for it") as caught:
            await desk.enrol(box.request(desk, kind=ClaimKind.TPM, proof=proof), ADDRESS)
        assert caught.value.code == "chain"


async def test_an_attestation_key_of_elsewhere_gets_no_secret(desk, box, chip):
    """It is in software: the TPM has no object of its name, so it gives nothing out."""
    key = make_key()
    proof = Proof(public_key=public_pem(key), chain=chip.certificate)
    request = box.request(desk, kind=ClaimKind.TPM, proof=proof)
    challenge = await desk.enrol(request, ADDRESS)
    with pytest.raises(CommandError, match="refuses ActivateCredential"):
        chip.activate(challenge.credential, challenge.seed)


async def test_an_attestation_key_that_is_changed_after_the_challenge_is_refused(desk, box, chip):
    request, challenge = await challenged(desk, box, chip)
    answer = box.answer(chip, request, challenge)
    key = make_key()
    proof = msgspec.structs.replace(request.proof, public_key=public_pem(key))
    changed = msgspec.structs.replace(request, proof=proof)
    signature = key.sign(answer.attestation, ECDSA(SHA256()))
    forged = msgspec.structs.replace(answer, request=changed, signature=signature)
    await refused(desk, forged, "activation", "not the secret of this request")


async def test_an_endorsement_that_is_changed_after_the_challenge_is_refused(
    desk, box, maker, chip, other
):
    request, challenge = await challenged(desk, box, chip)
    answer = box.answer(chip, request, challenge)
    proof = msgspec.structs.replace(request.proof, chain=other.certificate)
    changed = msgspec.structs.replace(request, proof=proof)
    with pytest.raises(ProtocolError, match="the key did not sign this"):
        await desk.activate(msgspec.structs.replace(answer, request=changed), ADDRESS)


async def test_a_key_of_the_tpm_that_signs_anything_is_no_attestation_key(tpms, desk, box):
    """Without RESTRICTED it could sign an attestation that the TPM never made."""
    with chips.opened(str(tpms[0].socket)) as chip:
        loose = ecc_area(ATTESTATION_KEY & ~RESTRICTED, b"", b"", scheme=ECDSA_SHA256)
        commands = chip._commands
        commands.flush(chip._attestation)
        made = commands.create_primary(loose)
        public = key_of(made.area).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        proof = Proof(public_key=public.decode(), chain=chip.certificate)
        challenge = await desk.enrol(box.request(desk, kind=ClaimKind.TPM, proof=proof), ADDRESS)
        session = commands.start_policy()
        commands.have_endorsement(session)
        keys = (made.handle, chip._endorsement)
        with pytest.raises(CommandError, match="refuses ActivateCredential"):
            commands.activate(keys, session, challenge.credential, challenge.seed)
        commands.flush(session)
        commands.flush(made.handle)


async def test_an_attestation_that_was_altered_is_refused(desk, box, chip):
    request, challenge = await challenged(desk, box, chip)
    answer = box.answer(chip, request, challenge)
    for at in range(len(answer.attestation)):
        raw = bytearray(answer.attestation)
        raw[at] ^= 1
        altered = msgspec.structs.replace(answer, attestation=bytes(raw))
        await refused(desk, altered, "attestation", "the attestation key did not sign this")


async def test_an_attestation_for_another_nonce_is_refused(desk, box, chip):
    request, challenge = await challenged(desk, box, chip)
    answer = box.answer(chip, request, challenge)
    old = box.endorsed(desk, chip)  # an earlier request, with its own nonce
    attestation, signature = chip.certify(box.keys.node, question(old))
    stale = msgspec.structs.replace(answer, attestation=attestation, signature=signature)
    await refused(desk, stale, "attestation", "it is about another request")


async def test_an_attestation_of_another_key_is_refused(desk, box, chip):
    request, challenge = await challenged(desk, box, chip)
    answer = box.answer(chip, request, challenge)
    attestation, signature = chip.certify(make_key(), question(request))
    theirs = msgspec.structs.replace(answer, attestation=attestation, signature=signature)
    await refused(desk, theirs, "attestation", "it is about another key")


async def test_a_request_that_its_own_key_did_not_sign_gets_no_challenge(desk, box, chip):
    request = box.endorsed(desk, chip)
    with pytest.raises(ProtocolError, match="the key did not sign this"):
        await desk.enrol(msgspec.structs.replace(request, wish="boss"), ADDRESS)


async def test_an_answer_is_for_a_claim_by_tpm(desk, box, chip):
    request, challenge = await challenged(desk, box, chip)
    answer = box.answer(chip, request, challenge)
    bare = msgspec.structs.replace(answer, request=box.request(desk))
    await refused(desk, bare, "kind", "bound tpm")


async def test_a_centre_that_trusts_no_tpm_says_what_to_write(office, box, chip):
    with pytest.raises(ProtocolError, match=r"write \[\[enrol.tpm_maker\]\]"):
        await office.desk.enrol(box.endorsed(office.desk, chip), ADDRESS)
