"""Networks as bytes, for the journal."""

from typing import Final

import msgspec

from roost_agent.config_apply.network.state import Interface, State

_states: Final = msgspec.msgpack.Decoder(State)
_interfaces: Final = msgspec.msgpack.Decoder(Interface)


def dump(one: State | Interface) -> bytes:
    """Return the bytes of a network or of an interface, the same ones each time."""
    return msgspec.msgpack.encode(one, order="deterministic")


def load(raw: bytes) -> State:
    """Return the network in these bytes.

    Raises:
        msgspec.MsgspecError: they make no sense.
    """
    return _states.decode(raw)


def interface(raw: bytes) -> Interface:
    """Return the interface in these bytes.

    Raises:
        msgspec.MsgspecError: they make no sense.
    """
    return _interfaces.decode(raw)
