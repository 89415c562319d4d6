"""A path over MQTT, with aiomqtt (on paho).

What these libraries do that one must know, and what is done about it here:
- ``connect`` blocks in a thread of the loop's default executor, a resolver that hangs even longer
  than any timeout: connect_threads() gives that executor enough threads for every path, and the
  outbox has a thread of its own;
- a connection that was given up can still come to life in that thread, and would then fight the
  next one for the client id: _abandon() ends it whenever it does;
- a broker that closes before its CONNACK is seen only as a timeout: _Client notices;
- why a socket ended goes to paho's log alone, at ERROR, and its callers get code 128: _PahoLog
  keeps it, for what the broker's TLS says of our certificate;
- a message is acknowledged before anyone has read it, and a full queue discards: nothing rests on
  an acknowledgement (design, architecture section 7).
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import roost_agent.lean  # noqa: F401 - for what its import does, before the next one

# isort: split
import aiomqtt

from roost_agent.config import PathConfig, TlsConfig
from roost_agent.errors import LinkError
from roost_agent.paths.link import Dial, Message
from roost_agent.paths.source import address_of
from roost_protocol.tls import NO_CHECK_TIME, NamedContext

CONNECT_S: Final = 10.0  # for CONNACK; TCP itself has paho's 5 s before
LEAVE_S: Final = 2.0  # for a DISCONNECT that nobody needs
ACK_S: Final = 30.0  # for SUBACK and PUBACK; the path core stops waiting earlier
KEEPALIVE_S: Final = 30  # a dead peer is found within twice that, without any traffic of ours
INCOMING_MAX: Final = 256  # unread messages: receipts and echoes, both repeated when lost
OUTGOING_MAX: Final = 64
INFLIGHT_MAX: Final = 20  # Mosquitto's own limit; two lanes of reports and a question fit
CONNECTS_HANGING: Final = 4  # per path: a resolver's 30 s over our 10 s, and one to go on
PASSWORD_BYTES_MAX: Final = 1_024

_CLOSED: Final = "the broker closed before it answered"
_ENDED: Final = "the broker closed the connection"
_UNSPECIFIED: Final = 128  # paho's code for any end that is not an answer
_ALERTS: Final = {  # RFC 8446, 6.2, as OpenSSL spells it after the version: what it says of ours
    "ALERT_CERTIFICATE_REVOKED": "revoked, or replaced by another box's; at the centre "
    "`roost node identity NODE` tells. To make this box a node again: roost-agent join",
    "ALERT_CERTIFICATE_EXPIRED": "it has ended, or the broker's clock is wrong",
    "ALERT_UNKNOWN_CA": "its issuer is none of the broker's",
    "ALERT_CERTIFICATE_REQUIRED": "none was shown",
    "ALERT_BAD_CERTIFICATE": "it is not one that the broker can check",
    "ALERT_UNSUPPORTED_CERTIFICATE": "it is not for a client",
    "ALERT_CERTIFICATE_UNKNOWN": "the broker does not say why",
}
_REFUSED_V311: Final = {4, 5}  # bad user name or password, not authorised (MQTT 3.1.1, table 3.1)
_REFUSED_V5: Final = {134, 135}  # how paho names the same two

log = logging.getLogger(__name__)


def connect_threads(paths: int) -> ThreadPoolExecutor:
    """Return the loop's default executor: threads start when needed, and nothing else uses it."""
    return _Abandonable(CONNECTS_HANGING * paths, thread_name_prefix="connect")


class _Abandonable(ThreadPoolExecutor):
    """Does not wait for a hanging connect when the loop ends."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - its signature
        super().shutdown(wait=False, cancel_futures=True)


class _PahoLog(logging.Logger):
    """The log of one connection: what it tells of a socket's end is kept, the rest passed on."""

    def __init__(self) -> None:
        super().__init__("paho")
        self.parent = log
        self.broke: OSError | None = None

    def log(self, level: int, msg: object, *args: object, **more: Any) -> None:  # noqa: ANN401 - logging's
        """Take a line; an error of the socket becomes the reason of the path."""
        if args and isinstance(args[0], OSError):
            self.broke, level = args[0], logging.DEBUG
        super().log(level, msg, *args, **more)


class _Client(aiomqtt.Client):
    """Notices a broker that closes before it said yes or no, and keeps why it did."""

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - as aiomqtt takes them
        self.lines = _PahoLog()
        super().__init__(*args, logger=self.lines, **more)

    def _on_disconnect(
        self,
        client: Any,  # noqa: ANN401 - paho's callback
        userdata: Any,  # noqa: ANN401 - paho's callback
        flags: Any,  # noqa: ANN401 - paho's callback
        reason_code: Any,  # noqa: ANN401 - paho's callback
        properties: Any = None,  # noqa: ANN401 - paho's callback
    ) -> None:
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError(_CLOSED))
            return
        super()._on_disconnect(client, userdata, flags, reason_code, properties)


