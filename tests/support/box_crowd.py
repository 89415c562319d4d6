"""Many boxes at once: each says what ``roost-agent join`` says, on connections of its own."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp
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

    async def join(self, boxes: Iterable[tuple[DeskBox, JoinToken]]) -> Counter[str]:
        """Return how many boxes got which answer: ISSUED, or the code of a refusal."""
        context = ssl.create_default_context(cafile=self.root_file)
        left, answers = list(boxes), Counter[str]()

        async def lane() -> None:
            while left:
                box, token = left.pop()
                answers[await self._joined(context, box, token)] += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(self.lanes):
                group.create_task(lane())
        return answers

    async def _joined(self, context: ssl.SSLContext, box: DeskBox, token: JoinToken) -> str:
        commit = to_text(commitment(box.nonce, box.keys.csr))
        hello = f"/api/v1/enrol/hello?commit={commit}"
        async with self._session(context) as session:
            await self._asked(session, "GET", hello)  # the one that tells the root
        async with self._session(context) as session:
            said = msgspec.json.decode((await self._asked(session, "GET", hello))[1], type=Hello)
            body = msgspec.json.encode(self._request(box, token, said))
            status, raw = await self._asked(session, "POST", "/api/v1/enrol", body)
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

    def _session(self, context: ssl.SSLContext) -> aiohttp.ClientSession:
        limit = aiohttp.ClientTimeout(total=PATIENCE_S)
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), timeout=limit)

    async def _asked(
        self, session: aiohttp.ClientSession, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"} if body else {}
        async with session.request(
            method, f"{self.url}{path}", data=body, headers=headers,
            server_hostname=self.server_name,
        ) as answer:  # fmt: skip
            return answer.status, await answer.read()
