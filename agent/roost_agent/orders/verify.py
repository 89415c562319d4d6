"""``roost-agent verify order``: is the signed order on standard input by an order key of this node?

A child of the agent, because cryptography costs 8 to 16 MiB. Its exit status is the answer: 0 yes,
1 it cannot say, 3 no, with the reason on standard error. It says nothing of whom an order is for,
what it asks and when: the agent has looked at all of that.
"""

import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from roost_agent.enrolled import FOLDER, STATE_DIR
from roost_agent.errors import AgentError
from roost_agent.options import options
from roost_agent.orders.order_keys import read_keys
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import ORDER_MESSAGE_BYTES_MAX
from roost_protocol.order import ORDER_DOMAIN, OrderKey, read_order, read_signed

HELP = """\
usage: roost-agent verify order [--state-dir DIR] < SIGNED

Say whether the order on standard input is by an order key of this node: 0 yes, 1 it cannot be said,
3 no, and why.

  --state-dir DIR  of the agent  (/var/lib/roost)
"""
GENUINE, UNKNOWN, FORGED = 0, 1, 3


def run(argv: list[str]) -> int:
    """Check what comes on standard input; return the exit status."""
    if argv[:1] != ["order"]:
        raise AgentError("verify what? roost-agent verify order --state-dir DIR < SIGNED")
    folder = Path(options(argv[1:], {"state-dir": STATE_DIR}, HELP)["state-dir"]) / FOLDER
    try:
        keys = read_keys(folder)
    except (OSError, ValueError) as err:
        raise AgentError(f"{folder}: no order keys: {err}") from err
    why = fault(sys.stdin.buffer.read(ORDER_MESSAGE_BYTES_MAX + 1), keys)
    if why:
        sys.stderr.write(f"{why}\n")
    return FORGED if why else GENUINE


def fault(message: bytes, keys: tuple[OrderKey, ...]) -> str:
    """Return why a signed order is not genuine; empty: it is."""
    try:
        signed = read_signed(message)
        order = read_order(signed.order)
    except ProtocolError as err:
        return str(err)
    key = next((each for each in keys if each.key_id == signed.key_id), None)
    if key is None:
        return f"signed by key {signed.key_id}, which this node was not told of"
    if key.until_ms and order.not_before_ms >= key.until_ms:
        return f"signed by key {signed.key_id} after its end"
    try:
        Ed25519PublicKey.from_public_bytes(key.key).verify(
            signed.signature, ORDER_DOMAIN + signed.order
        )
    except InvalidSignature:
        return f"the signature is not of key {signed.key_id} over these bytes"
    return ""
