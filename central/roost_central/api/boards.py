"""Setting a node's board controller over HTTP, and having it reached.

A password comes in and never goes out: not in an answer, an audit row, a log or an order. What is
set is told to the nodes of the site by boards/keeper.py.
"""

import ssl
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import asdict, replace
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.access.core import ROLES, Permission
from roost_central.api.acts import Reason, act_of, principal_of, telling_refusals
from roost_central.api.answers import Time
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.instants import instant
from roost_central.api.named_node import named_node
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.boards import core
from roost_central.boards.core import BoardRecord, ReachedBy
from roost_central.boards.keeper import BoardKeeper
from roost_central.fleet.view import NodeRow
from roost_central.storage import audit, boards, orders
from roost_protocol.board_lines import BOARDS_MAX
from roost_protocol.boards import (
    BOARDS_OF_A_SITE_MAX,
    CA_CHARS_MAX,
    LOCAL,
    BoardAccess,
    Cipher,
    GroupInterval,
    Host,
    Kind,
    Port,
    Secret,
    SensorSettings,
    Sha256,
    SystemPath,
    User,
    Uuid,
    access_faults,
    settings_faults,
)


class BoardBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A board controller; a password that is left out stays, where nothing else of it changes.

    ``reached_by``: ``site``: its nodes are told, and one reads it; ``centre``: the centre polls it,
    and nobody acts by it.
    """

    host: Host
    user: User = ""
    password: Secret | None = None
    type: Kind = "dynamic"
    port: Port = 443
    ipmi_port: Port = 623
    cipher: Cipher = 3
    uuid: Uuid = ""
    system: SystemPath = ""
    ca: Annotated[str, Meta(max_length=CA_CHARS_MAX)] = ""
    certificate_sha256: Sha256 = ""
    interval_s: GroupInterval = 0
    reached_by: ReachedBy = "site"
    reason: Reason


class BoardReasonBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Reason


class ToldAnswer(msgspec.Struct, frozen=True):
    """What became of telling a node; ``state`` is that of its order."""

    node: str
    state: str
    text: str
    at: Time | None


class BoardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A board controller as it was set, without its password.

    ``host`` and ``user`` are empty for who may only look, and where the nodes' own files have them.
    """

    host: str
    user: str
    has_password: bool
    type: str
    port: int
    ipmi_port: int
    cipher: int
    uuid: str
    system: str
    ca: str
    certificate_sha256: str
    interval_s: int
    reached_by: str
    changed: Time | None
    by: str
    told: list[ToldAnswer]


async def configured(call: Call[Any, Any], row: NodeRow) -> BoardAnswer | None:
    """Return how a controller was set; None: it was not."""
    async with call.api.database.read() as connection:
        record = await boards.find(connection, row.node)
        if record is None:
            return None
        given = await boards.load_given(connection, call.api.view.sites[row.site].nodes)
        placed = await orders.by_ids(connection, [each.order for each in given.values()])
    told = [
        ToldAnswer(
            node,
            str(order.state) if (order := placed.get(each.order)) else "unknown",
            order.text if order else "",
            instant(order.changed_ms) if order else None,
        )
        for node, each in sorted(given.items())
    ]
    access = record.access or BoardAccess(host="-")
    may_see = Permission.HOST in ROLES.get(call.role, ()) and record.access is not None
    if record.reached_by == "centre":
        told = []
    return BoardAnswer(
        host=access.host if may_see else "",
        user=access.user if may_see else "",
        has_password=bool(record.secret),
        type=access.type,
        port=access.port,
        ipmi_port=access.ipmi_port,
        cipher=access.cipher,
        uuid=access.uuid,
        system=access.system,
        ca=access.ca,
        certificate_sha256=access.certificate_sha256,
        interval_s=0 if record.sensors is None else record.sensors.interval_s,
        reached_by=record.reached_by,
        changed=instant(record.changed_ms),
        by=record.by,
        told=told,
    )


async def put_board(call: Call[NoQuery, BoardBody]) -> BoardAnswer:
    """PUT /api/v1/nodes/{node}/bmc."""
    row, body, keeper = named_node(call), call.body, keeper_of(call)
    said = {name: getattr(body, name) for name in BoardAccess.__struct_fields__}
    access = BoardAccess(**said | {"password": ""})
    detail = asdict(access) | {
        "ca": bool(access.ca),
        "interval_s": body.interval_s,
        "reached_by": body.reached_by,
    }
    del detail["password"]
    detail["password"] = "kept" if body.password is None else "new"
    async with (
        telling_refusals(
            call, "bmc.set", row.node, detail, reason=body.reason, codes={"conflict", "invalid"}
        ),
        call.api.database.write() as connection,
    ):
        before = await boards.find(connection, row.node)
        secret = _secret(before, access, body, keeper, row.node)
        known = None if before is None else before.sensors
        sensors = replace(known or SensorSettings(), interval_s=body.interval_s)
        who = principal_of(call).name
        after = BoardRecord(
            row.node, access, secret, sensors, call.now_ms, who, reached_by=body.reached_by
        )
        _check(access, body.password, sensors)
        check_acts(after)
        await check_room(connection, call, row, after)
        await boards.save(connection, after)
        told = note(call, "bmc.set", detail, before=before, after=after)
        await audit.add(connection, told)
    told_of(call, row)
    found = await configured(call, row)
    assert found is not None  # noqa: S101 - it was written just now
    return found


