"""Who belongs to each site, as this signer signed it last, and who went within a day.

The centre says who belongs to a site. It may let one member go, or be replaced, by itself; more of
them within 24 h go by the word of two operators alone (updates.md 10). What was signed is kept
here, in the signer's own folder, a row a site: a document of before is no way back.

Invariants: what is kept is written before the document is signed; without the operators' word at
most one member of a site goes in any 24 h, also after a restart.
"""

import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from roost_central.releases.fault import ReleaseError
from roost_central.releases.operators import COMPONENT

OPERATORS_NEEDED: Final = 2
WITHIN_MS: Final = 86_400_000
MEMBERS: Final = "members"  # the code of a refusal

# A power cut may take back the rows of the last moment, never half of one (SQLite, WAL with
# synchronous=NORMAL): the site is then judged by who belonged to it before.
_BEGIN: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "CREATE TABLE IF NOT EXISTS site (name TEXT PRIMARY KEY, said BLOB NOT NULL) WITHOUT ROWID",
)


class Said(msgspec.Struct, frozen=True):
    """What was signed of a site.

    Attributes:
        members: node id to the number of its box.
        gone_ms: of those that went or were replaced within a day, when; UTC.
    """

    members: dict[str, int] = {}
    gone_ms: dict[str, int] = {}


_read: Final = msgspec.json.Decoder(Said)


class SiteMembers:
    """What was signed of each site.

    Args:
        path: of the file; it is made where it is not there.

    Raises:
        OSError: it cannot be opened, or is none.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._rows = sqlite3.connect(path, isolation_level=None)
            for each in _BEGIN:
                self._rows.execute(each).close()
        except sqlite3.Error as err:
            raise OSError(0, str(err), str(path)) from err

    def after(
        self, site: str, members: Mapping[str, int], agreed: Collection[str] | None, now_ms: int
    ) -> Said:
        """Return what is to be kept of a site whose document lists these members.

        Args:
            site: of the document.
            members: node id to the number of its box.
            agreed: operators who signed for these; None: nobody has to (a lab).
            now_ms: UTC.

        Raises:
            ReleaseError: MEMBERS: more than one of them goes within a day, and too few agreed.
            OSError: what was kept cannot be read.
        """
        before = self._said(site)
        recent = {
            node: at_ms for node, at_ms in before.gone_ms.items() if now_ms - at_ms < WITHIN_MS
        }
        gone = [node for node, box in before.members.items() if members.get(node) != box]
        all_gone = {*recent, *gone}
        is_agreed = agreed is None or len(agreed) >= OPERATORS_NEEDED
        if gone and len(all_gone) > 1 and not is_agreed:
            raise ReleaseError(MEMBERS, _refusal(site, members, all_gone, len(agreed or ())))
        return Said(dict(members), recent | dict.fromkeys(gone, now_ms))

    def keep(self, site: str, said: Said) -> None:
        """Keep what is about to be signed of a site.

        Raises:
            OSError: it cannot be written; nothing is to be signed.
        """
        if said == self._said(site):
            return
        row = (site, msgspec.json.encode(said))
        try:
            self._rows.execute("INSERT OR REPLACE INTO site VALUES (?, ?)", row).close()
        except sqlite3.Error as err:
            raise OSError(0, str(err), "members") from err

    def _said(self, site: str) -> Said:
        try:
            with closing(self._rows.execute("SELECT said FROM site WHERE name = ?", (site,))) as at:
                row = at.fetchone()
            return Said() if row is None else _read.decode(row[0])
        except (sqlite3.Error, msgspec.MsgspecError) as err:
            raise OSError(0, str(err), "members") from err


def _refusal(site: str, members: Mapping[str, int], gone: Collection[str], have: int) -> str:
    how = ", ".join(f"{node} {_word(node, members)}" for node in sorted(gone))
    return (
        f"{len(gone)} members of {site} go within 24 h ({how}), and {have} of {OPERATORS_NEEDED} "
        f"operators of {COMPONENT} signed for the members that stay: each signs with `roost "
        f"release approve-members {site} --operator NAME --key FILE`"
    )


def _word(node: str, members: Mapping[str, int]) -> str:
    return f"is box {members[node]} by now" if node in members else "is dropped"
