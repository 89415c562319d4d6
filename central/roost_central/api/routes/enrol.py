"""Boxes that ask to be let in, and the claims that let them in."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import enrol
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/enrolments",
        handler=enrol.list_boxes,
        query=enrol.BoxQuery,
        answer=enrol.BoxPage,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="List boxes that wait to be let in",
    ),
    Route(
        method="POST",
        path="/api/v1/enrolments:approve",
        handler=enrol.approve_all,
        body=enrol.MatchBody,
        answer=enrol.BoxPage,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Let in all boxes that match, as many as expected or none",
    ),
    Route(
        method="GET",
        path="/api/v1/enrolments/{enrolment}",
        handler=enrol.show_box,
        answer=enrol.BoxAnswer,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Show a box, and the known one that is most like it",
    ),
    Route(
        method="POST",
        path="/api/v1/enrolments/{enrolment}/approve",
        handler=enrol.approve,
        body=enrol.ApproveBody,
        answer=enrol.BoxAnswer,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Let a box in",
    ),
    Route(
        method="POST",
        path="/api/v1/enrolments/{enrolment}/deny",
        handler=enrol.deny,
        body=enrol.DenyBody,
        answer=enrol.BoxAnswer,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Refuse a box for good",
    ),
    Route(
        method="GET",
        path="/api/v1/claims",
        handler=enrol.list_claims,
        answer=enrol.ClaimPage,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="List by what boxes are let in",
    ),
    Route(
        method="POST",
        path="/api/v1/claims",
        handler=enrol.make_token,
        body=enrol.TokenBody,
        answer=enrol.ClaimAnswer,
        status=201,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Make a token that lets boxes in",
    ),
    Route(
        method="POST",
        path="/api/v1/claims:import",
        handler=enrol.import_claims,
        body=enrol.ImportBody,
        answer=enrol.ClaimPage,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="List serial numbers and keys that are let in",
    ),
    Route(
        method="DELETE",
        path="/api/v1/claims/{claim}",
        handler=enrol.revoke_claim,
        status=204,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Let nobody use a claim any more",
    ),
)
