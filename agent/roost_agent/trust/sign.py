"""``roost-agent sign``: signs a receipt on standard input as this node; a child of the agent.

It signs nothing else: what it reads must be a receipt of this very node, and DOMAIN goes before it.
"""

import sys
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from roost_agent.enrol.keys import load_key
from roost_agent.enrolled import NODE_KEY, STATE_DIR, load
from roost_agent.errors import AgentError
from roost_agent.options import options
from roost_protocol.errors import ProtocolError
from roost_protocol.install_receipt import BODY_BYTES_MAX, DOMAIN, SignedInstall, read_receipt

HELP: Final = """\
usage: roost-agent sign [--state-dir DIR] < RECEIPT

Sign a receipt of an update as this node; the agent does it.

  --state-dir DIR  of the agent  (/var/lib/roost)
"""
DONE: Final = 0


def run(argv: list[str]) -> int:
    """Run one command line and return its exit status."""
    state_dir = Path(options(argv, {"state-dir": STATE_DIR}, HELP)["state-dir"])
    known = load(state_dir)
    if known is None:
        raise AgentError(f"{state_dir}: this box has no identity to sign with")
    body = sys.stdin.buffer.read(BODY_BYTES_MAX + 1)
    me = f"{known.facts.site}.{known.facts.node}"
    try:
        receipt = read_receipt(SignedInstall(body, b""))
        key = load_key(known.folder / NODE_KEY)
    except (ProtocolError, OSError) as err:
        raise AgentError(f"nothing is signed: {err}") from err
    if receipt.node != me:
        raise AgentError(f"nothing is signed: it is a receipt of {receipt.node}, this is {me}")
    sys.stdout.buffer.write(key.sign(DOMAIN + body, ECDSA(SHA256())))
    sys.stdout.buffer.flush()
    return DONE
