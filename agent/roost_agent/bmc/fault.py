"""What can be wrong with a board controller, by who must act; texts carry no secret."""

from enum import StrEnum


class Fault(StrEnum):
    """The kind of a failed access.

    ``unreachable``, ``timeout``: nobody answers, or too slowly. ``tls``: it is not the controller
    that was learned. ``credential``: it refuses ours. ``rights``: the account may not.
    ``redirect``, ``garbage``, ``oversize``: it answers what no controller should. ``refused``: it
    will not. ``unsupported``: it cannot.
    ``machine``: it controls another machine. ``unconfirmed``: it took the order, and what is read
    afterwards says otherwise. ``config``: our own file is wrong. ``child``: our own child failed.
    """

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    CREDENTIAL = "credential"
    RIGHTS = "rights"
    REDIRECT = "redirect"
    GARBAGE = "garbage"
    OVERSIZE = "oversize"
    REFUSED = "refused"
    UNSUPPORTED = "unsupported"
    MACHINE = "machine"
    UNCONFIRMED = "unconfirmed"
    CONFIG = "config"
    CHILD = "child"


class BmcError(Exception):
    """An access to a board controller that did not do what it was for.

    Args:
        fault: its kind.
        text: a sentence for the operator.
    """

    def __init__(self, fault: Fault, text: str) -> None:
        self.fault = fault
        super().__init__(text)
