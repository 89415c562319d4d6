"""Many boxes at once: each says what ``roost-agent join`` says, on connections of its own.

Threads with blocking sockets: the handshakes run beside each other, and a box costs the machine
that is measured as little as it can.
"""

import http.client
import socket
import ssl
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from boxes import DeskBox

from roost_protocol.enrol import (
    ClaimKind,
    EnrolRequest,
    Hello,
    Issued,
    Proof,
    commitment,
    transcript,
)
from roost_protocol.join_token import JoinToken, to_text

PATIENCE_S = 60.0
ISSUED = "issued"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Where boxes go.

    Attributes:
        lanes: boxes that are on their way at a time.
    """

    url: str
    root_file: str
    server_name: str
    lanes: int

    def join(self, boxes: Iterable[tuple[DeskBox, JoinToken]]) -> Counter[str]:
        """Return how many boxes got which answer: ISSUED, or the code of a refusal."""
        context = ssl.create_default_context(cafile=self.root_file)
        with ThreadPoolExecutor(self.lanes) as lanes:
            return Counter(lanes.map(lambda each: self._joined(context, *each), boxes))

    def _joined(self, context: ssl.SSLContext, box: DeskBox, token: JoinToken) -> str:
        commit = to_text(commitment(box.nonce, box.keys.csr))
        hello = f"/api/v1/enrol/hello?commit={commit}"
        link = self._connected(context)
        said = msgspec.json.decode(self._asked(link, "GET", hello)[1], type=Hello)
        link.close()
        link = self._connected(context)  # to whom the root stands for
        try:
            body = msgspec.json.encode(self._request(box, token, said))
            status, raw = self._asked(link, "POST", "/api/v1/enrol", body)
        finally:
            link.close()
        if status == 200:
            msgspec.json.decode(raw, type=Issued)
            return ISSUED
        problem = msgspec.json.decode(raw)
        return str(problem["errors"][0]["code"] if problem.get("errors") else problem.get("code"))

    def _request(self, box: DeskBox, token: JoinToken, hello: Hello) -> EnrolRequest:
        request = box.unsigned(hello.server_nonce)
        proof = Proof(claim=token.claim, secret=token.secret)
        request = msgspec.structs.replace(request, kind=ClaimKind.TOKEN, proof=proof)
        return msgspec.structs.replace(request, signature=box.keys.sign(transcript(request)))

    def _connected(self, context: ssl.SSLContext) -> http.client.HTTPConnection:
        """Return a connection to the address, checked for the listener's own name."""
        parts = urlsplit(self.url)
        link = http.client.HTTPConnection(str(parts.hostname), parts.port)
        plain = socket.create_connection((link.host, link.port), PATIENCE_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.sock = context.wrap_socket(plain, server_hostname=self.server_name)
        return link

    def _asked(
        self, link: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, bytes]:
        link.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        with link.getresponse() as answer:
            return answer.status, answer.read()
