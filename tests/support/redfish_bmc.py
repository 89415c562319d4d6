"""A fake of a BMC, for fault injection: the few Redfish resources that switch a machine, over TLS.

It is no model of any product. It answers as DSP0266 says, takes its time, and does wrong what a
test tells it to: dead, of another machine, stuck, slow, refusing the credential.
"""

import base64
import contextlib
import hashlib
import json
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USER, PASSWORD = "roost-fence", "canary-of-the-bmc"
SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


def certificate(folder, address="127.0.0.1"):
    """Make a key and a certificate signed by itself; it is its own CA."""
    subprocess.run(
        ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", "bmc.key", "-out", "bmc.pem", "-subj", "/CN=bmc", "-days", "2",
         "-addext", f"subjectAltName=IP:{address}"),
        cwd=folder, check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return folder / "bmc.pem"


def pin(pem):
    """The SHA-256 of a certificate, as ``certificate_sha256`` has it."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.read_text())).hexdigest()


def credentials(folder, password=PASSWORD, mode=0o600):
    """Write a file of credentials."""
    file = folder / "bmc.toml"
    file.write_text(f'user = "{USER}"\npassword = "{password}"\n')
    file.chmod(mode)
    return file


class Bmc:
    """One that is switched on.

    Args:
        pem: its certificate, the key beside it.
        uuid: of its machine.
        listening: a bound socket, such as one of another network namespace; else loopback.
        switched: called to switch its machine On or Off.

    Attributes:
        delay_s: from an order to its effect.
        is_stuck: takes orders and does nothing.
        refuses: answers 401 to everything.
        hang: while set, nothing is answered.
        bodies: path to the body that is sent in place of the right one.
        requests: (method, path, ResetType) of all that came with the right credential.
    """

    def __init__(self, pem, uuid, listening=None, switched=None):
        self.uuid, self.power = uuid, "On"
        self.delay_s = 0.0
        self.is_stuck = self.refuses = False
        self.hang = threading.Event()
        self.bodies = {}
        self.requests = []
        self._switched = switched or (lambda _power: None)
        self._lock = threading.Lock()
        if listening is None:
            listening = socket.create_server(("127.0.0.1", 0))
        self._server = ThreadingHTTPServer(
            listening.getsockname()[:2], self._handler(), bind_and_activate=False
        )
        self._server.socket.close()
        listening.listen(16)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, pem.with_suffix(".key"))
        self._server.socket = context.wrap_socket(
            listening, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._timers = []

    @property
    def url(self):
        host, port = self._server.socket.getsockname()[:2]
        return f"https://{host}:{port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.die()

    def die(self):
        """Answer nobody any more."""
        self.hang.clear()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        for timer in self._timers:
            timer.join()

    def orders(self):
        """What it was told to do."""
        return [kind for method, _, kind in self.requests if method == "POST"]

    def reset(self, kind):
        power = {"ForceOff": "Off", "On": "On", "ForceOn": "On"}[kind]
        if self.is_stuck:
            return

        def switch():
            time.sleep(self.delay_s)
            with self._lock:
                if self.power != power:
                    self._switched(power)  # Off is said of what is off, not of what soon will be
                    self.power = power

        timer = threading.Thread(target=switch)
        timer.start()
        self._timers.append(timer)

    def resource(self, path):
        if path in self.bodies:
            return self.bodies[path]
        return {
            "/redfish/v1/Systems": {"Members": [{"@odata.id": SYSTEM}]},
            SYSTEM: {
                "@odata.id": SYSTEM, "UUID": self.uuid, "PowerState": self.power,
                "Actions": {"#ComputerSystem.Reset": {
                    "target": RESET,
                    "ResetType@Redfish.AllowableValues": ["ForceOn", "ForceOff"],
                }},
            },
        }.get(path)  # fmt: skip

    def _handler(self):
        return type("OfThisBmc", (Handler,), {"bmc": self})


class Handler(BaseHTTPRequestHandler):
    """Answers for ``bmc``."""

    bmc: Bmc
    protocol_version = "HTTP/1.1"
    timeout = 20

    def _send(self, status, body=b""):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _is_known(self, kind=""):
        while self.bmc.hang.is_set():
            time.sleep(0.02)
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.bmc.refuses or self.headers.get("Authorization") != f"Basic {token}":
            self._send(401)
            return False
        self.bmc.requests.append((self.command, self.path, kind))
        return True

    def do_GET(self):
        if self._is_known():
            found = self.bmc.resource(self.path)
            self._send(404) if found is None else self._send(200, found)

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        kind = json.loads(self.rfile.read(length))["ResetType"]
        if not self._is_known(kind):
            return
        if self.path != RESET:
            self._send(404)
            return
        self.bmc.reset(kind)
        self._send(204)

    def log_message(self, *_):
        pass

    def handle(self):
        with contextlib.suppress(OSError):  # who asked may have left
            super().handle()
