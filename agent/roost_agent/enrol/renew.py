"""``roost-agent renew``: the next certificate, for a new key, over TLS with the present one.

What is the box's stays as it is: its LAN keys and certificates, its sealing key. The old folder is
kept beside the new one (``identity.old``) until the next renewal.
"""

import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from roost_agent.enrol.centre import Address, Centre
from roost_agent.enrol.check import check_issued
from roost_agent.enrol.files import BROKER_CERTIFICATE, LAN_CA, LAN_CERTIFICATE, node_files
from roost_agent.enrol.folder import open_fresh, read_files, take_over, write_files
from roost_agent.enrol.keys import BROKER_KEY, LAN_KEY, SEALING_KEY, ready_keys
from roost_agent.enrolled import NODE_CERTIFICATE, NODE_KEY, ROOT, STATE_DIR, Enrolled, load
from roost_agent.errors import AgentError
from roost_agent.options import options
from roost_protocol import __version__
from roost_protocol.enrol import Issued, RenewRequest

RENEW_PATH: Final = "/api/v1/renew"
OF_THE_BOX: Final = (LAN_KEY, BROKER_KEY, SEALING_KEY, LAN_CERTIFICATE, LAN_CA, BROKER_CERTIFICATE)
ANSWER: Final[Any] = Issued


def run(argv: list[str]) -> int:
    """Renew the identity; return the exit status."""
    state_dir = Path(options(argv, {"state-dir": STATE_DIR})["state-dir"])
    known = load(state_dir)
    if known is None:
        raise AgentError(f"{state_dir}: this box is no node yet; roost-agent join makes it one")
    try:
        generation = renew(state_dir, known)
    except OSError as err:
        raise AgentError(f"{err.filename or state_dir}: {err.strerror}") from err
    sys.stdout.write(f"renewed: generation {generation}\n")
    return 0


def renew(state_dir: Path, known: Enrolled) -> int:
    """Take the next generation; return its number.

    Raises:
        AgentError: there is none; the present identity is untouched.
        OSError: it cannot be written.
    """
    facts, folder = known.facts, known.folder
    fresh = open_fresh(state_dir)
    if not (fresh / SEALING_KEY).exists():
        write_files(fresh, read_files(folder, OF_THE_BOX))
    keys = ready_keys(fresh)
    root = (folder / ROOT).read_text()
    shown = (folder / NODE_CERTIFICATE, folder / NODE_KEY)
    with closing(Centre(Address.parse(facts.centre), shown)) as centre:
        centre.trust(root, facts.fleet_domain)
        issued: Issued = centre.post(RENEW_PATH, RenewRequest(keys.csr, __version__), ANSWER)
    not_after_ms = check_issued(issued, keys, root=root, domain=facts.fleet_domain)
    if (issued.site, issued.node, issued.box) != (facts.site, facts.node, facts.box):
        raise AgentError("the centre renewed another node: nothing was changed")
    now = msgspec.structs.replace(
        facts,
        generation=issued.generation,
        brokers=issued.brokers,
        enrolled_ms=issued.issued_ms,
        not_after_ms=not_after_ms,
    )
    write_files(fresh, node_files(issued, now, root))
    take_over(state_dir, keep_old=True)
    return issued.generation
