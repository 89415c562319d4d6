"""What one SNMP receiver is sent next: paced, in order for each alarm, bounded, resumable.

Pure. Invariants: at most QUEUE_MAX + URGENT_MAX notes wait; what is held back is counted and told;
``cursor`` never passes a note that was neither acknowledged, held back nor cancelled; two notes of
one key are never less than SPACING_MS apart and never change places; nothing about what was
removed follows its removal, and nothing about what came back overtakes it.
"""

import heapq
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from roost_central.northbound.core import Bucket

QUEUE_MAX: Final = 10_000  # notes; beyond, only urgent ones are taken (faults.md section 7)
URGENT_MAX: Final = 10_000  # so many urgent ones more
SPACING_MS: Final = 2_000  # between two notes of one key
CANCEL_MS: Final = 5_000  # a raise and its clear within this time say nothing
OWN_KEY: Final = ""  # of notes that are no transition: overflow, heartbeat, test


@dataclass(frozen=True, slots=True)
class Note:
    """One notification to send.

    Attributes:
        seq: of its transition; 0 for our own.
        key: what it is about: an alarm's key id, an incident's id.
        kind: ``raise``, ``clear`` or any other event.
        urgent: critical, or of an incident.
        held: counts of an overflow note; None for all others.
        behind: the key of a removal that waits: neither that nor an older note of this one's own
            key is overtaken.
        body: what the shell makes a message of.
    """

    seq: int
    key: str
    kind: str
    urgent: bool
    body: object = None
    held: Mapping[str, int] | None = None
    behind: str = ""

    @property
    def line(self) -> str:
        """What keeps its order."""
        return self.behind or self.key


