"""Compares what the signer signed with what the audit log says was asked for. Pure.

The signer is another user's process with a record of its own, so what a captured centre made it
sign stands there. A certificate is explained by an act about its holder whose ``detail`` names its
key among ``keys``, an order by one whose ``detail`` has its ``order``; each is written before the
signer is asked, so one that is younger than the signature explains nothing: whoever took over the
centre could write it afterwards. ``signatures`` of an act explains rows by their numbers, whenever:
a person looked at them.
Lists of revoked certificates need no explanation: they take rights away.

Source: docs/security.md.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from roost_central.access.chain import DONE, Act
from roost_central.signer.row import BEGIN, BEGUN, BrokenRecordError, Place, Row, read_line

ISSUE: Final = "issue"
ORDER: Final = "order"
KEYS: Final = "keys"  # of an act's detail: SHA-256 of public keys (SPKI), hexadecimal
NUMBERS: Final = "signatures"
SKEW_MS: Final = 60_000  # centre and signer are one machine, or two that know the time

Wanted = tuple[str, str]  # the holder's name and its key, or the verb and an order's hash
_Signed = tuple[int, int]  # a row's number and its time: each record that is begun counts anew


@dataclass(slots=True)
class SignatureCheck:
    """Goes along the record first, over all that were put aside, then along the audit log.

    Args:
        at: the row after which it begins.
    """

    at: Place = field(default_factory=Place)
    seen: int = 0
    _open: dict[_Signed, Row] = field(default_factory=dict)
    _wanted: dict[Wanted, list[_Signed]] = field(default_factory=dict)

    @property
    def missing(self) -> list[Row]:
        """The rows that nothing explained so far."""
        return list(self._open.values())

    def see(self, line: str) -> Row:
        """Take the next line of the record.

        Raises:
            BrokenRecordError: it does not follow.
        """
        try:
            row, head = read_line(line.encode(), self.at.n + 1, self.at.head)
        except BrokenRecordError:
            row, head = read_line(line.encode(), 1, BEGIN)
            if (row.verb, row.after) != (BEGUN, self.at.head):
                raise
        self.at = Place(row.n, head)
        self.seen += 1
        self.want(row)
        return row

    def want(self, row: Row) -> None:
        """Ask for what explains a row, where it needs that."""
        if row.verb == ISSUE:
            self._wanted.setdefault((row.name, row.key), []).append(_signed(row))
        elif row.verb == ORDER:
            self._wanted.setdefault((ORDER, row.order), []).append(_signed(row))
        else:
            return
        self._open[_signed(row)] = row

    def hear(self, act: Act) -> None:
        """Take an act of the audit log, in any order."""
        if act.outcome != DONE:
            return
        for key in _texts(act.detail.get(KEYS)):
            self._explain((act.object, key), act.at_ms)
        for order in _texts([act.detail.get(ORDER)]):
            self._explain((ORDER, order), act.at_ms)
        for number in _numbers(act.detail.get(NUMBERS)):
            for signed in [each for each in self._open if each[0] == number]:
                if signed[1] <= act.at_ms:  # of a later record it is another row
                    self._open.pop(signed)

    def _explain(self, wanted: Wanted, at_ms: int) -> None:
        for signed in self._wanted.get(wanted, ()):
            if at_ms <= signed[1] + SKEW_MS:
                self._open.pop(signed, None)


def _signed(row: Row) -> _Signed:
    return row.n, row.at_ms


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - a row's own words
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _numbers(value: Any) -> list[int]:  # noqa: ANN401 - a row's own words
    return [each for each in value if isinstance(each, int)] if isinstance(value, list) else []


def told(row: Row) -> str:
    """Return what a row says, in a line for people."""
    what = f"order {row.order[:16]}" if row.verb == ORDER else f"{row.kind} {row.name}"
    return f"signature {row.n}: {what}, serial {row.serial or '-'}, asked for by user {row.uid}"
