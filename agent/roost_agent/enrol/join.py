"""Joins a fleet: keys, a claim, the centre's root, the identity; each step can be done again.

What an attempt made stays in ``<state_dir>/identity.new``: the next one comes with the same key,
and the centre gives the same answer. Nothing from the centre is kept before it was checked.
"""

import hmac
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from roost_agent.enrol.anchor import IMAGE_ROOT
from roost_agent.enrol.announced import Announced
from roost_agent.enrol.centre import Address, Centre, CentreError, RefusedError, UntrustedError
from roost_agent.enrol.check import check_issued, spki_of
from roost_agent.enrol.factory import Factory
from roost_agent.enrol.files import box_files, node_files
from roost_agent.enrol.folder import open_fresh, read_files, take_over, write_files
from roost_agent.enrol.keys import Keys, public_pem, ready_keys
from roost_agent.enrol.tpm.chip import Chip, opened
from roost_agent.enrolled import ROOT, Facts, load
from roost_agent.errors import AgentError
from roost_agent.ports import Clock, Entropy
from roost_protocol import __version__
from roost_protocol.certificate import pin
from roost_protocol.enrol import (
    NONCE_BYTES,
    Activation,
    Challenge,
    ClaimKind,
    EnrolRequest,
    Hello,
    Issued,
    Proof,
    TicketRequest,
    Waiting,
    code_words,
    commitment,
    question,
    transcript,
)
from roost_protocol.hardware import Hardware
from roost_protocol.join_token import JoinToken, from_text

BACKOFF_S: Final = (2.0, 300.0)  # between attempts that failed, full jitter
ENROL_PATH: Final = "/api/v1/enrol"
ACTIVATE_PATH: Final = "/api/v1/enrol/activate"
TICKET_PATH: Final = "/api/v1/enrol/ticket"
ANSWER: Final[Any] = Issued | Waiting
FIRST_ANSWER: Final[Any] = Issued | Waiting | Challenge

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Order:
    """What to do.

    Attributes:
        url: of the centre's enrolment listener.
        others: further addresses of the same centre, asked where it cannot be.
        announced: a key that the centre has on its list; used where there is no token.
        factory: what the maker put into the box; used where there is neither.
        tpm: the TPM's device; used where there is nothing else. Empty: it is left alone.
        token: None: a human compares six words.
        pin: 16 bytes of the root; None: a human compares, here too.
        name: the node name it would like.
        wait_s: how long to wait for the centre and for people.
    """

    url: str
    state_dir: Path
    token: JoinToken | None = None
    pin: bytes | None = None
    name: str = ""
    wait_s: float = 0.0
    new_key: bool = False
    others: tuple[str, ...] = ()
    announced: Announced | None = None
    factory: Factory | None = None
    tpm: str = ""

    @property
    def kind(self) -> ClaimKind:
        """By what the box asks to be let in."""
        if self.token is not None:
            return ClaimKind.TOKEN
        if self.announced is not None:
            return ClaimKind.KEY
        if self.factory is not None:
            return ClaimKind.FACTORY
        return ClaimKind.TPM if self.tpm else ClaimKind.BARE


