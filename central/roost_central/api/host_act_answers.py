"""The shapes of acts on hosts: what may be done, what is in the way, and what came of asking."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_central.api.orders import OrderAnswer
from roost_protocol.host_verbs import HOST_MAINTENANCE_S_MAX
from roost_protocol.limits import ORDER_REASON_CHARS_MAX
from roost_protocol.patterns import ONE_LINE

EXPECTED_CHARS_MAX: Final = 16  # of a word of X.731

Word = Annotated[str, Meta(max_length=EXPECTED_CHARS_MAX)]


class BlockerAnswer(msgspec.Struct, frozen=True):
    """One thing in the way; ``can_force``: force goes past it. ``todo`` is what to do next."""

    code: str
    text: str
    todo: str
    can_force: bool


class EffectAnswer(msgspec.Struct, frozen=True):
    """One thing that it would do beside: ``moves``, ``stops``, or of the ``site``."""

    kind: str
    text: str
    services: list[str]


class ActionAnswer(msgspec.Struct, frozen=True):
    """One action and whether it may be done now.

    Attributes:
        allowed: nothing is in the way; ``forcible``: force goes past all that is.
        needs_confirm: the node's id has to be said once more, as it has with force.
        receiver: the node that is ordered; None: the centre does it by itself.
    """

    action: str
    title: str
    allowed: bool
    forcible: bool
    needs_confirm: bool
    receiver: str | None
    blockers: list[BlockerAnswer]
    effects: list[EffectAnswer]


class ActionPage(msgspec.Struct, frozen=True):
    """All actions on a host, and what to expect of it (``expect``) when one is asked for.

    Attributes:
        generation: of its identity; None: it has none.
    """

    node: str
    admin: str | None
    oper: str | None
    avail: str | None
    generation: int | None
    items: list[ActionAnswer]
    next: str | None = None


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state that it was decided on; what is left out is not looked at."""

    admin: Word | None = None
    oper: Word | None = None
    avail: Word | None = None
    generation: Annotated[int, Meta(ge=1)] | None = None


class HostActBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, on which state it was decided, and for force the node's id once more.

    Attributes:
        confirm: the node's id; needed with ``force``, and by some actions always.
        seconds: of a maintenance, 0 ends it; other actions have none.
        image: of a reinstall: ``COMPONENT@VERSION`` of a release, or the digest of its manifest.
    """

    reason: Annotated[str, Meta(min_length=1, max_length=ORDER_REASON_CHARS_MAX, pattern=ONE_LINE)]
    expect: Expected = Expected()
    confirm: Annotated[str, Meta(max_length=80)] = ""
    force: bool = False
    seconds: Annotated[int, Meta(ge=0, le=HOST_MAINTENANCE_S_MAX)] | None = None
    image: Annotated[str, Meta(max_length=140)] = ""


class HostActAnswer(msgspec.Struct, frozen=True):
    """What was asked for.

    Attributes:
        order: that does it; None of a dry run, and of ``delete``, which is done.
        forced: what force went past.
        ended: identities that were revoked.
    """

    node: str
    action: str
    order: OrderAnswer | None
    forced: list[BlockerAnswer]
    effects: list[EffectAnswer]
    ended: int = 0
