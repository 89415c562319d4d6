"""Whether operators agreed to what a site's document assigns: this release, to this site.

The centre brings approvals, and shows by hashes that a site is in the list that they signed
(roost_protocol release/meant.py). A site that came later is counted here, in the signer's own
folder, against what they allowed: so a captured centre cannot widen a rollout (updates.md 10).

Invariants: how many must agree is the signer's policy and the size that they signed, never what
the centre says; no rollout is given more late sites than its operators allowed, also after a
restart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from roost_central.private_file import write_whole
from roost_central.releases.fault import ReleaseError
from roost_central.releases.operators import COMPONENT, Consent
from roost_central.rollout.approvers import least_approvers
from roost_protocol.release.approval import APPROVAL_LIFE_MS_MAX
from roost_protocol.release.director import Assignment
from roost_protocol.release.meant import Shown, former_leaf, holds, site_leaf

LATE_ROLLOUTS_MAX: Final = 1_024  # with sites that came later, in 90 days


class _Late(msgspec.Struct, frozen=True):
    """``late.json``: by rollout, the sites that came later, and when the newest did."""

    rollouts: dict[str, dict[str, int]] = {}


class LateSites:
    """The sites that were signed for beyond the lists that operators saw.

    Args:
        path: of the file.

    Raises:
        OSError: it cannot be read.
        msgspec.MsgspecError: it is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._late: dict[str, dict[str, int]] = {}
        if path.exists():
            self._late = msgspec.json.decode(path.read_bytes(), type=_Late).rollouts

    def check(self, rollout: str, site: str, late_max: int) -> None:
        """Check that a site may join a rollout later.

        Raises:
            ReleaseError: ``approval``: as many did as may.
        """
        known = self._late.get(rollout, {})
        if site in known:
            return
        if len(known) >= late_max:
            text = (
                f"{site} is not in the list that operators signed for rollout {rollout}, and "
                f"{len(known)} of {late_max} sites that may come later did"
            )
            raise ReleaseError("approval", text)
        if not known and len(self._late) >= LATE_ROLLOUTS_MAX:
            raise ReleaseError("approval", f"{LATE_ROLLOUTS_MAX} rollouts have late sites already")

    def keep(self, site: str, rollouts: Iterable[str], now_ms: int) -> None:
        """Put it down that a site joined rollouts later.

        Raises:
            OSError: it cannot be written; nothing is to be signed.
        """
        some = [each for each in rollouts if site not in self._late.get(each, {})]
        if not some:
            return
        after = {
            each: sites
            for each, sites in self._late.items()
            if now_ms - max(sites.values()) < APPROVAL_LIFE_MS_MAX  # no approval outlasts that
        }
        for each in some:
            after[each] = {**after.get(each, {}), site: now_ms}
        write_whole(self._path, msgspec.json.encode(_Late(after)))
        self._late = after


@dataclass(frozen=True, slots=True)
class Judge:
    """What a document is judged by.

    Attributes:
        agreed: who agreed to what.
        least: how many must have, by the signer's policy.
        shown: by rollout, why the site is in it.
        late: sites that came later.
    """

    agreed: Mapping[Consent, set[str]]
    least: int
    shown: Mapping[str, Shown]
    late: LateSites

    def check(self, site: str, assignment: Assignment, digest: str) -> bool:
        """Check that operators agreed; return whether the site came later.

        Args:
            site: of the document.
            assignment: of it.
            digest: of the release that it names.

        Raises:
            ReleaseError: ``approval``, with what is missing.
        """
        shown = self.shown.get(assignment.rollout, Shown(assignment.rollout))
        fault = ReleaseError("approval", self._few(assignment, 0, self.least))
        for consent, who in self.agreed.items():
            if consent.rollout != assignment.rollout:
                continue
            wanted = least_approvers(consent.count, self.least)
            if len(who) < wanted:
                fault = ReleaseError("approval", self._few(assignment, len(who), wanted))
                continue
            try:
                return self._is_late(site, consent, shown, assignment, digest)
            except ReleaseError as err:
                fault = err
        raise fault

    def _is_late(
        self, site: str, consent: Consent, shown: Shown, assignment: Assignment, digest: str
    ) -> bool:
        """Return whether a site came later than what was agreed to."""
        is_meant = holds(consent.sites, site_leaf(site, shown.former), shown.proof)
        is_former = is_meant and bool(shown.former)
        if not is_meant:
            self.late.check(consent.rollout, site, consent.late_max)
            leaf = former_leaf(shown.former)
            is_former = bool(shown.former) and holds(consent.sites, leaf, shown.proof)
        if digest != consent.digest and not (is_former and digest == shown.former):
            text = (
                f"{assignment.target} in rollout {consent.rollout} is neither the release that "
                f"operators agreed to nor the one that {site} may go back to"
            )
            raise ReleaseError("approval", text)
        return not is_meant

    @staticmethod
    def _few(assignment: Assignment, have: int, wanted: int) -> str:
        return (
            f"{assignment.target} in rollout {assignment.rollout}: {have} of the operators of "
            f"{COMPONENT} agreed, the signer wants {wanted}"
        )