class MqttLink:
    """See Link."""

    def __init__(self, client: _Client) -> None:
        self._client = client

    async def publish(self, topic: str, payload: bytes, *, qos: int) -> bool:
        """See Link."""
        try:
            async with asyncio.timeout(ACK_S):
                await self._client.publish(topic, payload, qos=qos, timeout=2 * ACK_S)
        except TimeoutError:
            return False
        except (aiomqtt.MqttError, OSError, ValueError) as err:
            raise LinkError(f"publish: {err}") from err
        return True

    async def messages(self) -> AsyncIterator[Message]:
        """See Link."""
        try:
            async for message in self._client.messages:
                payload = message.payload
                if isinstance(payload, bytes | bytearray):
                    yield Message(str(message.topic), bytes(payload))
        except (aiomqtt.MqttError, OSError) as err:
            raise _ending(err, self._client.lines.broke) from err


class MqttDialer:
    """See Dialer."""

    @asynccontextmanager
    async def connect(self, dial: Dial) -> AsyncIterator[MqttLink]:
        """See Dialer."""
        client = _client(dial)
        try:
            await client.__aenter__()
        except BaseException as err:
            _abandon(client)
            if isinstance(err, aiomqtt.MqttError | OSError | ValueError):
                raise _connect_error(err, dial.path, client.lines.broke) from err
            raise
        try:
            await _subscribe(client, dial)
            yield MqttLink(client)
        finally:
            await _leave(client)


def _client(dial: Dial) -> _Client:
    path = dial.path
    bind = address_of(dial.source) if dial.source else path.bind
    will = None
    if dial.will_topic is not None:
        will = aiomqtt.Will(dial.will_topic, dial.will, qos=0)
    try:
        return _Client(
            path.host,
            path.port,
            identifier=dial.client_id,
            username=path.username,
            password=_password(path),
            will=will,
            clean_session=True,
            timeout=CONNECT_S,
            keepalive=KEEPALIVE_S,
            bind_address=bind,
            max_queued_incoming_messages=INCOMING_MAX,
            max_queued_outgoing_messages=OUTGOING_MAX,
            max_inflight_messages=INFLIGHT_MAX,
            tls_context=(
                None if path.tls is None else _tls(path.tls, checks_dates=dial.checks_dates)
            ),
        )
    except (OSError, ssl.SSLError) as err:
        raise LinkError(f"credentials: {err}", refused=True) from err


def _password(path: PathConfig) -> str | None:
    if path.password_file is None:
        return None
    with Path(path.password_file).open() as file:
        return file.read(PASSWORD_BYTES_MAX).rstrip("\n")


def _tls(tls: TlsConfig, *, checks_dates: bool) -> ssl.SSLContext:
    context = NamedContext.of(tls.server_name, Path(tls.ca_file))
    if not checks_dates:
        context.verify_flags |= NO_CHECK_TIME
    if tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    return context


async def _subscribe(client: aiomqtt.Client, dial: Dial) -> None:
    try:
        wanted = [(topic, 1) for topic in dial.subscriptions]
        codes = await client.subscribe(wanted, timeout=ACK_S)
    except (aiomqtt.MqttError, OSError) as err:
        raise LinkError(f"subscribe: {_innermost(err)}") from err
    failure = 0x80  # MQTT 3.1.1, 3.9.3; MQTT 5's refusals are above
    if any((code if isinstance(code, int) else code.value) >= failure for code in codes):
        raise LinkError(f"the broker forbids {', '.join(dial.subscriptions)}", refused=True)


async def _leave(client: aiomqtt.Client) -> None:
    try:
        async with asyncio.timeout(LEAVE_S):
            await client.__aexit__(None, None, None)
    except (aiomqtt.MqttError, TimeoutError, OSError) as err:
        log.debug("disconnect: %s", err)
    finally:
        _abandon(client)


def _abandon(client: aiomqtt.Client) -> None:
    """End a connection that was given up, now or when its thread gets it through."""
    paho = client._client  # noqa: SLF001 - aiomqtt offers no way to stop a connect
    paho.on_connect = lambda late, *_args: late.disconnect()
    paho.disconnect()


def _connect_error(err: BaseException, path: PathConfig, broke: OSError | None) -> LinkError:
    if refusal := _refusal(broke or err.__context__):  # TLS 1.3 refuses us after the handshake
        return refusal
    code = getattr(err, "rc", None)
    value = getattr(code, "value", code)
    if value in _REFUSED_V5 or (isinstance(code, int) and code in _REFUSED_V311):
        return LinkError(f"refused: {err}", refused=True)
    # A TLS 1.3 broker that refuses our certificate just closes (design, reliability section 1).
    if str(err) == _CLOSED and path.tls is not None and path.tls.cert_file is not None:
        return LinkError(f"refused, most likely for our certificate: {err}", refused=True)
    return LinkError(str(err) or type(err).__name__)


def _ending(err: BaseException, broke: OSError | None) -> LinkError:
    """Return why a connection ended that had been made."""
    cause = err.__cause__ or err
    code = getattr(cause, "rc", None)
    if getattr(code, "value", code) != _UNSPECIFIED:
        return LinkError(str(cause))
    return _refusal(broke) or LinkError(_ENDED if broke is None else str(broke))


def _refusal(err: BaseException | None) -> LinkError | None:
    """Return what a TLS alert of the broker's says of our certificate, None where it is none."""
    alert = str(err.reason) if isinstance(err, ssl.SSLError) else ""
    for name, said in _ALERTS.items():
        if alert.endswith(name):
            return LinkError(f"the broker refuses this node's certificate: {said}", refused=True)
    return None


def _innermost(err: BaseException) -> str:
    return str(err.__cause__ or err)
