"""The node's active alarms: raised once, told once, and never stuck.

Leaves to others: when a sample counts (rules), how a text reads, the disk, the clock.

Invariants:
- a key has one row; a second raise of it changes that row or nothing;
- a row is what the centre was told, so the digest over rows is the centre's set once it has all
  items; what is wanted and held back stands in the row as well;
- at most ALARMS_ACTIVE_MAX rows, of which the last are for the quota alarm itself;
- without a raise, a clear or its own expiry nothing changes: silence clears nothing.

Rules of an alarm's life: design, faults sections 3 and 4.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias, assert_never

import msgspec
from msgspec.structs import replace

from roost_agent.alarms.row import Held, Row
from roost_agent.alarms.track import FLAPS, Track
from roost_protocol.alarm import Alarm, Change, Scalar
from roost_protocol.codec import VERSION
from roost_protocol.digest import alarm_digest
from roost_protocol.limits import ALARMS_ACTIVE_MAX
from roost_protocol.severity import Severity

Key: TypeAlias = tuple[str, str]

QUOTA_TYPE: Final = "750.802"
QUOTA_ROWS: Final = 64  # kept for quota alarms: one a unit that may connect
APP_ROWS_MAX: Final = 700  # of all applications: the rest is for the node's own
OWNER_ROWS_MAX: Final = 200  # of one application
TRACKS_MAX: Final = 2 * ALARMS_ACTIVE_MAX  # keys remembered for damping, raised ones among them

GONE: Final = "gone"
EXPIRED: Final = "ttl-expired"


class Moment(msgspec.Struct, frozen=True):
    """One instant by both clocks, in ms."""

    boot_ms: int
    wall_ms: int


class Raise(msgspec.Struct, frozen=True):
    """The condition is there; the type, entity and text are checked already.

    ``is_ordered``: an order brought it about; that it comes, and goes again, is no turn of a flap.
    """

    type: str
    entity: str
    severity: Severity
    text: str
    params: Mapping[str, Scalar] = {}
    owner: str = ""
    ttl_ms: int = 0
    is_ordered: bool = False


class Clear(msgspec.Struct, frozen=True):
    """The condition is over."""

    type: str
    entity: str
    reason: str = GONE


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


Event: TypeAlias = Raise | Clear | Tick


class Put(msgspec.Struct, frozen=True):
    """Write the row, or remove it, and the item in the same transaction."""

    key: Key
    row: Row | None
    alarm: Alarm | None


class Refused(msgspec.Struct, frozen=True):
    """There is no room; ``owner`` empty: on the node, else for that application."""

    owner: str
    bound: int


class Unknown(msgspec.Struct, frozen=True):
    """A clear of what is not raised: no error, counted by whoever wants to."""

    key: Key


Action: TypeAlias = Put | Refused | Unknown


class Table:
    """The set.

    Args:
        rows: what was on disk.
        now_ms: the boot clock.
    """

    def __init__(self, rows: Iterable[Row], now_ms: int) -> None:
        self.rows: dict[Key, Row] = {}
        self._tracks: dict[Key, Track] = {}
        self._due_ms: dict[Key, int] = {}
        for row in rows:
            self.rows[row.key] = row
            self._tracks[row.key] = _track(row, now_ms)
            self._plan(row.key, now_ms)

    def handle(self, event: Event, at: Moment) -> list[Action]:
        """Take in one event and return what is to be written, in order."""
        match event:
            case Raise():
                return self._raise(event, at)
            case Clear():
                return self._clear((event.type, event.entity), event.reason, at)
            case Tick():
                return self._tick(at)
            case _:
                assert_never(event)

    def due_ms(self) -> int | None:
        """Return when the next tick is needed."""
        return min(self._due_ms.values(), default=None)

    def digest(self) -> bytes:
        """Return the digest of what was told."""
        return digest_of(self.rows.values())

    def is_raised(self, key: Key) -> bool:
        """Whether the condition is there, told or held."""
        track = self._tracks.get(key)
        return track is not None and track.is_wanted

    def _raise(self, event: Raise, at: Moment) -> list[Action]:
        key = (event.type, event.entity)
        if (refused := self._no_room(key, event)) is not None:
            return [refused]
        track = self._tracks.get(key)
        if track is None:
            track = self._tracks[key] = Track()
            self._forget(at.boot_ms)
        if not track.is_wanted:
            if key not in self.rows:
                track.count, track.worst = 0, Severity.CLEARED
            track.count += 1
            track.is_ordered = event.is_ordered
            if not track.is_ordered:
                track.turns_ms.append(at.boot_ms)
        track.wanted = Held(event.severity, event.text, dict(event.params))
        track.owner, track.ttl_ms = event.owner, event.ttl_ms
        track.expires_ms = at.boot_ms + event.ttl_ms if event.ttl_ms else None
        return self._settle(key, track, at)

    def _no_room(self, key: Key, event: Raise) -> Refused | None:
        if key in self.rows and self.rows[key].owner == event.owner:
            return None
        if event.owner:
            owners = [row.owner for row in self.rows.values() if row.owner]
            if owners.count(event.owner) >= OWNER_ROWS_MAX:
                return Refused(event.owner, OWNER_ROWS_MAX)
            if key not in self.rows and len(owners) >= APP_ROWS_MAX:
                return Refused("", APP_ROWS_MAX)
        bound = ALARMS_ACTIVE_MAX - (0 if event.type == QUOTA_TYPE else QUOTA_ROWS)
        if key not in self.rows and len(self.rows) >= bound:
            return Refused("", bound)
        return None

    def _clear(self, key: Key, reason: str, at: Moment) -> list[Action]:
        track = self._tracks.get(key)
        if track is None or not track.is_wanted:
            return [Unknown(key)]
        track.wanted = Held(Severity.CLEARED, reason=reason)
        track.clear_ms = at.boot_ms
        track.expires_ms = None
        if not track.is_ordered:
            track.turns_ms.append(at.boot_ms)
        return self._settle(key, track, at)

    def _tick(self, at: Moment) -> list[Action]:
        actions: list[Action] = []
        for key in sorted(key for key, due_ms in self._due_ms.items() if due_ms <= at.boot_ms):
            track = self._tracks[key]
            if track.expires_ms is not None and track.expires_ms <= at.boot_ms:
                actions += self._clear(key, EXPIRED if track.owner else GONE, at)
            else:
                actions += self._settle(key, track, at)
        return actions

    def _settle(self, key: Key, track: Track, at: Moment) -> list[Action]:
        """Bring the row to what is wanted, as far as it may be told now."""
        track.judge(at.boot_ms)
        row = self.rows.get(key)
        action: Action | None
        if row is None:
            action = self._begin(key, track, at)
        elif not track.is_wanted and not track.is_flapping:
            action = self._end(row, track, at)
        else:
            action = self._change(row, track, at)
        self._plan(key, at.boot_ms)
        return [] if action is None else [action]

    def _begin(self, key: Key, track: Track, at: Moment) -> Action:
        wanted = track.wanted
        row = Row(
            *key,
            wanted.severity,
            at.wall_ms,
            at.wall_ms,
            wanted.text,
            wanted.params,
            track.count,
            track.is_flapping,
            track.owner,
            track.ttl_ms,
        )
        return self._tell(Change.RAISE, row, track, at)

    def _end(self, row: Row, track: Track, at: Moment) -> Action:
        track.told_ms.append(at.boot_ms)
        del self.rows[row.key]
        alarm = Alarm(
            v=VERSION,
            type=row.type,
            change=Change.CLEAR,
            severity=Severity.CLEARED,
            entity=row.entity,
            text=row.text,
            params=row.params,
            reason=track.wanted.reason,
            raised_ms=row.raised_ms,
            count=track.count,
        )
        return Put(row.key, None, alarm)

    def _change(self, row: Row, track: Track, at: Moment) -> Action | None:
        wanted = track.wanted
        kept = replace(row, owner=track.owner, ttl_ms=track.ttl_ms, held=None)
        if track.is_wanted:
            fresh = replace(
                kept,
                severity=wanted.severity,
                text=wanted.text,
                params=wanted.params,
                count=track.count,
                flapping=track.is_flapping,
            )
        else:
            fresh = replace(kept, count=track.count, flapping=True)
        if fresh != kept and track.may_tell_ms(at.boot_ms) <= at.boot_ms:
            fresh = replace(fresh, changed_ms=at.wall_ms, held=_held(fresh, track))
            return self._tell(Change.CHANGE, fresh, track, at)
        kept = replace(kept, held=_held(kept, track))
        if kept == row:
            return None
        self.rows[row.key] = kept
        return Put(row.key, kept, None)

    def _tell(self, change: Change, row: Row, track: Track, at: Moment) -> Put:
        track.told_ms.append(at.boot_ms)
        track.worst = max(track.worst, row.severity)
        self.rows[row.key] = row
        alarm = Alarm(
            v=VERSION,
            type=row.type,
            change=change,
            severity=row.severity,
            entity=row.entity,
            text=row.text,
            params=row.params,
            raised_ms=row.raised_ms,
            count=row.count,
            flapping=row.flapping,
        )
        return Put(row.key, row, alarm)

    def _plan(self, key: Key, now_ms: int) -> None:
        """Note when the key wants to be looked at again."""
        track, row = self._tracks[key], self.rows.get(key)
        due = [] if track.expires_ms is None else [track.expires_ms]
        if row is not None and track.is_flapping:
            due.append(track.settles_ms(now_ms) if track.is_wanted else track.calms_ms())
        if row is not None and _differs(row, track):
            due.append(track.may_tell_ms(now_ms))
        if due:
            self._due_ms[key] = max(min(due), now_ms + 1)
        else:
            self._due_ms.pop(key, None)

    def _forget(self, now_ms: int) -> None:
        """Let go the oldest keys that are not raised; more than the bound never stay."""
        if len(self._tracks) <= TRACKS_MAX:
            return
        idle = [key for key, track in self._tracks.items() if key not in self.rows]
        stale = [key for key in idle if self._tracks[key].is_stale(now_ms)]
        for key in stale or idle[: len(self._tracks) - TRACKS_MAX]:
            if not self._tracks[key].is_wanted and self._tracks[key].told_ms:
                del self._tracks[key]


def digest_of(told: Iterable[Row]) -> bytes:
    """Return the digest of rows as they were told."""
    return alarm_digest((row.type, row.entity, int(row.severity)) for row in told)


def _track(row: Row, now_ms: int) -> Track:
    """Return where a row of before the restart stands; its time to live begins again."""
    wanted = row.held or Held(row.severity, row.text, row.params)
    track = Track(wanted, row.owner, row.ttl_ms, now_ms, count=row.count, worst=row.severity)
    track.is_flapping = row.flapping or row.held is not None  # nothing else is ever held
    if track.is_flapping:
        track.turns_ms.extend([now_ms] * FLAPS)
    if row.ttl_ms and track.is_wanted:
        track.expires_ms = now_ms + row.ttl_ms
    return track


def _held(row: Row, track: Track) -> Held | None:
    """Return what is wanted where the row tells something else."""
    told = Held(row.severity, row.text, row.params)
    return None if track.wanted == told else track.wanted


def _differs(row: Row, track: Track) -> bool:
    is_told = row.count == track.count and row.flapping == track.is_flapping
    return not is_told or (track.is_wanted and row.held is not None)
