"""pysnmp's engine, renewed before it grows old, with a boot count of our own.

What pysnmp 7.1 needs to be told (read in its source, and measured):

- it keeps ``snmpEngineBoots`` under the system's temporary directory: where that is wiped,
  receivers drop every SNMPv3 message without a word. Here the count is a row of the database, one
  more and committed before the first message, and set right after the engine is built;
- it grows by the message (#70, #137), so a new engine, which is a boot too, takes over each day or
  after MESSAGES_MAX messages;
- it does not check who may read unless the tree asks: ``_Instrument`` does, for each request.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from pysnmp.carrier.asyncio.dgram import udp, udp6
from pysnmp.entity import config as snmp
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdrsp, context, ntforg
from pysnmp.proto.api import v2c
from pysnmp.proto.rfc1902 import ObjectName, OctetString
from pysnmp.proto.rfc1905 import endOfMibView, noSuchInstance
from pysnmp.smi.instrum import AbstractMibInstrumController

from roost_central.config_section import secret
from roost_central.northbound.config import SnmpAgentConfig, SnmpUser
from roost_central.northbound.snmp.mib import ENTERPRISE, Binding
from roost_central.northbound.snmp.tree import AlarmTree
from roost_central.ports import Clock, Entropy
from roost_central.storage.engine import Database
from roost_central.storage.northbound import boot_engine

logger = logging.getLogger(__name__)

LIFE_MS: Final = 86_400_000
MESSAGES_MAX: Final = 100_000
TIMEOUT_S: Final = 1.0  # of one attempt of an inform
RETRIES: Final = 5  # of an inform, by pysnmp, before the attempt counts as failed
DRAIN_S_MAX: Final = 30.0  # longer than an inform's attempts; then the old engine goes anyway
SERVED_DOMAIN: Final = 1  # of the agent's own transport, beside the one that sends
AUTH: Final = {"sha": snmp.USM_AUTH_HMAC96_SHA, "sha256": snmp.USM_AUTH_HMAC192_SHA256}
_FRAMEWORK: Final = "__SNMP-FRAMEWORK-MIB"
V2C, V3 = 1, 3  # message processing models
V2C_SECURITY, USM = 2, 3  # security models

Address = tuple[str, int]


class SnmpPort:
    """The one engine of this process, and what is registered with it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        entropy: Entropy,
        *,
        tree: AlarmTree,
        agent: SnmpAgentConfig | None = None,
    ) -> None:
        self.boots = 0
        self.engine_id = b""
        self._database = database
        self._clock = clock
        self._entropy = entropy
        self._tree = tree
        self._agent = agent
        self._engine: SnmpEngine | None = None
        self._sender: Any = None
        self._receivers: dict[str, tuple[Address, SnmpUser]] = {}
        self._known: dict[str, str] = {}  # a user as configured -> its security name
        self._born_ms = 0
        self._messages = 0
        self._flying = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._renewing = asyncio.Lock()

    @property
    def uptime_cs(self) -> int:
        """Hundredths of a second since this engine was built: sysUpTime."""
        return (self._clock.boot_ms() - self._born_ms) // 10

    async def open(self) -> None:
        """Count a boot, then build the engine.

        Raises:
            StorageUnavailableError: the boot could not be committed: nothing is sent.
            ConfigError: a secret cannot be used.
            OSError: the agent's address cannot be used.
        """
        async with self._database.write() as connection:
            self.engine_id, self.boots = await boot_engine(connection, self._entropy)
        self._build()
        logger.info("SNMP engine %s, boot %d", self.engine_id.hex(), self.boots)

    def close(self) -> None:
        """Close the engine's sockets."""
        if self._engine is not None:
            self._engine.close_dispatcher()
            self._engine = None

    def add_receiver(self, name: str, address: Address, who: SnmpUser) -> None:
        """Register a receiver, or its new address."""
        if self._receivers.get(name) == (address, who):
            return
        if name in self._receivers:
            snmp.delete_target_address(self._engine, name)
            snmp.delete_target_parameters(self._engine, f"{name}-how")
        self._receivers[name] = (address, who)
        self._register(name)

    async def send(self, name: str, bindings: Sequence[Binding], *, confirmed: bool) -> str:
        """Send one notification; returns what went wrong, empty where nothing did.

        A trap is sent, and nobody knows more; an inform is acknowledged.
        """
        async with self._turn():
            pdu = v2c.InformRequestPDU() if confirmed else v2c.SNMPv2TrapPDU()
            v2c.apiPDU.set_defaults(pdu)
            v2c.apiPDU.set_varbinds(pdu, list(bindings))
            answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()

            def on_answer(_engine: object, _handle: object, error: object, *_: object) -> None:
                if not answered.done():
                    answered.set_result("" if error is None else str(error))

            self._sender.send_pdu(self._engine, name, None, "", pdu, on_answer, None)
            if not confirmed:
                return ""
            async with asyncio.timeout(DRAIN_S_MAX):
                return await answered

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait for an engine that is not too old, and keep it while a message is on its way."""
        age_ms = self._clock.boot_ms() - self._born_ms
        if self._renewing.locked() or age_ms >= LIFE_MS or self._messages >= MESSAGES_MAX:
            async with self._renewing:
                await self._renew_if_old()
        self._messages += 1
        self._flying += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._flying -= 1
            if not self._flying:
                self._idle.set()

    async def _renew_if_old(self) -> None:
        age_ms = self._clock.boot_ms() - self._born_ms
        if age_ms < LIFE_MS and self._messages < MESSAGES_MAX:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S_MAX):
                await self._idle.wait()
        async with self._database.write() as connection:
            self.engine_id, self.boots = await boot_engine(connection, self._entropy)
        self.close()
        self._build()
        logger.info("SNMP engine renewed, boot %d", self.boots)

    def _build(self) -> None:
        engine = SnmpEngine()  # with an id of its own it would read and write its boots itself
        mibs = engine.get_mib_builder()
        own_id, boots = mibs.import_symbols(_FRAMEWORK, "snmpEngineID", "snmpEngineBoots")
        own_id.syntax = engine.snmpEngineID = own_id.syntax.clone(self.engine_id)
        boots.syntax = boots.syntax.clone(self.boots)
        self._engine = engine
        self._known = {}
        self._born_ms = self._clock.boot_ms()
        self._messages = 0
        snmp.add_transport(engine, udp.DOMAIN_NAME, udp.UdpTransport().open_client_mode())
        self._sender = ntforg.NotificationOriginator()
        for name in self._receivers:
            self._register(name)
        if self._agent is not None:
            self._serve(self._agent)

    def _register(self, name: str) -> None:
        address, who = self._receivers[name]
        model = V3 if who.version == "3" else V2C
        level = "authPriv" if who.version == "3" else "noAuthNoPriv"
        security_name = self._user(who)
        snmp.add_target_parameters(self._engine, f"{name}-how", security_name, level, model)
        domain = udp.DOMAIN_NAME
        if ":" in address[0]:
            domain = udp6.DOMAIN_NAME
            if snmp.get_transport(self._engine, domain) is None:
                snmp.add_transport(self._engine, domain, udp6.Udp6Transport().open_client_mode())
        snmp.add_target_address(
            self._engine,
            name,
            domain,
            address,
            f"{name}-how",
            timeout=TIMEOUT_S * 100,
            retryCount=RETRIES,
        )

    def _user(self, who: SnmpUser) -> str:
        """Register a community or a user once; returns its security name."""
        key = repr(who)
        if key in self._known:
            return self._known[key]
        if who.version == "3":
            auth = secret(who.auth_file) if who.auth_file else b""
            priv = secret(who.priv_file) if who.priv_file else b""
            name = who.user
            snmp.add_v3_user(
                self._engine,
                name,
                AUTH[who.auth],
                OctetString(auth),
                snmp.USM_PRIV_CFB128_AES,
                OctetString(priv),
            )
        else:
            name = f"community-{len(self._known)}"
            community = secret(who.community_file) if who.community_file else b""
            snmp.add_v1_system(self._engine, name, OctetString(community))
        self._known[key] = name
        return name

    def _serve(self, agent: SnmpAgentConfig) -> None:
        """Answer GET, GETNEXT and GETBULK of one user, below our enterprise."""
        is_ipv6 = ":" in agent.host
        transport = udp6.Udp6Transport() if is_ipv6 else udp.UdpTransport()
        domain = (*(udp6 if is_ipv6 else udp).DOMAIN_NAME, SERVED_DOMAIN)
        where = (agent.host, agent.port)
        snmp.add_transport(self._engine, domain, transport.open_server_mode(where))
        name = self._user(agent.who)
        if agent.who.version == "3":
            snmp.add_vacm_user(self._engine, USM, name, "authPriv", ENTERPRISE)
        else:
            snmp.add_vacm_user(self._engine, V2C_SECURITY, name, "noAuthNoPriv", ENTERPRISE)
        served = context.SnmpContext(self._engine)
        served.unregister_context_name(b"")
        served.register_context_name(b"", _Instrument(self._tree))
        cmdrsp.GetCommandResponder(self._engine, served)
        cmdrsp.NextCommandResponder(self._engine, served)
        cmdrsp.BulkCommandResponder(self._engine, served)


class _Instrument(AbstractMibInstrumController):  # type: ignore[misc] # pysnmp has no types
    """The tree as pysnmp asks for it."""

    def __init__(self, tree: AlarmTree) -> None:
        self._tree = tree

    def read_variables(self, *bindings: Any, **asked: Any) -> list[Binding]:  # noqa: ANN401
        """Answer GET."""
        return [self._get(binding, asked) for binding in bindings]

    def read_next_variables(self, *bindings: Any, **asked: Any) -> list[Binding]:  # noqa: ANN401
        """Answer GETNEXT, and each step of GETBULK."""
        return [self._next(binding, asked) for binding in bindings]

    def _get(self, binding: Binding, asked: dict[str, Any]) -> Binding:
        name, _ = binding
        _check(name, asked)
        value = self._tree.get(tuple(name))
        return name, noSuchInstance if value is None else value

    def _next(self, binding: Binding, asked: dict[str, Any]) -> Binding:
        name, _ = binding
        found = self._tree.after(tuple(name))
        _check(ENTERPRISE, asked)
        if found is None:
            return name, endOfMibView
        return ObjectName(found[0]), found[1]


def _check(name: Any, asked: dict[str, Any]) -> None:  # noqa: ANN401 - a type of pysnmp
    """Ask access control: a user who may read must say so with both keys.

    Raises:
        SmiError: ``authorizationError``: pysnmp answers it.
    """
    below = tuple(name)[: len(ENTERPRISE)] == ENTERPRISE
    asked["acFun"]("read", (ObjectName(name if below else ENTERPRISE), None), **asked, idx=0)
