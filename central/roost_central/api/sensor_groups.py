"""How the sensors of a node's board controller count, by group, over HTTP."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from roost_central.api.acts import Reason, principal_of, telling_refusals
from roost_central.api.boards import check_acts, check_room, keeper_of, note, told_of
from roost_central.api.call import Call, NoQuery
from roost_central.api.named_node import named_node
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.boards.core import BoardRecord
from roost_central.storage import audit, bmc_reports, boards
from roost_protocol.boards import (
    SENSORS_MAX,
    Action,
    Group,
    GroupInterval,
    GroupSettings,
    Mild,
    SensorSettings,
    Text,
    settings_faults,
)


class GroupBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What changes of a group; what is left out stays. ``sensors``: suppress or not, by key."""

    minor: Mild | None = None
    major: Mild | None = None
    critical: Action | None = None
    suppress: bool | None = None
    interval_s: GroupInterval | None = None
    sensors: Annotated[dict[Text, bool], Meta(max_length=SENSORS_MAX)] = {}
    reason: Reason


class GroupAnswer(msgspec.Struct, frozen=True):
    """How a group's sensors count; ``is_set``: it was said here, else a node's file may say it."""

    group: str
    minor: str
    major: str
    critical: str
    suppress: bool
    interval_s: int
    is_set: bool
    sensors: int
    suppressed: list[str]


class GroupsAnswer(msgspec.Struct, frozen=True):
    """All groups of a node's board controller."""

    node: str
    items: list[GroupAnswer]


async def list_groups(call: Call[Any, Any]) -> GroupsAnswer:
    """GET /api/v1/nodes/{node}/sensor-groups."""
    row = named_node(call)
    async with call.api.database.read() as connection:
        record = await boards.find(connection, row.node)
        told = await bmc_reports.find(connection, row.node)
    sensors = [] if told is None else told.report.sensors
    settings = (record.sensors if record else None) or SensorSettings()
    items = []
    for group in Group:
        mine = [each.key for each in sensors if each.group == group]
        one = settings.groups.get(group, GroupSettings())
        items.append(
            GroupAnswer(
                group=group.value,
                minor=one.minor,
                major=one.major,
                critical=one.critical,
                suppress=one.suppress,
                interval_s=one.interval_s,
                is_set=group in settings.groups,
                sensors=len(mine),
                suppressed=[key for key in settings.suppress if key in mine],
            )
        )
    return GroupsAnswer(row.node, items)


async def patch_group(call: Call[NoQuery, GroupBody]) -> GroupsAnswer:
    """PATCH /api/v1/nodes/{node}/sensor-groups/{group}."""
    row, body = named_node(call), call.body
    keeper_of(call)
    group = _group(call.path("group"))
    said = {
        name: value
        for name in GroupSettings.__struct_fields__
        if (value := getattr(body, name)) is not None
    }
    detail = {"group": group.value, "sensors": body.sensors} | said
    async with (
        telling_refusals(
            call, "bmc.group", row.node, detail, reason=body.reason, codes={"conflict", "invalid"}
        ),
        call.api.database.write() as connection,
    ):
        before = await boards.find(connection, row.node)
        known = (None if before is None else before.sensors) or SensorSettings()
        one = replace(known.groups.get(group, GroupSettings()), **said)
        left = [key for key in known.suppress if body.sensors.get(key) is not False]
        more = [key for key, is_off in body.sensors.items() if is_off and key not in left]
        if len(left) + len(more) > SENSORS_MAX:
            raise blame("invalid", FieldError("sensors", "many", f"bound {SENSORS_MAX}"))
        sensors = replace(known, groups=known.groups | {group: one}, suppress=left + more)
        if wrong := next(settings_faults(sensors), None):
            raise blame("invalid", FieldError(wrong[0].rpartition(".")[2], "wrong", wrong[1]))
        after = BoardRecord(
            row.node,
            None if before is None else before.access,
            b"" if before is None else before.secret,
            sensors,
            call.now_ms,
            principal_of(call).name,
            reached_by="site" if before is None else before.reached_by,
        )
        check_acts(after)
        await check_room(connection, call, row, after)
        await boards.save(connection, after)
        told = note(call, "bmc.group", detail, before=before, after=after)
        await audit.add(connection, told)
    told_of(call, row)
    return await list_groups(call)


def _group(text: str) -> Group:
    try:
        return Group(text)
    except ValueError as err:
        names = ", ".join(Group)
        raise ApiError("not-found", f"there is no group {text[:32]!r}: {names}") from err
