"""A job: an order ``configure`` as the agent hands it to root, who believes nothing of it unseen.

Root's checks: it is the document that was asked for, signed by a key that root had before, for the
node that root knows, and newer than the last one. Time is not looked at: no clock of a node counts,
and the agent has compared it with the centre's; a number that only rises stops what is old.
"""

import os
import stat
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec.structs import replace

from roost_agent.config_apply.job_file import JOB_BYTES_MAX, Job
from roost_agent.config_apply.state import State
from roost_agent.orders.verify import fault
from roost_protocol.codec import Decoder
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import ORDER_KEYS_MAX
from roost_protocol.order import ORDER_KEY_DOMAIN, OrderKey, check_body, read_order, read_signed
from roost_protocol.order_verbs import Configure, act_of
from roost_protocol.profile.check import Tree
from roost_protocol.profile.document import decode_settings

BEGUN_MAX: Final = 2  # a document that was killed twice on its way is left


class RefusedError(Exception):
    """It is not done; ``code`` is a word for programs, the text a sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Asked(msgspec.Struct, frozen=True):
    """A job that was checked.

    Attributes:
        is_done: it is what is applied: root was killed before it could say so.
    """

    node: str
    generation: int
    seq: int
    desired: int
    digest: bytes
    body: bytes
    keys: tuple[OrderKey, ...]
    sections: Tree
    is_done: bool = False


_decoder: Final[Decoder[Job]] = Decoder(Job, limit=JOB_BYTES_MAX)


def read_job(path: Path) -> bytes | None:
    """Return a job's bytes, None where there is none.

    Raises:
        RefusedError: it is no plain file, or too long: whose folder it is in put it there.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(path, flags), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise RefusedError("job", f"{path}: no plain file")
            return stream.read(JOB_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as err:
        raise RefusedError("job", f"{path}: {err.strerror}") from err


def judge(raw: bytes, digest: str, state: State) -> Asked:
    """Return what a job asks, checked.

    Args:
        raw: a Job's bytes.
        digest: of the document that was asked for, in hexadecimal digits.
        state: root's, after what was interrupted is undone; its journal says what was.

    Raises:
        RefusedError: why not.
    """
    try:
        job = _decoder.decode(raw)
        signed = read_signed(job.message)
        order = read_order(signed.order)
        act = act_of(order.verb, order.given)
        check_body(act, signed.body)
    except ProtocolError as err:
        raise RefusedError(err.code, str(err)) from err
    if not isinstance(act, Configure) or act.digest != digest:
        raise RefusedError("job", f"it is no order for the document {digest}")
    keys = believed(state.keys, job)
    if why := fault(job.message, keys):
        raise RefusedError("signature", why)
    if state.node and order.node != state.node:
        text = f"for {order.node}, and this machine is {state.node}: `roost-config forget` as root"
        raise RefusedError("node", text)
    is_done = _is_done(order.generation, order.seq, digest, state)
    if not is_done:
        _check_age(order.generation, order.seq, digest, state)
    try:
        sections = decode_settings(signed.body)
    except ProtocolError as err:
        raise RefusedError(err.code, str(err)) from err
    return Asked(
        order.node,
        order.generation,
        order.seq,
        int(act.desired),
        bytes.fromhex(act.digest),
        signed.body,
        keys,
        sections,
        is_done,
    )


def believed(known: tuple[OrderKey, ...], job: Job) -> tuple[OrderKey, ...]:
    """Return the keys by which an order is believed.

    Those of the first job, then each that the newest of them vouches for: one that has a successor
    vouches for nobody any more, whoever has it by then. The end of a key is the agent's word, which
    nobody signs: the newest has none, so that an agent cannot leave root without a key.
    """
    keys = list(known or job.keys)
    for each in job.keys if known else ():
        vouch = job.vouches.get(each.key_id, b"")
        if all(each.key != key.key for key in keys) and _vouches(keys[-1], each, vouch):
            keys.append(each)
    ends = {each.key: each.until_ms for each in job.keys}
    followed = [
        each if each.until_ms else replace(each, until_ms=ends.get(each.key, 0))
        for each in keys[:-1]
    ]
    return (*followed, *(replace(each, until_ms=0) for each in keys[-1:]))[-ORDER_KEYS_MAX:]


def _vouches(by: OrderKey, key: OrderKey, vouch: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(by.key).verify(vouch, ORDER_KEY_DOMAIN + key.key)
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_done(generation: int, seq: int, digest: str, state: State) -> bool:
    """Say whether it is the last order, and what it brought is applied."""
    is_last = (generation, seq) == (state.generation, state.seq) and state.journal is None
    return is_last and state.applied is not None and state.applied.digest.hex() == digest


def _check_age(generation: int, seq: int, digest: str, state: State) -> None:
    if generation < state.generation:
        text = f"for generation {generation} of the identity; {state.generation} was here already"
        raise RefusedError("stale", text)
    if seq > state.seq:
        return
    journal = state.journal
    is_again = journal is not None and journal.digest.hex() == digest
    if seq < state.seq or not is_again:
        raise RefusedError("replayed", f"number {seq}; the last one was {state.seq}")
    if journal is not None and journal.begun >= BEGUN_MAX:
        raise RefusedError("interrupted", f"killed {journal.begun} times on its way")
