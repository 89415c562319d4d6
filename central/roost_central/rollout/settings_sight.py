"""What is known of sites by a rollout of profiles: what their nodes say of their settings.

A rollout's target is one digest, and each node has settings of its own: a node runs the target
where it says the digest of what it should be now, and the former where it says that of what it had
before. So the cores know nothing of documents.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from roost_central.delivery.core import Outcome, Target, Word
from roost_central.delivery.runner import DeliveryRunner
from roost_central.fleet.view import FleetView, NodeRow
from roost_central.rollout.head import Head, Standing
from roost_central.rollout.holding import Holding
from roost_central.rollout.job import Job, job_id
from roost_central.rollout.settings_word import NodeWord, Step, report_of
from roost_central.rollout.sight import BEAT_MS, Sites
from roost_central.rollout.waves import Candidate, Key
from roost_central.storage.rollout_changes import FormerNode
from roost_protocol.config_report import ConfigState
from roost_protocol.profile.document import MARK_BYTES

FORMER: Final = ("before", "former")  # version and digest of what a site had
_OTHER: Final = ("", "other")
_REPORTED: Final = {
    ConfigState.ROLLED_BACK.value: Step.UNDONE,
    ConfigState.REFUSED.value: Step.REFUSED,
}
_BY_WORD: Final = {
    Word.APPLYING: Step.TOLD, Word.WAITING: Step.WAITING,
    Word.IN_SYNC: Step.TOLD,  # and drifted: it is waited for
}  # fmt: skip


class SettingsSight:
    """Reads the view, what is delivered, and who is held back."""

    def __init__(
        self, view: FleetView, sites: Sites, deliveries: DeliveryRunner, holding: Holding
    ) -> None:
        self._view = view
        self._sites = sites
        self._deliveries = deliveries
        self._holding = holding
        holding.says_new = self.says_new

    def says_new(self, node: str, former: FormerNode) -> bool:
        """Say whether a node says what it should be by a rollout."""
        row = self._view.nodes.get(node)
        if row is None or row.config.applied_digest is None:
            return False
        new = self._deliveries.newest(node, former.former_generation)
        if new is None:  # after a start it is not read yet
            return not _says(row, _former(former))
        return _says(row, new)

    def standing(self, job: Job, head: Head) -> Standing:
        """Return what is known of a job's site.

        Nodes that are silent and were told nothing are not waited for: they have it when they come.
        """
        rows = [row for node in job.nodes if (row := self._view.nodes.get(node)) is not None]
        heard = {row.node for row in rows if self._deliveries.standing(row.node).is_heard}
        words = {row.node: self._word(row, job) for row in rows}
        counted = [row for row in rows if row.node in heard or words[row.node].step is Step.TOLD]
        said = report_of(
            job_id(head.id, job), job.attempt,
            [words[row.node] for row in counted],
            offered_ms=job.offered_ms, is_canceling=job.is_canceling,
        ) if counted else None  # fmt: skip
        return Standing(
            is_dark=not heard or not self._deliveries.is_read,
            runs=tuple(self._runs(row, job, head) for row in counted),
            boots=tuple(row.boot_id or "" for row in rows),
            alarms=self._sites.alarms(job.site),
            said=() if said is None else ((job.nodes[0], said),),
            beat_ms=max((row.interval_ms or BEAT_MS for row in rows), default=BEAT_MS),
            is_shut=any(words[row.node].step is Step.WAITING for row in counted),
        )

    def candidate(
        self,
        site: str,
        changing: Sequence[str],
        what: str,
        busy: Collection[str],
        *,
        is_exposed: bool,
    ) -> Candidate:
        """Return a site as plans see it.

        Args:
            site: its name.
            changing: its nodes that change and take settings.
            what: in short, what changes: sites with the same are of a kind.
            busy: sites at work in another rollout of profiles.
            is_exposed: a service of it is restarted, and it has one node.
        """
        seen = self._sites.candidate(site, "", "", busy)
        kinds: frozenset[Key] = frozenset(
            (hw, roles, link, what) for hw, roles, link, _ in seen.kinds
        )
        return Candidate(
            site=site, kinds=kinds, hw=seen.hw, link=seen.link, nodes=tuple(changing),
            former=FORMER, why_not=seen.why_not, held=seen.held, alarms=seen.alarms,
            is_exposed=is_exposed,
        )  # fmt: skip

    def able(self, nodes: Collection[str]) -> list[str]:
        """Return the nodes that take settings."""
        rows: Mapping[str, NodeRow] = self._view.nodes
        return [
            node for node in nodes if node in rows and rows[node].config.applied_digest is not None
        ]

    def _runs(self, row: NodeRow, job: Job, head: Head) -> tuple[str, str] | None:
        if self._holding.former_of(row.node) is None:  # nothing of it changes any more
            return FORMER if job.is_back else (head.version, head.digest)
        if row.config.drift:  # other hands changed it: it runs neither
            return _OTHER
        new, former = self._targets(row.node)
        ordered = [((head.version, head.digest), new), (FORMER, former)]
        for name, target in reversed(ordered) if job.is_back else ordered:
            if _says(row, target):
                return name
        return None if row.config.applied_digest is None else _OTHER

    def _targets(self, node: str) -> tuple[Target | None, Target | None]:
        before = self._holding.former_of(node)
        if before is None:
            return None, None
        return self._deliveries.newest(node, before.former_generation), _former(before)

    def _word(self, row: NodeRow, job: Job) -> NodeWord:
        """Return what a node said of this attempt, or that it was told nothing since its offer."""
        node, standing = row.node, self._deliveries.standing(row.node)
        new, former = self._targets(node)
        target, attempt = former if job.is_back else new, standing.attempt
        if _says(row, target) and not row.config.drift:
            return NodeWord(node, Step.THERE)
        said = row.settings
        is_of_it = target is not None and said is not None and said.digest == target.digest.hex()
        if is_of_it and said is not None and said.received_ms >= job.offered_ms:
            step = _REPORTED.get(said.state)
            if step is not None:
                return NodeWord(node, step, said.why, said.received_ms)
        is_told = target is not None and attempt.digest == target.digest and standing.is_told
        if not is_told or attempt.placed_ms < job.offered_ms:
            return NodeWord(node, Step.IDLE)
        at_ms = attempt.ended_ms or attempt.placed_ms
        word = self._deliveries.word(node)
        if word is Word.FAILED:
            step = Step.REFUSED if attempt.outcome is Outcome.FAILED else Step.UNDONE
            why = attempt.text or attempt.code or "it does not say what it was told"
            return NodeWord(node, step, why, at_ms)
        return NodeWord(node, _BY_WORD.get(word, Step.IDLE), attempt.text, at_ms)


def _former(before: FormerNode) -> Target:
    return Target(before.former_generation, before.former_digest)


def _says(row: NodeRow, target: Target | None) -> bool:
    said = row.config.applied_digest
    return target is not None and said is not None and said == target.digest[:MARK_BYTES].hex()
