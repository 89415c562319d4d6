"""What boxes that wait and claims have in common: what the caller sees, and what an act answers.

What is decided is written by enrol/queue.py and enrol/claim_desk.py, together with its audit row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.api.acts import act_of
from roost_central.api.call import Call
from roost_central.api.problem import ApiError, FieldError
from roost_central.api.sites import no_name, site_name
from roost_central.enrol.note import Note
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.states import TransitionError
from roost_central.errors import NotFoundError
from roost_central.storage import audit
from roost_protocol.errors import ProtocolError
from roost_protocol.topics import node_id, split_node_id

Name = Annotated[str, Meta(max_length=32)]


def sees(call: Call[Any, Any], site: str) -> bool:
    """Whether the caller's scope holds what belongs to a site; empty: it belongs to none yet."""
    return call.api.alarms.sees(site or None)


def note_of(call: Call[Any, Any]) -> Note:
    """Return what writes the audit row of an act, in the act's transaction."""

    async def note(
        connection: AsyncConnection, action: str, about: str, detail: dict[str, Any]
    ) -> None:
        reason = str(detail.get("reason", ""))
        await audit.add(connection, act_of(call, action, about, detail, reason=reason))

    return note


def check_slot(call: Call[Any, Any], site: str, node: str) -> None:
    """Refuse a slot that cannot be, or that is of a site which the caller may not see.

    Raises:
        ApiError: ``invalid`` or ``not-found``.
    """
    site_name(site)
    if not sees(call, site):
        raise _missing(NotFoundError("site", got=site))
    try:
        if node:
            node_id(site, node)
    except ProtocolError as err:
        raise no_name(err) from None


def slot_of(call: Call[Any, Any], text: str) -> tuple[str, str]:
    """Return site and node of a slot that the caller may see.

    Raises:
        ApiError: ``invalid`` or ``not-found``.
    """
    try:
        site, node = split_node_id(text)
    except ProtocolError as err:
        raise no_name(err) from None
    check_slot(call, site, node)
    return site, node


@contextmanager
def problems() -> Iterator[None]:
    """Answer what the queue refuses with a problem: ``not-found`` or ``conflict``."""
    try:
        yield
    except NotFoundError as err:
        raise _missing(err) from None
    except (RefusedError, TransitionError) as err:
        code = err.code if isinstance(err, RefusedError) else "state"
        error = FieldError("enrolment", code, str(err))
        raise ApiError("conflict", str(err), errors=[error]) from None


def _missing(err: NotFoundError) -> ApiError:
    return ApiError("not-found", f"there is no {err.code} {str(err.got)[:64]!r}")
