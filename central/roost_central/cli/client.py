"""REST over the standard library: one request at a time, and the event stream.

urllib costs a tenth of an asynchronous client's import time, and this command waits for one
answer anyway.
"""

import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any, BinaryIO

from roost_central.cli.failure import ApiError, RefusedError, UnreachableError
from roost_central.cli.settings import Context

TIMEOUT_S = 30.0
STREAM_TIMEOUT_S = 15.0  # the centre sends a frame every 5 s even when nothing changed
ANSWER_BYTES_MAX = 256 * 1024 * 1024
PAGE = 1000
CHUNK_BYTES = 64 * 1024
JSON = {"Content-Type": "application/json"}


def at(*names: str) -> str:
    """Return the path of a resource; whatever a name holds, it stays one segment."""
    return "/api/v1/" + "/".join(urllib.parse.quote(name, safe="") for name in names)


class Client:
    """Asks one centre."""

    def __init__(self, context: Context, *, token: str | None = None) -> None:
        scheme = _scheme(context.url)
        self._base = context.url.rstrip("/")
        self._headers = {"Accept": "application/json", "User-Agent": "roost-cli"}
        if given := context.token() if token is None else token:
            self._headers["Authorization"] = f"Bearer {_sendable(given)}"
        tls = ssl.create_default_context(cafile=context.ca) if scheme == "https" else None
        handlers = [urllib.request.HTTPSHandler(context=tls)] if tls else []
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)

    def get(self, path: str, **params: str | int | None) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON document at ``path``; None among the params is left out."""
        return self._document(self._open("GET", path, params))

    def pages(self, path: str, **params: str | int | None) -> Iterator[dict[str, Any]]:
        """Give every item of a list, page after page."""
        cursor: str | None = None
        while True:
            page = self.get(path, **{"limit": PAGE, **params, "cursor": cursor})
            yield from page["items"]
            cursor = page.get("next")
            if not cursor:
                return

    def send(
        self, method: str, path: str, body: bytes, *, headers: dict[str, str] | None = None
    ) -> Any:  # noqa: ANN401 - JSON
        """Send a document and return the answer, None where there is none."""
        return self._document(self._open(method, path, {}, body=body, headers=headers or {}))

    def upload(self, path: str, file: BinaryIO, size: int) -> Any:  # noqa: ANN401 - JSON
        """Send a file and return the answer, None where there is none."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        return self._document(self._open("PUT", path, {}, body=file, headers=headers))

    def log_in(self, user: str, password: str) -> None:
        """Ask from here on with the session of a user."""
        body = json.dumps({"user": user, "password": password}).encode()
        with self._open("POST", "/api/v1/session", {}, body=body, headers=JSON) as response:
            cookie = str(response.headers.get("Set-Cookie") or "").partition(";")[0]
        self._headers |= {"Cookie": cookie, "X-Roost-CSRF": "1"}

    def download(self, path: str, accept: str, **params: str | int | None) -> Iterator[bytes]:
        """Give the body of an answer in pieces, as it comes."""
        response = self._open("GET", path, params, headers={"Accept": accept})
        try:
            while chunk := response.read(CHUNK_BYTES):
                yield chunk
        except (OSError, http.client.HTTPException) as err:
            raise UnreachableError(self._base, f"the answer broke off: {err}") from err

    def frames(self, path: str) -> Iterator[str]:
        """Give the name of each event of the stream, as it comes."""
        response = self._open("GET", path, {}, headers={"Accept": "text/event-stream"})
        event = "message"
        try:
            for raw in response:
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                if line.startswith("event:"):
                    event = line.removeprefix("event:").strip()
                elif not line:
                    yield event
                    event = "message"
        except (OSError, http.client.HTTPException) as err:
            raise UnreachableError(self._base, f"the stream ended: {err}") from err

    def _document(self, response: Any) -> Any:  # noqa: ANN401 - urllib's response, and JSON
        """Return the document of an answer, None where it has none."""
        try:
            with response:
                answer = response.read(ANSWER_BYTES_MAX)
            if response.length:  # what was promised and did not come: read(n) does not tell
                raise UnreachableError(self._base, "the answer was cut")
            return json.loads(answer) if answer else None
        except ValueError as err:
            raise UnreachableError(self._base, "what answers is no roost-central") from err
        except TimeoutError as err:
            raise UnreachableError(self._base, "it took too long", timed_out=True) from err
        except (OSError, http.client.HTTPException) as err:
            raise UnreachableError(self._base, f"the answer was cut: {err}") from err

    def _open(
        self,
        method: str,
        path: str,
        params: dict[str, str | int | None],
        *,
        body: bytes | BinaryIO | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:  # noqa: ANN401 - urllib's response has no common type
        query = urllib.parse.urlencode({k: v for k, v in params.items() if v is not None})
        url = f"{self._base}{path}" + (f"?{query}" if query else "")
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            url, data=body, method=method, headers={**self._headers, **(headers or {})}
        )
        streams = (headers or {}).get("Accept") == "text/event-stream"
        try:
            return self._opener.open(request, timeout=STREAM_TIMEOUT_S if streams else TIMEOUT_S)
        except urllib.error.HTTPError as err:
            raise _problem(err, str(params.get("filter") or _filter_of(body))) from err
        except TimeoutError as err:
            raise UnreachableError(self._base, "it took too long", timed_out=True) from err
        except (OSError, http.client.HTTPException) as err:  # URLError is an OSError
            reason = getattr(err, "reason", err)
            raise UnreachableError(self._base, str(reason)) from err


def _scheme(url: str) -> str:
    """Return the scheme of an address that can be asked.

    Raises:
        RefusedError: it is none.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0  # reading the port checks it
        if is_whole and parts.scheme in {"http", "https"} and _is_visible_ascii(url):
            return parts.scheme
    except ValueError:
        pass  # as any other
    raise RefusedError(f"url {url!r}: must be http://HOST[:PORT] or https://HOST[:PORT]")


def _sendable(token: str) -> str:
    """Return a token that fits a header; what is none is never repeated, as it may be a secret.

    Raises:
        RefusedError: it holds what no token holds.
    """
    if not _is_visible_ascii(token):
        raise RefusedError("the token: must be one word of ASCII; is it the right file?")
    return token


def _is_visible_ascii(text: str) -> bool:
    return all("!" <= character <= "~" for character in text)


def _filter_of(body: bytes | BinaryIO | None) -> str:
    """Return the query of a body, for a complaint to point into; empty where it has none."""
    if body is not None and not isinstance(body, bytes):
        return ""
    try:
        asked = json.loads(body or b"{}")
        return str(asked.get("filter") or "")
    except (ValueError, AttributeError):  # lines of JSON, a list
        return ""


def _problem(err: urllib.error.HTTPError, query: str) -> ApiError:
    try:
        body = json.loads(err.read(1 << 20))
        return ApiError(
            err.code,
            str(body.get("title", "")),
            str(body.get("detail", "")),
            str(body.get("code", "")),
            list(body.get("errors") or []),
            str(body.get("request_id", "")),
            query,
        )
    except (ValueError, AttributeError, TypeError):
        return ApiError(err.code, f"HTTP {err.code} {err.reason}")
