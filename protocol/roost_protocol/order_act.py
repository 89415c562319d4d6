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
        by_two: two people stand behind it, whatever the signer's policy says; the node checks.
        life_s_max: how long an order of it may count, by node and signer; 0: as the policy says.
        ends_with_box: the node's word that it did its part is not the end: that is another box in
            the slot of ``node``.
        done_s_max: how long it may take once it was taken; without a word until then it failed.
    """

    verb: ClassVar[str]
    title: ClassVar[str]
    needs_reason: ClassVar[bool] = False
    is_by_hand: ClassVar[bool] = True
    is_for_box: ClassVar[bool] = False
    by_two: ClassVar[bool] = False
    life_s_max: ClassVar[int] = 0
    ends_with_box: ClassVar[bool] = False
    done_s_max: ClassVar[int] = 86_400
