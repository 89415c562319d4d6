"""Boxes that ask to be let in, and the claims that let them in."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import claims, enrolments
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/enrolments",
        handler=enrolments.list_boxes,
        query=enrolments.BoxQuery,
        answer=enrolments.BoxPage,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="List boxes that wait to be let in",
    ),
    Route(
        method="POST",
        path="/api/v1/enrolments:approve",
        handler=enrolments.approve_all,
        body=enrolments.MatchBody,
        answer=enrolments.BoxPage,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Let in all boxes that match, as many as expected or none",
    ),
    Route(
        method="GET",
        path="/api/v1/enrolments/{enrolment}",
        handler=enrolments.show_box,
        answer=enrolments.BoxAnswer,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Show a box, and the known one that is most like it",
    ),
    Route(
        method="POST",
        path="/api/v1/enrolments/{enrolment}/approve",
        handler=enrolments.approve,
        body=enrolments.ApproveBody,
        answer=enrolments.BoxAnswer,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Let a box in",
    ),
    Route(
        method="POST",
        path="/api/v1/enrolments/{enrolment}/deny",
        handler=enrolments.deny,
        body=enrolments.DenyBody,
        answer=enrolments.BoxAnswer,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Refuse a box for good",
    ),
    Route(
        method="GET",
        path="/api/v1/claims",
        handler=claims.list_claims,
        answer=claims.ClaimPage,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="List by what boxes are let in",
    ),
    Route(
        method="POST",
        path="/api/v1/claims",
        handler=claims.make_token,
        body=claims.TokenBody,
        answer=claims.ClaimAnswer,
        status=201,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Make a token that lets boxes in",
    ),
    Route(
        method="POST",
        path="/api/v1/claims:import",
        handler=claims.import_claims,
        body=claims.ImportBody,
        answer=claims.ClaimPage,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="List serial numbers and keys that are let in",
    ),
    Route(
        method="DELETE",
        path="/api/v1/claims/{claim}",
        handler=claims.revoke_claim,
        status=204,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Let nobody use a claim any more",
    ),
)
