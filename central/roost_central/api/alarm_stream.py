"""What of the alarms a live client is sent: the banner, and few changed rows or a hint to read."""

from typing import Final

import msgspec

from roost_central.api.alarm_answers import Alarm
from roost_central.api.alarm_rows import AlarmAnswers, counts_answer
from roost_central.api.answers import AlarmCounts
from roost_central.api.live import Client
from roost_central.api.service import Api

INTERVAL_MS: Final = 500  # half of what a raise may take to the page; more often is not read
CHANGED_MAX: Final = 50  # past it a page is read again: cheaper than so many rows


class AlarmNews(msgspec.Struct, frozen=True):
    """The data of an ``alarms`` event.

    Attributes:
        t: UTC ms of the server.
        seq: of the last transition in it.
        changed: alarms that are other now; ``gone``: ids of those that are over.
        more: there were too many: read the list again.
    """

    t: int
    seq: int
    counts: AlarmCounts
    changed: list[Alarm]
    gone: list[str]
    more: bool


class AlarmStream:
    """What one client was sent, and when."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._seen: tuple[int, bool] | None = None
        self._sent_ms: int | None = None

    def news(self, client: Client, now_ms: int) -> AlarmNews | None:
        """Return what is to be sent now; None: nothing new, or too soon."""
        book = self._api.book
        new = (book.version, book.is_flood)  # a flood ends by time alone
        if new == self._seen:
            return None
        if self._sent_ms is not None and now_ms - self._sent_ms < INTERVAL_MS:
            client.wake.set()  # again at the next turn
            return None
        after = client.alarms_seq
        self._seen, self._sent_ms, client.alarms_seq = new, now_ms, book.last_seq
        changed, gone, more = ([], [], False) if after in {None, -1} else self._changes(after or 0)
        return AlarmNews(
            t=self._api.clock.wall_ms(),
            seq=book.last_seq,
            counts=counts_answer(self._api.alarms),
            changed=changed,
            gone=gone,
            more=more,
        )

    def _changes(self, after: int) -> tuple[list[Alarm], list[str], bool]:
        steps = self._api.book.recent(after)
        if steps is None or len(steps) > CHANGED_MAX:
            return [], [], True
        answers = AlarmAnswers(self._api.alarms)
        now_ms = self._api.clock.wall_ms()
        rows = self._api.book.core.index.rows
        sees = self._api.alarms.sees
        here = [rows[key_id] for key_id in steps if key_id in rows and sees(rows[key_id].site)]
        ids = {rows[key_id].id for key_id in steps if key_id in rows}
        return (
            [answers.alarm(row, now_ms) for row in here],
            [id_ for id_ in steps.values() if id_ not in ids],
            False,
        )
