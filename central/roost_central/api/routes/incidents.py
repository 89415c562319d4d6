"""Incidents, and what operators do with them."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import incidents
from roost_central.api.incident_answers import Incident
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/incidents",
        handler=incidents.list_incidents,
        query=incidents.IncidentQuery,
        answer=incidents.IncidentPage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List incidents",
    ),
    Route(
        method="GET",
        path="/api/v1/incidents/{incident}",
        handler=incidents.show_incident,
        answer=Incident,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show an incident",
    ),
    Route(
        method="POST",
        path="/api/v1/incidents/{incident}:ack",
        handler=incidents.ack,
        body=incidents.IncidentAckBody,
        answer=Incident,
        auth=Auth.BEARER,
        permission=Permission.ALARM,
        summary="Acknowledge an incident with all its alarms",
    ),
    Route(
        method="POST",
        path="/api/v1/incidents/{incident}:note",
        handler=incidents.note,
        body=incidents.IncidentNoteBody,
        answer=Incident,
        auth=Auth.BEARER,
        permission=Permission.ALARM,
        summary="Add a note to an incident",
    ),
    Route(
        method="POST",
        path="/api/v1/incidents/{incident}:close",
        handler=incidents.close,
        body=incidents.IncidentCloseBody,
        answer=Incident,
        auth=Auth.BEARER,
        permission=Permission.ALARM,
        summary="End an incident by hand",
    ),
    Route(
        method="POST",
        path="/api/v1/incidents/{incident}:split",
        handler=incidents.split,
        body=incidents.IncidentSplitBody,
        answer=Incident,
        auth=Auth.BEARER,
        permission=Permission.ALARM,
        summary="Make some alarms of an incident an incident of their own",
    ),
)