async def delete_board(call: Call[NoQuery, BoardReasonBody]) -> Reply:
    """POST /api/v1/nodes/{node}/bmc:forget."""
    row = named_node(call)
    keeper_of(call)
    async with call.api.database.write() as connection:
        before = await boards.find(connection, row.node)
        if before is None:
            raise ApiError("not-found", f"no board controller of {row.node} was set here")
        await boards.remove(connection, row.node)
        await audit.add(connection, note(call, "bmc.forget", {}, before=before, after=None))
    told_of(call, row)
    return Reply(status=204)


def keeper_of(call: Call[Any, Any]) -> BoardKeeper:
    """Return who keeps what is set.

    Raises:
        ApiError: ``conflict``: this centre has no signer, so no node could be told.
    """
    if call.api.boards is None:
        detail = "this centre has no fleet of its own: [fleet] and [signer] in central.toml"
        raise ApiError("conflict", detail)
    return call.api.boards


def told_of(call: Call[Any, Any], row: NodeRow) -> None:
    """Have whoever reads a site's controllers know that they were set."""
    keeper_of(call).changed(row.site)
    if call.api.poller is not None:
        call.api.poller.changed()


def _secret(
    before: BoardRecord | None,
    access: BoardAccess,
    body: BoardBody,
    keeper: BoardKeeper,
    node: str,
) -> bytes:
    """Return the closed password of what is set.

    Raises:
        ApiError: ``invalid``: one must be given anew.
    """
    if body.password is not None:
        return keeper.vault.close(node, body.password)
    if before is None or not before.secret:
        raise blame("invalid", FieldError("password", "missing", "must be given"))
    if not core.keeps_password(before, access, body.reached_by):
        text = f"must be given anew where one of {', '.join(core.PLACE)}, reached_by changes"
        raise blame("invalid", FieldError("password", "missing", text))
    return before.secret


def _check(access: BoardAccess, password: str | None, sensors: SensorSettings) -> None:
    """Refuse what its bounds let through and is wrong all the same.

    Raises:
        ApiError: ``invalid``.
    """
    if access.host == LOCAL:
        text = "local is for a node's own bmc.toml: the centre tells every node of the site"
        raise blame("invalid", FieldError("host", "local", text))
    shown = replace(access, password="kept" if password is None else password)
    wrong = [FieldError(field, "wrong", text) for field, text in access_faults(shown)]
    wrong += [FieldError(field, "wrong", text) for field, text in settings_faults(sensors)]
    if access.ca:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=access.ca)
        except ssl.SSLError:
            wrong.append(FieldError("ca", "wrong", "is no certificate in PEM"))
    if wrong:
        raise blame("invalid", *wrong)


def check_acts(new: BoardRecord) -> None:
    """Refuse acts of sensors where the centre reads: it knows not how a site's hosts stand.

    Raises:
        ApiError: ``conflict``.
    """
    groups = {} if new.sensors is None else new.sensors.groups
    acting = [group for group, each in groups.items() if each.critical in {"reset", "power-cycle"}]
    if new.reached_by == "centre" and acting:
        text = f"what the centre polls has no machine acted on, and {acting[0]} does: "
        raise ApiError(
            "conflict", text + f"roost bmc group {new.node} {acting[0]} --critical alarm"
        )


async def check_room(
    connection: AsyncConnection, call: Call[Any, Any], row: NodeRow, new: BoardRecord
) -> None:
    """Refuse what the nodes of the site could not be told.

    Raises:
        ApiError: ``conflict``.
    """
    if new.reached_by == "centre":
        if await boards.count_polled(connection, row.node) >= BOARDS_MAX:
            text = f"the centre polls {BOARDS_MAX} board controllers, the most there may be"
            raise ApiError("conflict", text)
        return
    there = await boards.load(connection, call.api.view.sites[row.site].nodes)
    others = [each for each in there if each.node != row.node and each.reached_by == "site"]
    records = [*others, new]
    if len(records) > BOARDS_OF_A_SITE_MAX:
        text = f"{row.site} has {BOARDS_OF_A_SITE_MAX} board controllers, the most there may be"
        raise ApiError("conflict", text)
    if (more := keeper_of(call).excess(records)) > 0:
        text = f"the board controllers of {row.site} are {more} bytes more than an order brings: "
        raise ApiError("conflict", text + "use certificate_sha256 in place of ca")


def note(
    call: Call[Any, Any],
    action: str,
    detail: dict[str, Any],
    *,
    before: BoardRecord | None,
    after: BoardRecord | None,
) -> Act:
    """Return the row of the audit log: what was set, and of a password only whether it is new."""
    return act_of(
        call,
        action,
        named_node(call).node,
        detail,
        reason=call.body.reason,
        before=_shown(before),
        after=_shown(after),
    )


def _shown(record: BoardRecord | None) -> object:
    if record is None:
        return None
    return {
        "access": record.access,
        "sensors": record.sensors,
        "reached_by": record.reached_by,
        "changed_ms": record.changed_ms,
    }
