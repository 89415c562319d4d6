"""The closed list of what a node may be ordered to do, each verb with its arguments.

One class a verb: centre, signer and node read the same list. To add one, write its class here and
its act on the node (``roost_agent/orders/verbs``). Arguments are flat: text, whole numbers, yes and
no, so that there is no depth to be wrong about.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from roost_protocol.errors import ProtocolError
from roost_protocol.limits import NAME_CHARS_MAX, ORDER_TEXT_CHARS_MAX

MAINTENANCE_S_MAX: Final = 86_400  # what is forgotten ends within a day

Scalar = bool | int | Annotated[str, Meta(max_length=ORDER_TEXT_CHARS_MAX)]
NameText = Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be done.

    Attributes:
        verb: its name on the wire.
        title: what it does, in a sentence for people.
        needs_reason: it interrupts what the node does, so somebody has to say why.
    """

    verb: ClassVar[str]
    title: ClassVar[str]
    needs_reason: ClassVar[bool] = False


class RefreshInventory(Act, frozen=True):
    """Look at the hardware; ``classes`` are names with commas between them, empty for all."""

    verb: ClassVar[str] = "refresh-inventory"
    title: ClassVar[str] = "Discover the hardware now, all of it or some classes."
    classes: Annotated[
        str, Meta(max_length=ORDER_TEXT_CHARS_MAX, pattern=r"^([a-z_]+(,[a-z_]+)*)?$")
    ] = ""


class Resync(Act, frozen=True):
    """Say again in full what the centre should have."""

    verb: ClassVar[str] = "resync"
    title: ClassVar[str] = "Tell alarms and inventory again in full."
    what: Literal["all", "alarms", "inventory"] = "all"


class RenewIdentity(Act, frozen=True):
    """Take the next certificate and report key, with a new key of one's own."""

    verb: ClassVar[str] = "renew-identity"
    title: ClassVar[str] = "Renew certificate and keys; the agent starts anew."


class HaSwitchover(Act, frozen=True):
    """Give a group to another host, in order; ``to`` empty: the first that could have it."""

    verb: ClassVar[str] = "ha-switchover"
    title: ClassVar[str] = "Give a group that runs on this node to another node of the site."
    needs_reason: ClassVar[bool] = True
    group: NameText
    to: Annotated[str, Meta(max_length=NAME_CHARS_MAX)] = ""


class HaMaintenance(Act, frozen=True):
    """No candidacy of this node for a group for a while, and no watch; 0 seconds end it."""

    verb: ClassVar[str] = "ha-maintenance"
    title: ClassVar[str] = (
        "Neither watch a group on this node nor let it come here for a while; 0 ends it."
    )
    group: NameText
    seconds: Annotated[int, Meta(ge=0, le=MAINTENANCE_S_MAX)]


class Reboot(Act, frozen=True):
    """Restart the machine, by roost-helper and within its budget."""

    verb: ClassVar[str] = "reboot"
    title: ClassVar[str] = "Restart the machine: at most two ordered reboots in 24 hours."
    needs_reason: ClassVar[bool] = True


VERBS: Final[Mapping[str, type[Act]]] = MappingProxyType(
    {
        each.verb: each
        for each in (RefreshInventory, Resync, RenewIdentity, HaSwitchover, HaMaintenance, Reboot)
    }
)


def act_of(verb: str, given: Mapping[str, Any], *, is_typed: bool = True) -> Act:
    """Return the act of a verb and its arguments.

    Args:
        verb: a name of VERBS.
        given: arguments by name.
        is_typed: numbers come as numbers; False: text that says one will do, as a person types it.

    Raises:
        ProtocolError: ``verb`` or ``given``, naming what is wrong and what there is.
    """
    kind = VERBS.get(verb)
    if kind is None:
        raise ProtocolError("verb", field="verb", got=verb, bound=f"one of {', '.join(VERBS)}")
    try:
        return msgspec.convert(dict(given), kind, strict=is_typed)
    except msgspec.ValidationError as err:
        text, _, where = str(err).partition(" - at `")
        field = where.rstrip("`").removeprefix("$.") or "given"
        known = ", ".join(kind.__struct_fields__) or "no arguments"
        raise ProtocolError(
            "given", field=field, bound=f"{verb} takes {known}", detail=text
        ) from err


def given_of(act: Act) -> dict[str, Scalar]:
    """Return the arguments of an act by name, all of them."""
    return {name: getattr(act, name) for name in act.__struct_fields__}
