"""All that is wrong with the shape of a plan, and not its first fault alone. Pure.

msgspec stops at the first value that cannot be. What is to blame is taken out, and the rest is read
once more, until nothing is wrong or FAULTS_MAX faults are found. What was taken out stands among
``blamed``, so that what follows from its absence is not told as a fault of its own.

Leaves to others: what a plan of the right shape may not say (plan_file.py).
"""

import copy
import re
from typing import Any, Final

import msgspec

from roost_central.choices import choices, one_of
from roost_central.fleet.query_suggest import hint
from roost_central.rollout.plan import Gates, InFlight, Plan, Rate, Wave, WeekWindow
from roost_protocol.errors import ProtocolError

FAULTS_MAX: Final = 20  # as many as a screen shows
_PART: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_UNKNOWN: Final = re.compile(r"^Object contains unknown field `(.*)`$")
_MISSING: Final = re.compile(r"^Object missing required field `(.*)`$")
_PLAIN: Final = (
    (_UNKNOWN, r"there is no key \1"),
    (re.compile(r"^Invalid enum value (.*)$"), r"it cannot be \1"),
    (_MISSING, r"it says no \1, and has to"),
    (re.compile(r"`array` of length"), "a list of length"),
    (re.compile(r"`str` of length"), "text of length"),
    (re.compile(r"`str` matching regex.*"), "text of another form (docs/rollouts.md)"),
    (re.compile(r"`array`"), "a list"),
    (re.compile(r"`object`"), "a table"),
    (re.compile(r"`str`"), "text"),
    (re.compile(r"`(?:int|float)( \| null)?`"), "a number"),
    (re.compile(r"`bool( \| null)?`"), "true or false"),
    (re.compile(r"`(\w+) \| null`"), r"\1"),
    (re.compile(r"^Expected (.*), got (.*)$"), r"it takes \1, and got \2"),
    (re.compile(r"^Expected (.*)$"), r"it takes \1"),
)


class PlanError(ProtocolError):
    """A plan that cannot be; it is the first of its faults.

    Attributes:
        faults: all of them, at most FAULTS_MAX.
    """

    def __init__(self, faults: list[ProtocolError]) -> None:
        first = faults[0]
        super().__init__(
            first.code, field=first.field, bound=first.bound, got=first.got, detail=first.detail
        )
        self.faults = tuple(faults[:FAULTS_MAX])


def shaped(said: dict[str, Any]) -> tuple[Plan | None, list[ProtocolError], set[str]]:
    """Return what of a plan can be read.

    Args:
        said: the tables of its file.

    Returns:
        The plan without what is wrong (None: nothing of it can be read), its faults, and the fields
        that are to blame.
    """
    left, faults, blamed = copy.deepcopy(said), list[ProtocolError](), set[str]()
    while len(faults) < FAULTS_MAX:
        try:
            return msgspec.convert(left, Plan), faults, blamed
        except msgspec.ValidationError as err:
            text, _, where = str(err).partition(" - at `")
        place = where.removeprefix("key` in `")  # of a table, whose keys are a choice
        field = place.rstrip("`").removeprefix("$").removeprefix(".")
        key = _UNKNOWN.match(text) or _MISSING.match(text)
        wrong = ".".join(filter(None, (field, key[1] if key else "")))
        if wrong not in blamed:  # else it is missing because it was taken out
            detail = f"{_plain(text)}{_meant(text, field)}"
            faults.append(ProtocolError("plan", field=field or "plan", detail=detail))
        blamed.add(wrong)
        path: list[str | int] = [
            each[1] if each[1] is not None else int(each[2]) for each in _PART.finditer(field)
        ]
        if unknown := _UNKNOWN.match(text):
            path.append(unknown[1])
        try:
            _take_out(left, path, wrong)
        except LookupError:  # a key that cannot be told from a path: the rest is not looked at
            break
    return None, faults, blamed


def _take_out(left: dict[str, Any], parts: list[str | int], wrong: str) -> None:
    """Take a value out of a plan, or put one there that can be.

    A wave keeps its place, so that the ones behind it keep their numbers.

    Raises:
        LookupError: it is not where it is said to be.
    """
    if wrong == "name":  # the one key that has to be there
        left["name"] = "x"
        return
    while len(parts) > 1 and isinstance(parts[-1], int) and parts[0] != "wave":
        parts.pop()  # a list whose element is wrong goes whole
    while len(parts) > 2 and isinstance(parts[-1], int):  # noqa: PLR2004 - below a wave
        parts.pop()
    if not parts:
        raise LookupError(wrong)
    holder: Any = left
    for part in parts[:-1]:
        holder = holder[part]
    if isinstance(holder, list):
        holder[int(parts[-1])] = {"count": 1}
    else:
        del holder[parts[-1]]


def _plain(text: str) -> str:
    """Return what msgspec has against a value, in the words of a file."""
    for pattern, words in _PLAIN:
        text = pattern.sub(words, text)
    return text[:200]


def _meant(text: str, field: str) -> str:
    """Return which key may have been meant, where one is unknown, or what a field may be."""
    if text.startswith("Invalid enum value "):
        words = choices(Plan, field)
        return f": it takes {one_of(words)}" if words else ""
    word = text.partition("unknown field `")[2].rstrip("`")
    kinds = (Plan, Wave, Gates, Rate, InFlight, WeekWindow)
    known = {name for each in kinds for name in each.__struct_encode_fields__}
    return hint(word, known) if word else ""
