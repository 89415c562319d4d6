"""What agents know of alarm types: read from catalogue.json, which the centre's catalogue makes.

Leaves reading the file to the agent and every rule about links, causes and repair to the centre.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from roost_protocol.errors import ProtocolError
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX
from roost_protocol.severity import Severity

CATALOGUE_FILE: Final = "catalogue.json"  # beside this module
PLACEHOLDER: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}", re.ASCII)

Source = Literal["agent", "site", "central", "app"]


class Delays(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a condition counts, in seconds, and in the unit of the limits.

    Attributes:
        raise_after_s: how long it must last before it is raised (hold-off).
        clear_after_s: how long it must be gone before it is cleared (off-delay).
        hysteresis: how far below its limit a value must fall before that time begins.
    """

    raise_after_s: float = 0
    clear_after_s: float = 0
    hysteresis: float = 0


class AlarmType(msgspec.Struct, frozen=True, omit_defaults=True):
    """One type of alarm or event, as far as agents need it.

    Attributes:
        entity: kinds after ``node=``, in order; a trailing ``?``: may be left out.
        severities: text by severity; ``*`` alone: the raiser's own text at any severity.
        limits: by severity; the highest one that is reached counts.
        event: something that happened, with no state and no clear.
        stops: the lowest severity that keeps its site from being updated; empty: none does.
        degrades: the lowest severity that makes the node degraded; empty: none does.
    """

    name: str
    source: Source
    entity: list[str]
    severities: dict[str, str]
    default: str
    unit: str = ""
    limits: dict[str, float] = {}
    delays: Delays = Delays()
    event: bool = False
    stops: str = ""
    degrades: str = ""

    def takes(self, severity: Severity) -> bool:
        """Return whether it may be raised at a severity."""
        if severity is Severity.CLEARED:
            return False
        return "*" in self.severities or severity.word in self.severities

    @property
    def shape(self) -> str:
        """How its entities are written, such as ``app=NAME[,unit=NAME]``."""
        shape = ""
        for kind in self.entity:
            pair = f"{',' if shape else ''}{kind.rstrip('?')}=NAME"
            shape += f"[{pair}]" if kind.endswith("?") else pair
        return shape or "an empty entity"

    def fits(self, kinds: Sequence[str]) -> bool:
        """Return whether an entity with these kinds, in this order, may have this type."""
        place = 0
        for kind in self.entity:
            name = kind.removesuffix("?")
            if place < len(kinds) and kinds[place] == name:
                place += 1
            elif name == kind:
                return False
        return place == len(kinds)

    def text(self, severity: Severity, values: Mapping[str, object], *, said: str = "") -> str:
        """Return the sentence of an alarm, cut to its bound.

        Args:
            severity: chooses the text.
            values: params, and the entity's pairs by kind.
            said: the raiser's own text, which a ``*`` type shows.
        """
        template = self.severities.get(severity.word)
        text = said if template is None else render(template, values)
        return cut(text)


Catalogue = Mapping[str, AlarmType]


class _File(msgspec.Struct, frozen=True):
    v: int
    types: dict[str, AlarmType]


_decode: Final = msgspec.json.Decoder(_File).decode


def decode_catalogue(body: bytes) -> Catalogue:
    """Return the types in a catalogue.json.

    Raises:
        ProtocolError: ``catalogue`` or ``version``.
    """
    try:
        file = _decode(body)
    except msgspec.MsgspecError as err:
        raise ProtocolError("catalogue", detail=str(err)[:200]) from err
    if file.v != 1:
        raise ProtocolError("version", field="v", bound=1, got=file.v)
    return file.types


def encode_catalogue(types: Catalogue) -> bytes:
    """Return a catalogue.json, one type a line group, in the order of ids."""
    plain = msgspec.json.encode(_File(1, dict(sorted(types.items()))))
    return msgspec.json.format(plain, indent=1) + b"\n"


def render(template: str, values: Mapping[str, object]) -> str:
    """Return a text with its placeholders filled; an unknown value is shown as ``?``."""
    return PLACEHOLDER.sub(lambda found: _shown(values.get(found[1])), template)


def cut(text: str, size_max: int = ALARM_TEXT_BYTES_MAX) -> str:
    """Return a text of at most so many bytes of UTF-8; a cut one ends in an ellipsis."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= size_max:
        return text
    ellipsis = "\u2026"  # by number: compiling a name loads unicodedata, half a megabyte
    kept = raw[: size_max - len(ellipsis.encode())].decode("utf-8", "ignore")
    return kept + ellipsis


def _shown(value: object) -> str:
    if value is None:
        return "?"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
