"""``roost-agent renew``: the next certificate, for a new key, over TLS with the present one.

Where the present one has ended, its key signs for the node (expired.py). Whether it has, and if it
is time at all, is the centre's clock's to say: this node's may be years off, and would renew each
new identity as soon as it is there, or none ever.

What is the box's stays as it is: its LAN keys and certificates, its sealing key. The old folder is
kept beside the new one (``identity.old``) until the next renewal.
"""

import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from roost_agent.enrol.box import this_box
from roost_agent.enrol.centre import Address, Centre, EndedError, RefusedError
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
from roost_agent.errors import AgentError, ConfigError
from roost_agent.options import options
from roost_agent.ports import Entropy, SystemEntropy
from roost_agent.renewal import DUE, NOW, first_ms
from roost_protocol import __version__
from roost_protocol.enrol import NONCE_BYTES, Issued, RenewRequest, Waiting

HELP: Final = """\
usage: roost-agent renew [--state-dir DIR] [--when now|due]

Get the next certificate of this node.

  --state-dir DIR  of the agent                     (/var/lib/roost)
  --when now|due   at once, or only if it is due    (now)
"""
RENEW_PATH: Final = "/api/v1/renew"
OF_THE_BOX: Final = (LAN_KEY, BROKER_KEY, SEALING_KEY, LAN_CERTIFICATE, LAN_CA, BROKER_CERTIFICATE)
ANSWER: Final[Any] = Issued
KEY_USED: Final = "key-used"


def run(argv: list[str]) -> int:
    """Renew the identity; return the exit status."""
    asked = options(argv, {"state-dir": STATE_DIR, "when": NOW}, HELP)
    state_dir, when = Path(asked["state-dir"]), asked["when"]
    if when not in {NOW, DUE}:
        raise ConfigError([f"--when {when}: {NOW} or {DUE}"])
    known = load(state_dir)
    if known is None:
        raise AgentError(f"{state_dir}: this box is no node yet; roost-agent join makes it one")
    try:
        generation = renew(state_dir, known, SystemEntropy(), when)
    except OSError as err:
        raise AgentError(f"{err.filename or state_dir}: {err.strerror}") from err
    sys.stdout.write(f"renewed: generation {generation}\n")
    return 0


def renew(state_dir: Path, known: Enrolled, entropy: Entropy, when: str) -> int:
    """Take the next generation; return its number.

    A key that the centre knows already, and gives nothing for, is of an attempt whose answer got
    lost long ago: it is made anew, once.

    Raises:
        AgentError: there is none; the present identity is untouched.
        OSError: it cannot be written.
    """
    try:
        return _next(state_dir, known, entropy, when)
    except RefusedError as err:
        if err.code != KEY_USED:
            raise
    open_fresh(state_dir, anew=True)
    return _next(state_dir, known, entropy, when)


def _next(state_dir: Path, known: Enrolled, entropy: Entropy, when: str) -> int:
    facts, folder = known.facts, known.folder
    fresh = open_fresh(state_dir)
    carry_over(folder, fresh)
    keys = ready_keys(fresh)
    issued = _asked(known, keys, entropy, when)
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


def carry_over(folder: Path, fresh: Path) -> None:
    """Have what is the box's be in the fresh folder as in the present one.

    Whatever is there already: an attempt may have been cut off in the middle of this, or it was a
    join with --new-key that nobody decided on, whose keys fit no certificate of this node.

    Raises:
        OSError: it cannot be.
    """
    kept = read_files(folder, OF_THE_BOX)
    for name in OF_THE_BOX:
        if name not in kept:
            (fresh / name).unlink(missing_ok=True)
    write_files(fresh, kept)


def _asked(known: Enrolled, keys: Keys, entropy: Entropy, when: str) -> Issued:
    """Return what the centre gives: by the present certificate, or where it ended by its key."""
    facts, now_ms = known.facts, _centre_ms(known, entropy)
    if when == DUE and now_ms < first_ms(facts):
        raise AgentError("not due yet by the centre's clock: set the clock of this node")
    if now_ms < facts.not_after_ms:
        with suppress(EndedError):  # in the same moment
            return _by_certificate(known, keys)
    answer = ask_expired(known, keys, this_box(), entropy)
    if isinstance(answer, Waiting):
        raise AgentError(f"a human decides at the centre (roost enrol list): {answer.reason}")
    return answer


def _centre_ms(known: Enrolled, entropy: Entropy) -> int:
    """Return what time it is (UTC ms), as the fleet's own centre says."""
    with closing(Centre(Address.parse(known.facts.centre))) as centre:
        centre.trust((known.folder / ROOT).read_text(), known.facts.fleet_domain)
        return centre.hello(entropy.token(NONCE_BYTES)).time_ms


def _by_certificate(known: Enrolled, keys: Keys) -> Issued:
    facts, folder = known.facts, known.folder
    shown = (folder / NODE_CERTIFICATE, folder / NODE_KEY)
    with closing(Centre(Address.parse(facts.centre), shown)) as centre:
        centre.trust((folder / ROOT).read_text(), facts.fleet_domain)
        issued: Issued = centre.post(RENEW_PATH, RenewRequest(keys.csr, __version__), ANSWER)
    return issued
