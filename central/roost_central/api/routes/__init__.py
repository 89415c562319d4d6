"""Everything that is served: dispatch, OpenAPI and the authorisation test read these tables.

One file for each kind of thing; within a file the first route that fits an address answers.
"""

from typing import Final

from roost_central.api.routes import (
    access,
    alarms,
    boards,
    centre,
    enrol,
    ha,
    hosts,
    incidents,
    inventory,
    live,
    logs,
    nodes,
    northbound,
    oidc,
    orders,
    pages,
    profiles,
    releases,
    rollouts,
    saved_views,
    shelves,
    sites,
)

API: Final = (
    *centre.ROUTES,
    *sites.ROUTES,
    *ha.ROUTES,
    *nodes.ROUTES,
    *boards.ROUTES,
    *hosts.ROUTES,
    *inventory.ROUTES,
    *orders.ROUTES,
    *profiles.ROUTES,
    *releases.ROUTES,
    *rollouts.ROUTES,
    *enrol.ROUTES,
    *live.ROUTES,
    *alarms.ROUTES,
    *shelves.ROUTES,
    *incidents.ROUTES,
    *logs.ROUTES,
    *northbound.ROUTES,
    *saved_views.ROUTES,
    *access.ROUTES,
    *oidc.ROUTES,
)
ROUTES: Final = (*API, *pages.ROUTES)
