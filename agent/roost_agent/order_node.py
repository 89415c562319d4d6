"""What the acts of orders work with: the parts of the running agent, behind one narrow door."""

from typing import TYPE_CHECKING

from roost_agent.bmc.allowed import boards_refuse
from roost_agent.bmc.seat import NotTakenError
from roost_agent.control.message import Answer, HaRequest
from roost_agent.driver import Driver
from roost_agent.errors import AgentError
from roost_agent.host.act import LOCKS, ActRefusedError
from roost_agent.orders.verbs.handler import ActError, LaterError, Placed
from roost_agent.renewal import Renewal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from roost_agent.bmc.service import BoardControllers
    from roost_agent.host.act import Wanted
    from roost_agent.reinstall.install import Reinstall
    from roost_agent.update.service import Updates
    from roost_protocol.host_verbs import HostReinstall


class OrderNode:
    """This node, as orders see it.

    Args:
        driver: the running agent.
        renewal: of its identity.
        ask_ha: what a person on the node asks local HA by.
    """

    def __init__(
        self, driver: Driver, renewal: Renewal, ask_ha: "Callable[[HaRequest], Answer]"
    ) -> None:
        self._driver = driver
        self._renewal = renewal
        self._ask_ha = ask_ha
        self._reinstall: Reinstall | None = None

    @property
    def boot_id(self) -> bytes:
        """See Node."""
        return self._driver.identity.boot_id

    @property
    def generation(self) -> int:
        """See Node."""
        return self._renewal.facts.generation

    @property
    def has_ha(self) -> bool:
        """See Node."""
        return bool(self._driver.config.ha_file)

    async def look(self, classes: list[str]) -> str:
        """See Node."""
        survey = self._driver.survey
        survey.reprobe(classes)
        await survey.looked()
        while survey.probing:  # one ran already, so ours came after it
            await survey.looked()
        if survey.fault:
            raise ActError("probe", survey.fault)
        gen = 0 if survey.mark is None else survey.mark.gen
        return f"{', '.join(classes) or 'all'} discovered, inventory generation {gen}"

    def say_again(self, what: str) -> None:
        """See Node."""
        if what == "alarms":
            self._driver.alarms.resync()
        else:
            self._driver.survey.resync([])

    def ask_ha(self, request: HaRequest) -> Answer:
        """See Node."""
        return self._ask_ha(request)

    @property
    def settings_digest(self) -> str:
        """See Node."""
        settings = self._driver.settings
        return "" if settings is None else settings.digest

    @property
    def settings_tried(self) -> str:
        """See Node."""
        settings = self._driver.settings
        return "" if settings is None else settings.tried

    async def act_on_host(self, wanted: "Wanted", node: str, nonce: str) -> str:
        """See Node."""
        me = self._driver.config.node
        host, acts = self._driver.host, self._driver.acts
        assert host is not None  # noqa: S101 - the agent began with both
        assert acts is not None  # noqa: S101 - as above
        if node != me and wanted.verb not in LOCKS:
            text = f"this is {me}: an act on {node} is ordered of {node} itself"
            raise ActError("wrong-host", text)
        try:
            if node != me:
                from roost_agent.host.leaving import lock_silent  # noqa: PLC0415 - seldom

                return await lock_silent(host, wanted, node)
            return await acts.do(wanted, nonce)
        except ActRefusedError as err:
            raise ActError(err.code, str(err)) from err

    async def act_on_board(self, node: str, verb: str, *, expect: str, force: bool) -> str:
        """See Node."""
        boards, host = self._driver.boards, self._driver.host
        if boards is None or not boards.has(node):
            text = f"{node} has no board controller that this node reaches: by hand, or host-reboot"
            raise ActError("not-supported", text)
        assert host is not None  # noqa: S101 - the agent began with it

        def why_not() -> str:
            return boards_refuse(host.report(), node, verb, expect=expect, force=force)

        if why := why_not():
            raise ActError("state", why)
        seen = ""

        def again() -> str:
            nonlocal seen
            seen = why_not()  # it may have waited behind another act
            return seen

        if why := await boards.act(node, verb, again):
            if seen:
                raise ActError("state", seen)
            code = why.partition(":")[0]
            raise ActError(code if code in {"unconfirmed", "budget"} else "bmc", why)
        return f"{verb} of {node}: read by its board controller"

    async def reinstall(self, given: "HostReinstall") -> str:
        """See Node."""
        boards, host, config = self._board(given.node), self._driver.host, self._driver.config
        assert host is not None  # noqa: S101 - the agent began with it
        from roost_agent.reinstall import allowed, fault  # noqa: PLC0415 - seldom

        if self._reinstall is None:
            from roost_agent.reinstall import of_agent  # noqa: PLC0415 - seldom

            self._reinstall = of_agent.reinstall_of(boards, host, config)

        def may() -> str:
            return allowed.refusal(host.report(), given.node, config.node, given.expect)

        try:
            return await self._reinstall.do(given, may)
        except fault.NotInstalledError as err:
            raise ActError(err.code, str(err)) from err

    async def take_boards(self, sealed: bytes) -> str:
        """See Node."""
        seat = self._driver.board_seat
        assert seat is not None  # noqa: S101 - the agent began with it
        try:
            return await seat.take(self._driver.identity.node, sealed)
        except NotTakenError as err:
            raise ActError("sealed", str(err)) from err

    async def test_board(self, node: str) -> str:
        """See Node."""
        answer = await self._board(node).test(node)
        if answer.fault:
            raise ActError(answer.fault, answer.why)
        known = answer.known
        who = " ".join(each for each in (known.maker, known.model, known.uuid) if each)
        return f"{node}: {who or 'a machine'}, by {known.type}, power {answer.power}"

    async def relearn_board(self, node: str) -> str:
        """See Node."""
        self._board(node).relearn(node)
        return await self.test_board(node)

    def _board(self, node: str) -> "BoardControllers":
        boards = self._driver.boards
        if boards is None or not boards.has(node):
            raise ActError("not-supported", f"{node} has no board controller that this node reads")
        return boards

    async def host_went_on(self, verb: str) -> str:
        """See Node."""
        acts = self._driver.acts
        assert acts is not None  # noqa: S101 - as above
        try:
            return await acts.again(verb)
        except ActRefusedError as err:
            raise ActError(err.code, str(err)) from err

    async def configure(self, placed: Placed, digest: str) -> str:
        """See Node."""
        settings = self._driver.settings
        if settings is None:
            raise ActError("helper", "nothing here can apply settings: there is no roost-helper")
        from roost_agent.config_apply.service import (  # noqa: PLC0415 - as there
            HeldError,
            NotAppliedError,
        )

        try:
            return await settings.apply(placed.message, placed.order.seq, digest)
        except HeldError as err:
            raise LaterError("window", str(err)) from err
        except NotAppliedError as err:
            raise ActError(err.code, str(err)) from err

    async def take_update(self, job: str, attempt: int, body: bytes) -> str:
        """See Node."""
        return await self._of_updates(self._updates().take(job, attempt, body))

    async def cancel_update(self, job: str) -> str:
        """See Node."""
        return await self._of_updates(self._updates().cancel(job))

    def has_update(self, job: str, attempt: int) -> bool:
        """See Node."""
        updates = self._driver.updates
        return updates is not None and updates.knows(job, attempt)

    def _updates(self) -> "Updates":
        updates = self._driver.updates
        if updates is None:
            where = self._driver.config.updates.trust
            raise ActError(
                "helper", f"nothing installs updates here: no roost-helper, or no {where}"
            )
        return updates

    @staticmethod
    async def _of_updates(asked: "Coroutine[None, None, str]") -> str:
        from roost_agent.update.intake import RejectedError  # noqa: PLC0415 - as there

        try:
            return await asked
        except RejectedError as err:
            raise ActError(err.code, str(err)) from err

    async def renew(self) -> None:
        """See Node."""
        why = await self._renewal.now()
        if why:
            raise ActError("renewal", why)

    async def reboot(self, reason: str, nonce: str) -> None:
        """See Node."""
        from roost_agent.helper_client import HelperError, ask  # noqa: PLC0415 - brings json

        try:
            socket = self._driver.config.settings.helper
            await ask("reboot", socket=socket, reason=reason, nonce=nonce)
        except HelperError as err:
            raise ActError(err.error, str(err)) from err
        except AgentError as err:
            raise ActError("helper", str(err)) from err
