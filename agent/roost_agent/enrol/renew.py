"""``roost-agent renew``: the next certificate, for a new key, over TLS with the present one.

Where the present one has ended, its key signs for the node (expired.py).

What is the box's stays as it is: its LAN keys and certificates, its sealing key. The old folder is
kept beside the new one (``identity.old``) until the next renewal.
"""

import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from roost_agent.enrol.box import this_box
from roost_agent.enrol.centre import Address, Centre, CentreError, EndedError, RefusedError
from roost_agent.enrol.check import check_issued
from roost_agent.enrol.expired import ask_expired
from roost_agent.enrol.files import box_files, node_files
from roost_agent.enrol.folder import open_fresh, read_files, take_over, write_files
from roost_agent.enrol.keys import SEALING_KEY, Keys, ready_keys
from roost_agent.enrolled import (
    BROKER_CERTIFICATE,
    BROKER_KEY,
    LAN_CA,
    LAN_CERTIFICATE,
    LAN_KEY,
    NODE_CERTIFICATE,
    NODE_KEY,
    ROOT,
    STATE_DIR,
    Enrolled,
    load,
)
from roost_agent.errors import AgentError
from roost_agent.options import options
from roost_agent.ports import Clock, Entropy, SystemClock, SystemEntropy
from roost_agent.renewal import is_before
from roost_protocol import __version__
from roost_protocol.enrol import Issued, RenewRequest, Waiting

RENEW_PATH: Final = "/api/v1/renew"
OF_THE_BOX: Final = (LAN_KEY, BROKER_KEY, SEALING_KEY, LAN_CERTIFICATE, LAN_CA, BROKER_CERTIFICATE)
ANSWER: Final[Any] = Issued
ENDED: Final = "ended"  # the centre's word for an identity that counts no more
KEY_USED: Final = "key-used"


def run(argv: list[str]) -> int:
    """Renew the identity; return the exit status."""
    state_dir = Path(options(argv, {"state-dir": STATE_DIR})["state-dir"])
    known = load(state_dir)
    if known is None:
        raise AgentError(f"{state_dir}: this box is no node yet; roost-agent join makes it one")
    try:
        generation = renew(state_dir, known, SystemClock(), SystemEntropy())
    except OSError as err:
        raise AgentError(f"{err.filename or state_dir}: {err.strerror}") from err
    sys.stdout.write(f"renewed: generation {generation}\n")
    return 0


def renew(state_dir: Path, known: Enrolled, clock: Clock, entropy: Entropy) -> int:
    """Take the next generation; return its number.

    A key that the centre knows already, and gives nothing for, is of an attempt whose answer got
    lost long ago: it is made anew, once.

    Raises:
        AgentError: there is none; the present identity is untouched.
        OSError: it cannot be written.
    """
    try:
        return _next(state_dir, known, clock, entropy)
    except RefusedError as err:
        if err.code != KEY_USED:
            raise
    open_fresh(state_dir, anew=True)
    return _next(state_dir, known, clock, entropy)


def _next(state_dir: Path, known: Enrolled, clock: Clock, entropy: Entropy) -> int:
    facts, folder = known.facts, known.folder
    fresh = open_fresh(state_dir)
    if not (fresh / SEALING_KEY).exists():
        write_files(fresh, read_files(folder, OF_THE_BOX))
    keys = ready_keys(fresh)
    issued = _asked(known, keys, clock, entropy)
    root = (folder / ROOT).read_text()
    not_after_ms = check_issued(issued, keys, root=root, domain=facts.fleet_domain)
    is_ours = (issued.site, issued.node) == (facts.site, facts.node)
    if not is_ours or (issued.box != facts.box and not issued.lan_certificate):
        raise AgentError("the centre renewed another node: nothing was changed")
    now = msgspec.structs.replace(
        facts,
        generation=issued.generation,
        box=issued.box,
        brokers=issued.brokers,
        enrolled_ms=issued.issued_ms,
        not_after_ms=not_after_ms,
    )
    write_files(fresh, box_files(issued) | node_files(issued, now, root))
    take_over(state_dir, keep_old=True)
    return issued.generation


def _asked(known: Enrolled, keys: Keys, clock: Clock, entropy: Entropy) -> Issued:
    """Return what the centre gives: by the present certificate, or where it ended by its key."""
    now_ms = clock.wall_ms()
    if not is_before(known.facts, now_ms):  # else a clock that is wrong would renew without end
        try:
            return _by_certificate(known, keys)
        except EndedError:
            pass
        except CentreError:
            if now_ms < known.facts.not_after_ms:
                raise
        except RefusedError as err:
            if err.code != ENDED or now_ms < known.facts.not_after_ms:
                raise
    answer = ask_expired(known, keys, this_box(), entropy)
    if isinstance(answer, Waiting):
        raise AgentError(f"a human decides at the centre (roost enrol list): {answer.reason}")
    return answer


def _by_certificate(known: Enrolled, keys: Keys) -> Issued:
    facts, folder = known.facts, known.folder
    shown = (folder / NODE_CERTIFICATE, folder / NODE_KEY)
    with closing(Centre(Address.parse(facts.centre), shown)) as centre:
        centre.trust((folder / ROOT).read_text(), facts.fleet_domain)
        issued: Issued = centre.post(RENEW_PATH, RenewRequest(keys.csr, __version__), ANSWER)
    return issued
