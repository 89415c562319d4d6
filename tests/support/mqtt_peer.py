"""A plain MQTT 5 client over TLS that says what the broker answered; by paho, in a thread."""

import ssl
from queue import Empty, Queue

import paho.mqtt.client as mqtt
from waiting import wait_until

WAIT_S = 30
NOT_AUTHORISED = 135  # MQTT 5.0, section 2.4


class Peer:
    """One connection; it ends with the context."""

    def __init__(  # noqa: PLR0913 - what a connection may differ in
        self, port, root, files=None, *, client_id="", name="b1.svc.edge.example", will=None
    ):
        self.came = Queue()
        self.ended = []
        self._acknowledged = {}
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5
        )
        self._context = None if root is None else _Named.of(name, root, files)
        if self._context is not None:
            self._client.tls_set_context(self._context)
        if will is not None:
            self._client.will_set(*will)
        self._client.on_message = lambda _c, _u, message: self.came.put(message)
        self._client.on_publish = self._published
        self._client.on_subscribe = lambda _c, _u, mid, codes, _p: self._acknowledged.update(
            {mid: codes[0].value}
        )
        self._client.on_disconnect = lambda _c, _u, _f, code, _p: self.ended.append(code)
        self._client.on_connect = lambda _c, _u, _f, code, _p: self._acknowledged.update(
            {"connect": code.value}
        )
        self._port = port

    def __enter__(self):
        try:
            self._client.connect("127.0.0.1", self._port, keepalive=30)
        except OSError:  # paho leaves its socket open
            if self._context is not None and self._context.socket is not None:
                self._context.socket.close()
            self._client._reset_sockets()
            raise
        self._client.reconnect_delay_set(60, 60)
        self._client.loop_start()
        try:
            self._answer("connect")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()
        self._client._reset_sockets()  # else it leaves them to the garbage collector

    def publish(self, topic, payload=b"x", *, retain=False):
        """Send at QoS 1 and return the reason code of the broker's answer; below 128 is yes."""
        return self._answer(self._client.publish(topic, payload, qos=1, retain=retain).mid)

    def subscribe(self, topic):
        return self._answer(self._client.subscribe(topic, qos=1)[1])

    def next(self, within_s=WAIT_S):
        """Return topic and payload of the next message, None where none comes."""
        try:
            message = self.came.get(timeout=within_s)
        except Empty:
            return None
        return message.topic, message.payload

    def _published(self, _client, _userdata, mid, code, _properties):
        self._acknowledged[mid] = code.value

    def _answer(self, key):
        wait_until(
            lambda: key in self._acknowledged or self.ended, "the broker's answer", seconds=WAIT_S
        )
        if key not in self._acknowledged:
            raise ConnectionError(f"closed: {self.ended[0]}")
        return self._acknowledged[key]


class _Named(ssl.SSLContext):
    """Checks for a name that is not the address."""

    @classmethod
    def of(cls, name, root, files):
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(root)
        if files is not None:
            context.load_cert_chain(*files)
        context.name, context.socket = name, None
        return context

    def wrap_socket(self, sock, **said):
        self.socket = super().wrap_socket(sock, **{**said, "server_hostname": self.name})
        return self.socket
