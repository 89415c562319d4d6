"""The listener that boxes come to: a table of its own, for nothing else is served there."""

from typing import Final

from roost_central.api import enrolling
from roost_central.api.route import Auth, Route
from roost_protocol.enrol import (
    ENROL_BYTES_MAX,
    Activation,
    EnrolRequest,
    Hello,
    Issued,
    RenewRequest,
    TicketRequest,
)

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/enrol/hello",
        handler=enrolling.hello,
        query=enrolling.HelloQuery,
        answer=Hello,
        auth=Auth.NONE,
        summary="Say whose centre this is, and give a nonce",
    ),
    Route(
        method="POST",
        path="/api/v1/enrol",
        handler=enrolling.enrol,
        body=EnrolRequest,
        body_bytes_max=ENROL_BYTES_MAX,
        answer=Issued,
        auth=Auth.NONE,
        summary="Ask to become a node",
    ),
    Route(
        method="POST",
        path="/api/v1/enrol/activate",
        handler=enrolling.activate,
        body=Activation,
        body_bytes_max=ENROL_BYTES_MAX,
        answer=Issued,
        auth=Auth.NONE,
        summary="Answer for the TPM of a box that asks to become a node",
    ),
    Route(
        method="POST",
        path="/api/v1/enrol/expired",
        handler=enrolling.expired,
        body=EnrolRequest,
        body_bytes_max=ENROL_BYTES_MAX,
        answer=Issued,
        auth=Auth.NONE,
        summary="Ask to be a node again after the certificate ended",
    ),
    Route(
        method="POST",
        path="/api/v1/enrol/ticket",
        handler=enrolling.ticket,
        body=TicketRequest,
        body_bytes_max=ENROL_BYTES_MAX,
        answer=Issued,
        auth=Auth.NONE,
        summary="Ask whether somebody decided",
    ),
    Route(
        method="POST",
        path="/api/v1/renew",
        handler=enrolling.renew,
        body=RenewRequest,
        body_bytes_max=ENROL_BYTES_MAX,
        answer=Issued,
        auth=Auth.NODE,
        summary="Ask for the next certificate",
    ),
)
