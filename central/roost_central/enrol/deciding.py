"""Has the core decide of boxes: of all that wait in one transaction.

Invariants:
- who shows no claim, although it has to, is told so without the only write lock (strangers.py);
- what is decided, spent and audited of a batch is one transaction, and its boxes get what they
  would have got one after the other (ledger.py);
- nothing is written of a claim that was not shown, or of a box that is refused.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.enrol import core
from roost_central.enrol.batch import Batch
from roost_central.enrol.caller import Caller
from roost_central.enrol.group import Group
from roost_central.enrol.guesses import Guesses
from roost_central.enrol.holder import holder_of
from roost_central.enrol.ledger import Ledger, look, look_around, site_of
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.states import State
from roost_central.enrol.strangers import Strangers
from roost_central.fleet import node_labels
from roost_central.fleet.labels import LabelChange
from roost_central.fleet.view import FleetView
from roost_central.storage import enrolments
from roost_central.storage.claims import ClaimRecord
from roost_central.storage.engine import Database
from roost_central.storage.enrolments import EnrolmentRecord
from roost_protocol.topics import node_id


class Deciding:
    """Decides of boxes."""

    def __init__(self, database: Database, view: FleetView, guesses: Guesses) -> None:
        self._database = database
        self._view = view
        self._strangers = Strangers(database, guesses)
        self._callers = Group(self._together)

    async def decide(self, caller: Caller) -> EnrolmentRecord:
        """Return a box as it is after what was decided of it.

        Raises:
            RefusedError: it is not let in.
        """
        return await self._callers.ask(caller)

    async def _together(self, callers: Sequence[Caller]) -> list[EnrolmentRecord | Exception]:
        strange = await self._strangers.among(callers)
        known = [each for each, is_strange in zip(callers, strange, strict=True) if not is_strange]
        decided = iter(await self._decided(known) if known else ())
        return [
            RefusedError("claim-unknown", core.UNKNOWN) if is_strange else next(decided)
            for is_strange in strange
        ]

    async def _decided(self, callers: Sequence[Caller]) -> list[EnrolmentRecord | Exception]:
        """Decide and write; return each box as it is now, or why it is not let in."""
        outcomes: list[EnrolmentRecord | Exception] = []
        asked = [(caller.proven, caller.rule) for caller in callers]
        async with self._database.write() as connection:
            ledger = await look(connection, [proven for proven, _ in asked], hold=True)
            await look_around(connection, ledger, asked, self._view)
            batch, labels = Batch(ledger), dict[str, dict[str, str]]()
            for caller in callers:
                action = await self._action(connection, batch, caller)
                labels |= self._labels(caller, action)
                outcomes.append(
                    RefusedError(action.code, action.detail)
                    if isinstance(action, core.Refuse)
                    else batch.note(caller, action)
                )
            await batch.write(connection)
            if labels:
                await node_labels.write(connection, labels)
        node_labels.show(self._view, labels)
        return outcomes

    def _labels(self, caller: Caller, action: core.Action) -> dict[str, dict[str, str]]:
        """Return the labels that a node has from the rule on that lets its box in."""
        rule = caller.rule
        if rule is None or not rule.labels or not isinstance(action, core.Admit):
            return {}
        node = node_id(action.site, action.node)
        row = self._view.nodes.get(node)
        if row is None or action.by != rule.author:
            return {}
        return {node: LabelChange(dict(rule.labels)).applied(row.labels)}

    async def _action(
        self, connection: AsyncConnection, batch: Batch, caller: Caller
    ) -> core.Action:
        vouched, holder = caller.proven.vouched, ""
        if vouched is not None:
            await batch.write(connection)  # the box before it may have the same factory key
            holder = await holder_of(connection, vouched, caller.key_hash)
        action = self._handled(batch.ledger, caller, holder)
        if isinstance(action, core.Queue) and batch.ledger.waiting is None:
            batch.ledger.waiting = await enrolments.count(connection, State.PENDING)
            action = self._handled(batch.ledger, caller, holder)
        if vouched is not None and isinstance(action, core.Queue):  # it waits once, by its last key
            await enrolments.forget_waiting(connection, vouched.claim, but=caller.key_hash)
        return action

    def _handled(self, ledger: Ledger, caller: Caller, holder: str) -> core.Action:
        known, back = self._known(ledger, caller, holder), caller.returned
        if back is not None:
            return core.returned(back.site, back.reason, known, caller.now_ms)
        request = caller.proven.request
        asked = core.Asked(request.kind, caller.address, request.wish)
        return core.handle(asked, known, caller.now_ms)

    def _known(self, ledger: Ledger, caller: Caller, holder: str) -> core.Known:
        proven = caller.proven
        shown = ledger.shown(proven)
        return core.Known(
            claim=_claim(shown.claim),
            listed=_claim(shown.listed),
            rule=caller.rule,
            voucher=str(proven.vouched or ""),
            holder=holder,
            prior=ledger.prior(caller.key_hash),
            empty=ledger.empty(self._view, site_of(ledger, proven, caller.rule)),
            boxes={each.node: ledger.box_in(f"{each.site}.{each.node}") for each in shown.named},
            waiting=ledger.waiting or 0,
        )


def _claim(record: ClaimRecord | None) -> core.Claim | None:
    if record is None:
        return None
    return core.Claim(
        id=record.id,
        site=record.site,
        node=record.node,
        nodes_max=record.nodes_max,
        used=record.used,
        auto_approve=record.lets_in_by_itself,
        broker=record.broker,
        not_after_ms=record.not_after_ms,
        is_revoked=record.revoked_ms is not None,
        cidr=record.cidr,
        replaces=record.replaces,
    )
