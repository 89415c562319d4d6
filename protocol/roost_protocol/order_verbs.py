"""The closed list of what a node may be ordered to do, each verb with its arguments.

One class a verb: centre, signer and node read the same list. To add one, write its class here and
its act on the node (``roost_agent/orders/verbs``). Arguments are flat: text, whole numbers, yes and
no, so that there is no depth to be wrong about.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from roost_protocol.board_verbs import BOARD_VERBS
from roost_protocol.errors import ProtocolError
from roost_protocol.host_verbs import HOST_VERBS
from roost_protocol.limits import NAME_CHARS_MAX, ORDER_TEXT_CHARS_MAX
from roost_protocol.order_act import Act, NameText, Scalar
from roost_protocol.patterns import END
from roost_protocol.update_verbs import UpdateCancel, UpdateOffer

MAINTENANCE_S_MAX: Final = 86_400  # what is forgotten ends within a day
DIGEST_PATTERN: Final = r"^[0-9a-f]{64}" + END  # BLAKE2b of 32 bytes
DESIRED_PATTERN: Final = r"^[1-9][0-9]{0,14}" + END  # a generation, 1 and up


class RefreshInventory(Act, frozen=True):
    """Look at the hardware; ``classes`` are names with commas between them, empty for all."""

    verb: ClassVar[str] = "refresh-inventory"
    title: ClassVar[str] = "Discover the hardware now, all of it or some classes."
    classes: Annotated[
        str, Meta(max_length=ORDER_TEXT_CHARS_MAX, pattern=r"^([a-z_]+(,[a-z_]+)*)?" + END)
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


class Configure(Act, frozen=True):
    """Be what the profiles say: the order's body holds the settings (profile/document.py).

    Attributes:
        digest: of the body (``order.body_digest``), which is that of the settings.
        desired: the generation that these settings are of this node, in decimal digits.
    """

    verb: ClassVar[str] = "configure"
    title: ClassVar[str] = "Make the node what its profiles say."
    is_by_hand: ClassVar[bool] = False
    digest: Annotated[str, Meta(pattern=DIGEST_PATTERN)]
    desired: Annotated[str, Meta(pattern=DESIRED_PATTERN)]


VERBS: Final[Mapping[str, type[Act]]] = MappingProxyType(
    {
        each.verb: each
        for each in (
            RefreshInventory,
            Resync,
            RenewIdentity,
            HaSwitchover,
            HaMaintenance,
            Reboot,
            Configure,
            UpdateOffer,
            UpdateCancel,
        )
    }
    | dict(HOST_VERBS)
    | dict(BOARD_VERBS)
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
        known = ", ".join(_arguments(kind)) or "no arguments"
        raise ProtocolError(
            "given", field=field, bound=f"{verb} takes {known}", detail=text
        ) from err


def _arguments(kind: type[Act]) -> Iterator[str]:
    """Give what a verb takes, and the words where only some will do."""
    for name in kind.__struct_fields__:
        asked: Any = next(  # a field stands in the class that has it, or in one that it is made of
            each.__annotations__[name] for each in kind.__mro__ if name in each.__annotations__
        )
        words = ", ".join(get_args(asked)) if get_origin(asked) is Literal else ""
        yield f"{name} ({words})" if words else name


def given_of(act: Act) -> dict[str, Scalar]:
    """Return the arguments of an act by name, all of them."""
    return {name: getattr(act, name) for name in act.__struct_fields__}