class UndecidedError(AgentError):
    """The centre answers, and nobody there has decided within the time."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is told what happens, and asked whether the words are the same."""

    tell: Callable[[str], None]
    confirm: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class World:
    """The ports of a join."""

    clock: Clock
    entropy: Entropy
    sleep: Callable[[float], None]
    person: Person


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was sent, and the answer; ``centre`` gave it."""

    answer: Issued | Waiting
    hello: Hello
    words: str
    centre: Centre


def join(order: Order, hardware: Hardware, world: World) -> Facts:
    """Join, and return who this node is now.

    Raises:
        AgentError: it did not come to that; its text says what to do.
    """
    known = load(order.state_dir)
    if known is not None and not order.new_key:
        who = f"{known.facts.site}.{known.facts.node}, generation {known.facts.generation}"
        raise AgentError(f"this box is {who} already; --new-key gives that up and asks anew")
    fresh = open_fresh(order.state_dir, anew=order.new_key)
    keys = ready_keys(fresh)
    issued, asked = _Attempt(order, hardware, world, keys, fresh).issued()
    hello = asked.hello
    not_after_ms = check_issued(issued, keys, root=hello.root, domain=hello.fleet_domain)
    facts = _facts(issued, hardware, asked.centre.address.url, not_after_ms)
    write_files(fresh, box_files(issued) | node_files(issued, facts, issued.root))
    take_over(order.state_dir)
    return facts


class _Attempt:
    """One run of the command: asks until somebody says yes or no, or the time is up."""

    def __init__(
        self, order: Order, hardware: Hardware, world: World, keys: Keys, fresh: Path
    ) -> None:
        self._order = order
        self._hardware = hardware
        self._world = world
        self._keys = keys
        self._deadline_s = world.clock.boot_ms() / 1000 + order.wait_s
        self._fresh = fresh

    def issued(self) -> tuple[Issued, Asked]:
        """Return the identity, and the answer that it began with."""
        addresses = [Address.parse(url) for url in (self._order.url, *self._order.others)]
        with ExitStack() as stack:
            centres = [stack.enter_context(closing(Centre(each))) for each in addresses]
            return self._issued(centres)

    def _issued(self, centres: Sequence[Centre]) -> tuple[Issued, Asked]:
        asked = self._persisted(lambda: self._ask_any(centres))
        answer, centre = asked.answer, asked.centre
        if self._pin() is None:
            self._confirm(asked)
        if isinstance(answer, Waiting):
            self._world.person.tell(f"waiting: {answer.reason}. Words: {asked.words}")
        while isinstance(answer, Waiting):
            centre.close()  # a box that waits holds no connection
            self._pause(answer.retry_after_s)
            ticket = TicketRequest(answer.ticket)
            answer = self._persisted(partial(centre.post, TICKET_PATH, ticket, ANSWER))
        return answer, asked

    def _ask_any(self, centres: Sequence[Centre]) -> Asked:
        """Ask the first that can be asked and is the right one.

        Raises:
            CentreError: one of them cannot be asked now, and none is the right one.
            UntrustedError: none is the right one.
        """
        faults: list[CentreError | UntrustedError] = []
        for centre in centres:
            try:
                return self._ask(centre)
            except (CentreError, UntrustedError) as err:
                centre.close()
                faults.append(err)
        if len(faults) == 1:
            raise faults[0]
        is_passing = any(isinstance(err, CentreError) for err in faults)
        text = "; ".join(str(err) for err in faults)
        raise CentreError(text) if is_passing else UntrustedError(text)

    def _ask(self, centre: Centre) -> Asked:
        """Ask, with the TPM at hand where that is the claim: its keys take longer than a nonce."""
        is_tpm = self._order.kind is ClaimKind.TPM
        with opened(self._order.tpm) if is_tpm else nullcontext() as chip:
            if chip is not None:
                self._world.person.tell(f"{self._order.tpm} is the TPM {chip.fingerprint}")
            return self._greeted(centre, chip)

    def _greeted(self, centre: Centre, chip: Chip | None) -> Asked:
        """Say hello to whoever is there, to learn the root; then ask over TLS that it stands for.

        What hello told is proven by what follows: the root by its pin or by the words, the domain
        by the name in the certificate, the nonce by the centre that takes it back.
        """
        nonce = self._world.entropy.token(NONCE_BYTES)
        commit = commitment(nonce, self._keys.csr)
        hello = centre.hello(commit)
        spki = spki_of(hello.root)
        trusted = self._pin()
        if trusted is not None and not hmac.compare_digest(from_text(pin(spki)), trusted):
            why = f"{centre.address.url} has another root than the fleet that this box is to join"
            raise UntrustedError(f"{why}; check the URL, and whose token it is")
        centre.trust(hello.root, hello.fleet_domain)
        request = self._request(hello, nonce, chip)
        words = code_words(spki, request.csr, nonce, hello.server_nonce)
        answer: Issued | Waiting | Challenge = centre.post(ENROL_PATH, request, FIRST_ANSWER)
        if isinstance(answer, Challenge):
            answer = self._activated(centre, chip, request, answer)
        return Asked(answer, hello, words, centre)

    def _activated(
        self, centre: Centre, chip: Chip | None, request: EnrolRequest, challenge: Challenge
    ) -> Issued | Waiting:
        """Have the TPM answer, and certify the node's key for this request."""
        if chip is None:
            raise UntrustedError("the centre asks a TPM that was not offered: nothing was kept")
        secret = chip.activate(challenge.credential, challenge.seed)
        attestation, signature = chip.certify(self._keys.node, question(request))
        activation = Activation(request, secret, attestation, signature)
        answer: Issued | Waiting = centre.post(ACTIVATE_PATH, activation, ANSWER)
        return answer

    def _pin(self) -> bytes | None:
        """Return what the root is known by: of the order, or of words that were compared."""
        if self._order.pin is not None:
            return self._order.pin
        seen = read_files(self._fresh, [ROOT]).get(ROOT)
        return None if seen is None else from_text(pin(spki_of(seen.decode())))

    def _confirm(self, asked: Asked) -> None:
        """Have a human compare the words, and remember the root that they stand for.

        Raises:
            UntrustedError: they differ, or nobody looked.
        """
        if isinstance(asked.answer, Issued):
            why = "the centre approved this box before anybody compared the words here"
            raise UntrustedError(f"{why}; join with --new-key and compare, or with --pin")
        if not self._world.person.confirm(asked.words):
            self._withdraw(asked.centre, asked.answer)
            raise UntrustedError("the words were not confirmed: this box trusts nobody yet")
        write_files(self._fresh, {ROOT: asked.hello.root.encode()})

    def _withdraw(self, centre: Centre, answer: Waiting) -> None:
        """Have this box let go, if that can be said now: otherwise it waits there for a week."""
        ticket = TicketRequest(answer.ticket, withdraw=True)
        with suppress(CentreError, RefusedError, UntrustedError):
            centre.post(TICKET_PATH, ticket, ANSWER)

    def _persisted(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer, or the time is up."""
        failures = 0
        while True:
            try:
                return ask()
            except CentreError as err:
                failures += 1
                low_s, high_s = BACKOFF_S
                most_s = min(high_s, low_s * 2**failures)
                self._pause(self._world.entropy.uniform(low_s, most_s), err)

    def _pause(self, seconds: float, why: CentreError | None = None) -> None:
        """Wait, where there is time left.

        Raises:
            AgentError: there is none.
        """
        left_s = self._deadline_s - self._world.clock.boot_ms() / 1000
        if left_s <= seconds:
            if why is not None:
                raise why
            raise UndecidedError(
                "nobody decided in time; run the same command again to go on waiting"
            )
        if why is not None:
            self._world.person.tell(f"{why}; again in {seconds:.0f} s")
        self._world.sleep(seconds)

    def _request(self, hello: Hello, nonce: bytes, chip: Chip | None) -> EnrolRequest:
        kind, proof = self._order.kind, _claimed(self._order, chip)
        request = EnrolRequest(
            kind=kind,
            csr=self._keys.csr,
            lan_key=public_pem(self._keys.lan),
            broker_key=public_pem(self._keys.broker),
            sealing_key=self._keys.sealing_public,
            node_nonce=nonce,
            server_nonce=hello.server_nonce,
            hardware=self._hardware,
            agent=__version__,
            signature=b"",
            proof=proof,
            wish=self._order.name,
        )
        message = transcript(request)
        signer = {
            ClaimKind.KEY: self._order.announced,
            ClaimKind.FACTORY: self._order.factory,
        }.get(kind)
        if signer is not None:
            proof = msgspec.structs.replace(proof, signature=signer.sign(message))
        return msgspec.structs.replace(request, signature=self._keys.sign(message), proof=proof)


def _claimed(order: Order, chip: Chip | None) -> Proof:
    """Return what a box brings; what proves it is not signed yet."""
    if order.token is not None:
        return Proof(claim=order.token.claim, secret=order.token.secret)
    if order.announced is not None:
        return Proof(public_key=order.announced.public)
    if order.factory is not None:
        return Proof(chain=order.factory.chain)
    if chip is not None:
        return Proof(public_key=chip.attestation_key, chain=chip.certificate)
    return Proof()


def _facts(issued: Issued, hardware: Hardware, centre: str, not_after_ms: int) -> Facts:
    """Return what is kept of the answer; the root of trust for images is never in it."""
    return Facts(
        fleet_domain=issued.fleet_domain,
        site=issued.site,
        node=issued.node,
        generation=issued.generation,
        box=issued.box,
        hw_fp=hardware,
        brokers=issued.brokers,
        enrolled_ms=issued.issued_ms,
        not_after_ms=not_after_ms,
        image_root="file" if IMAGE_ROOT.is_file() else "none",
        centre=centre,
    )
