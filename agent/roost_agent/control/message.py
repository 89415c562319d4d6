"""Requests and answers of the control socket: one JSON line each."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from roost_protocol.limits import PATH_NAME_CHARS_MAX

REQUEST_BYTES_MAX: Final = 4_096
ANSWER_BYTES_MAX: Final = 1 << 20
HOLD_S_MAX: Final = 86_400  # a path that is forgotten on hold comes back within a day
CLASSES_MAX: Final = 64

PathName = Annotated[str, Meta(max_length=PATH_NAME_CHARS_MAX)]


class Status(msgspec.Struct, tag_field="do", tag="status", forbid_unknown_fields=True):
    """How is it?"""


class PathHold(msgspec.Struct, tag_field="do", tag="path-hold", forbid_unknown_fields=True):
    """Take a path out of service for a while."""

    path: PathName
    seconds: Annotated[int, Meta(ge=1, le=HOLD_S_MAX)]


class PathRelease(msgspec.Struct, tag_field="do", tag="path-release", forbid_unknown_fields=True):
    """End a hold."""

    path: PathName


class Reprobe(msgspec.Struct, tag_field="do", tag="reprobe", forbid_unknown_fields=True):
    """Look at the hardware now."""

    classes: Annotated[
        list[Annotated[str, Meta(pattern="^[a-z_]{1,32}$")]], Meta(max_length=CLASSES_MAX)
    ] = []


Request = Status | PathHold | PathRelease | Reprobe


class Answer(msgspec.Struct, omit_defaults=True):
    """``error`` is empty when it was done."""

    error: str = ""
    result: dict[str, Any] = {}


request_decoder: Final = msgspec.json.Decoder(Request)
answer_decoder: Final = msgspec.json.Decoder(Answer)
