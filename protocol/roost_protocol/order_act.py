"""What each verb of an order is: a class with its arguments, flat, and words about it."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from roost_protocol.limits import NAME_CHARS_MAX, ORDER_TEXT_CHARS_MAX

Scalar = bool | int | Annotated[str, Meta(max_length=ORDER_TEXT_CHARS_MAX)]
NameText = Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be done.

    Attributes:
        verb: its name on the wire.
        title: what it does, in a sentence for people.
        needs_reason: it interrupts what the node does, so somebody has to say why.
        is_by_hand: people order it; False: the centre does by itself.
        is_for_box: it is meant for the box that stood there: one that replaced it gets none of it.
        done_s_max: how long it may take once it was taken; without a word until then it failed.
    """

    verb: ClassVar[str]
    title: ClassVar[str]
    needs_reason: ClassVar[bool] = False
    is_by_hand: ClassVar[bool] = True
    is_for_box: ClassVar[bool] = False
    done_s_max: ClassVar[int] = 86_400
