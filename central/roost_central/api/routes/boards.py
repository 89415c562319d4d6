"""Board controllers: setting them, having them reached, and how their sensors count."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import bmc, board_reach, boards, sensor_groups
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/nodes/{node}/bmc",
        handler=bmc.show_bmc,
        answer=bmc.BmcAnswer,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show a node's board controller",
    ),
    Route(
        method="PUT",
        path="/api/v1/nodes/{node}/bmc",
        handler=boards.put_board,
        body=boards.BoardBody,
        answer=boards.BoardAnswer,
        auth=Auth.BEARER,
        permission=Permission.ADMIN,
        summary="Set a node's board controller: its password is sealed to the nodes of the site",
    ),
    Route(
        method="POST",
        path="/api/v1/nodes/{node}/bmc:forget",
        handler=boards.delete_board,
        body=boards.BoardReasonBody,
        status=204,
        auth=Auth.BEARER,
        permission=Permission.ADMIN,
        summary="Forget a node's board controller, here and on the nodes of the site",
    ),
    Route(
        method="POST",
        path="/api/v1/nodes/{node}/bmc:test",
        handler=board_reach.test_board,
        answer=board_reach.BoardOrderAnswer,
        status=202,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Have the node that reads it reach a board controller, and say what is wrong",
    ),
    Route(
        method="POST",
        path="/api/v1/nodes/{node}/bmc:relearn",
        handler=board_reach.relearn_board,
        body=boards.BoardReasonBody,
        answer=board_reach.BoardOrderAnswer,
        status=202,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Learn a board controller anew, its certificate and sensors; settings stay",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes/{node}/sensors",
        handler=bmc.list_sensors,
        answer=bmc.SensorsAnswer,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show the sensors of a node's board controller",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes/{node}/sensor-groups",
        handler=sensor_groups.list_groups,
        answer=sensor_groups.GroupsAnswer,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show how the sensors of a node's board controller count",
    ),
    Route(
        method="PATCH",
        path="/api/v1/nodes/{node}/sensor-groups/{group}",
        handler=sensor_groups.patch_group,
        body=sensor_groups.GroupBody,
        answer=sensor_groups.GroupsAnswer,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Change how a group of sensors counts: interval, actions, suppression",
    ),
)