@dataclass(slots=True)
class TrapQueue:
    """The notes of one receiver."""

    bucket: Bucket
    cursor: int = 0
    is_overflowing: bool = False
    cancelled: int = 0
    held: Counter[str] = field(default_factory=Counter)
    _waiting: int = 0
    _by_line: dict[str, deque[tuple[int, Note]]] = field(default_factory=dict)
    _ready: list[tuple[int, int, str]] = field(default_factory=list)  # due, order, key
    _sent_ms: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _flying: set[str] = field(default_factory=set)
    _seqs: deque[int] = field(default_factory=deque)  # offered, ascending
    _finished: set[int] = field(default_factory=set)
    _reserved: set[int] = field(default_factory=set)  # of those: not offered yet
    _order: int = 0

    def __len__(self) -> int:
        """Notes that wait, without those in flight."""
        return self._waiting

    def offer(self, note: Note, now_ms: int) -> None:
        """Take in a transition's note; the seqs of successive calls rise, but for reserved ones."""
        self._enter(note.seq)
        if self._cancels(note, now_ms):
            self._review(now_ms)
            return
        room = QUEUE_MAX + (URGENT_MAX if note.urgent else 0)
        if self._waiting >= QUEUE_MAX and not self.is_overflowing:
            self.is_overflowing = True
            self._put(self._overflow(), now_ms)
        if self._waiting >= room or (self.is_overflowing and not note.urgent):
            self.held[note.kind] += 1
            self._finish(note.seq)
            return
        self._put(note, now_ms)

    def skip(self, seq: int) -> None:
        """Pass a transition that the receiver is not told of."""
        self._enter(seq)
        self._finish(seq)

    def reserve(self, seq: int) -> None:
        """Keep the place of a transition that is offered, or skipped, later."""
        self._seqs.append(seq)
        self._reserved.add(seq)

    def waits(self, key: str) -> bool:
        """Whether a note of a key waits or is on its way."""
        return key in self._by_line

    def withdraw(self, key: str) -> bool:
        """Drop what waits of a key whose end another note tells; false where one is on its way.

        That one may have arrived, or may be sent again later: its end must follow it.
        """
        if key in self._flying:
            return False
        notes = self._by_line.pop(key, None)
        if notes is not None:
            self._unschedule(key)
            self._waiting -= len(notes)
            self.cancelled += len(notes)
            for _, note in notes:
                self._finish(note.seq)
        return True

    def say(self, note: Note, now_ms: int) -> None:
        """Take in a note of our own, unless one waits already."""
        if OWN_KEY not in self._by_line:
            self._put(note, now_ms)

    def take(self, now_ms: int) -> Note | None:
        """Return the next note to send, None where nothing is due or the pace forbids it."""
        self._forget(now_ms)
        while self._ready and self._ready[0][0] <= now_ms:
            line = self._ready[0][2]
            note = self._by_line[line][0][1]
            if note.behind and note.key in self._by_line:  # an older word of it is on its way
                heapq.heappop(self._ready)
                self._schedule(line, now_ms + SPACING_MS)
                continue
            if not self.bucket.take(now_ms):
                return None
            heapq.heappop(self._ready)
            self._flying.add(line)
            self._waiting -= 1
            return note
        return None

    def wait_ms(self, now_ms: int) -> int | None:
        """Return how long until ``take`` may give something; None where nothing waits."""
        if not self._ready:
            return None
        return max(self._ready[0][0] - now_ms, self.bucket.wait_ms(now_ms), 0)

    def done(self, note: Note, now_ms: int) -> None:
        """Note that the receiver has it."""
        notes = self._by_line[note.line]
        notes.popleft()
        self._flying.discard(note.line)
        for key in {note.key: None, note.line: None}:
            self._sent_ms[key] = now_ms
            self._sent_ms.move_to_end(key)
        self._finish(note.seq)
        if notes:
            self._schedule(note.line, now_ms + SPACING_MS)
        else:
            del self._by_line[note.line]
        self._review(now_ms)

    def failed(self, note: Note, again_ms: int) -> None:
        """Note that the receiver does not answer: it is sent again, not before ``again_ms``."""
        self._flying.discard(note.line)
        self._waiting += 1
        self._schedule(note.line, again_ms)

    def check_invariants(self) -> None:
        """Assert what the module promises."""
        waiting = sum(len(notes) for notes in self._by_line.values()) - len(self._flying)
        assert self._waiting == waiting  # noqa: S101 - for the tests of every step
        assert waiting <= QUEUE_MAX + URGENT_MAX + 1  # noqa: S101 - and one of our own
        assert len(self._ready) + len(self._flying) == len(self._by_line)  # noqa: S101

    def _put(self, note: Note, now_ms: int) -> None:
        notes = self._by_line.get(note.line)
        self._waiting += 1
        if notes is not None:
            notes.append((now_ms, note))
            return
        self._by_line[note.line] = deque([(now_ms, note)])
        last_ms = self._sent_ms.get(note.key)
        self._schedule(note.line, now_ms if last_ms is None else max(now_ms, last_ms + SPACING_MS))

    def _schedule(self, key: str, due_ms: int) -> None:
        self._order += 1
        heapq.heappush(self._ready, (due_ms, self._order, key))

    def _unschedule(self, key: str) -> None:
        self._ready = [entry for entry in self._ready if entry[2] != key]
        heapq.heapify(self._ready)

    def _cancels(self, note: Note, now_ms: int) -> bool:
        """Drop a raise that waits, and its clear, where one follows the other within CANCEL_MS."""
        notes = self._by_line.get(note.line)
        if note.kind != "clear" or notes is None or note.line in self._flying or len(notes) != 1:
            return False
        at_ms, raised = notes[0]
        if raised.kind != "raise" or raised.key != note.key or now_ms - at_ms > CANCEL_MS:
            return False
        del self._by_line[note.line]
        self._unschedule(note.line)
        self._waiting -= 1
        self.cancelled += 2
        self._finish(raised.seq)
        self._finish(note.seq)
        return True

    def _review(self, now_ms: int) -> None:
        """Leave the overflow below half, and tell what was held back."""
        if self.is_overflowing and self._waiting < QUEUE_MAX // 2:
            self.is_overflowing = False
            self._put(self._overflow(), now_ms)
            self.held = Counter()

    def _overflow(self) -> Note:
        return Note(0, OWN_KEY, "overflow", urgent=True, held=dict(self.held))

    def _enter(self, seq: int) -> None:
        if seq in self._reserved:
            self._reserved.discard(seq)
        else:
            self._seqs.append(seq)

    def _finish(self, seq: int) -> None:
        if seq:
            self._finished.add(seq)
        while self._seqs and self._seqs[0] in self._finished:
            self.cursor = self._seqs.popleft()
            self._finished.discard(self.cursor)

    def _forget(self, now_ms: int) -> None:
        while self._sent_ms:
            key, at_ms = next(iter(self._sent_ms.items()))
            if now_ms - at_ms < SPACING_MS:
                return
            del self._sent_ms[key]
