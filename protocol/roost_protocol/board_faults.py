"""What can be wrong with a board controller, by who must act, and what to do about it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

TODO: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unreachable": "look at its address, port, cable and VLAN, from the node that reads it",
        "timeout": "it is there and slow: look at its load and link, or restart the controller",
        "tls": "if it was replaced or has a new certificate, relearn it or set certificate_sha256; "
        "if not, somebody answers in its place",
        "credential": "set user and password anew; some controllers lock an account after a few "
        "wrong ones",
        "rights": "give the account the role Operator",
        "redirect": "set the address that serves Redfish itself: no redirect is followed",
        "garbage": "nothing there speaks Redfish or IPMI as it should: look at the port, or at the "
        "controller's firmware",
        "oversize": "look at the controller's firmware: its answers are longer than any should be",
        "refused": "look at the controller's own log: it was asked rightly and will not",
        "unsupported": "use the other type, or install ipmitool on the node that reads it",
        "machine": "the address belongs to another machine's controller: correct it, or relearn it "
        "where the board was replaced",
        "unconfirmed": "look at the machine: the controller took the order, and reads otherwise",
        "config": "correct what is set for it",
        "child": "see the log of the agent that reads it",
        "stale": "the node that reads it is silent: see its presence",
    }
)


def todo(fault: str) -> str:
    """Return what to do about a fault that begins with its kind; empty: nothing is wrong."""
    return TODO.get(fault.partition(":")[0], "")
