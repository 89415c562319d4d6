"""A small OpenID provider for tests, run as a process of its own on loopback.

It does what providers do with a code (single use, bound to client, redirect and PKCE challenge,
OpenID Connect Core 1.0 section 3.1) and signs real tokens; whoever comes to it is logged in as the
user that /control named last. /control also tells it to lie: other claims, other algorithms, keys
that it does not show. It is a stand-in for a product such as Keycloak, whose login pages and
account rules it does not have.
"""

import asyncio
import base64
import hashlib
import hmac
import http.client
import json
import secrets
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.parse import unquote_plus, urlencode, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT_ID = "roost"
CLIENT_SECRET = "s3cret:with/signs"


class OpenIdProvider:
    """Grants codes, redeems them, and lies as told."""

    def __init__(self, redirect_uri):
        self.redirect_uri = redirect_uri
        self.issuer = ""
        self.keys = [
            RSAKey.generate_key(2048, {"kid": "r1"}),
            ECKey.generate_key("P-256", {"kid": "e1"}),
        ]
        self.codes = {}
        self.told = {}

    def application(self):
        app = web.Application()
        app.add_routes(
            [
                web.get("/.well-known/openid-configuration", self.discover),
                web.get("/keys", self.show_keys),
                web.get("/authorize", self.authorize),
                web.post("/token", self.token),
                web.post("/control", self.control),
            ]
        )
        return app

    async def control(self, request):
        self.told = await request.json()
        if self.told.get("rotate"):
            self.keys = [ECKey.generate_key("P-256", {"kid": secrets.token_hex(4)})]
        return web.json_response({})

    async def discover(self, request):
        if self.told.get("redirects"):
            raise web.HTTPFound("/elsewhere")
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "padding": "x" * self.told.get("padding", 0),
        }
        return web.json_response(said | self.told.get("metadata", {}))

    async def show_keys(self, request):
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})

    async def authorize(self, request):
        asked = dict(request.query)
        right = {"client_id": CLIENT_ID, "redirect_uri": self.redirect_uri, "response_type": "code"}
        if any(asked.get(name) != value for name, value in right.items()):
            raise web.HTTPBadRequest(text="not a client of this provider")
        if asked.get("code_challenge_method") != "S256" or "openid" not in asked["scope"].split():
            raise web.HTTPBadRequest(text="needs PKCE S256 and the scope openid")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        raise web.HTTPFound(f"{self.redirect_uri}?{urlencode(back)}")

    async def token(self, request):
        form = await request.post()
        scheme, _, pair = request.headers.get("Authorization", "").partition(" ")
        who, _, secret = base64.b64decode(pair).decode().partition(":")
        if (scheme, unquote_plus(who), unquote_plus(secret)) != ("Basic", CLIENT_ID, CLIENT_SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        asked = self.codes.pop(form["code"], None)
        challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
        if (
            asked is None
            or form["redirect_uri"] != asked["redirect_uri"]
            or base64.urlsafe_b64encode(challenge).decode().rstrip("=") != asked["code_challenge"]
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "u-1",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        } | self.told.get("claims", {})
        return web.json_response(
            {"access_token": "a", "token_type": "Bearer", "id_token": self.signed(claims)}
        )

    def signed(self, claims):
        algorithm = self.told.get("alg", "ES256")
        if algorithm in {"none", "HS256"}:
            return forged(claims, algorithm, self.keys[0])
        kind = RSAKey if algorithm == "RS256" else ECKey
        key = next(key for key in self.keys if isinstance(key, kind))
        if self.told.get("hidden_key"):
            key = ECKey.generate_key("P-256", {"kid": key.kid})
        return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key)


def forged(claims, algorithm, key):
    """Return a token that proves nothing: unsigned, or by a MAC whose key everybody has."""
    header = {"alg": algorithm, "kid": key.kid}
    parts = [_base64url(json.dumps(each).encode()) for each in (header, claims)]
    signature = b""
    if algorithm == "HS256":
        public = key.as_pem(private=False)
        signature = hmac.digest(public, ".".join(parts).encode(), "sha256")
    return ".".join([*parts, _base64url(signature)])


def _base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@contextmanager
def running(redirect_uri, *certificate):
    """Give the issuer of a provider that runs, and a function that tells it what to do.

    With files of a certificate and its key it serves TLS as ``localhost`` and cannot be told.
    """
    command = [sys.executable, __file__, redirect_uri, *certificate]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        issuer = process.stdout.readline().strip()

        def tell(**what):
            line = http.client.HTTPConnection(urlsplit(issuer).netloc, timeout=10)
            line.request("POST", "/control", json.dumps(what))
            assert line.getresponse().status == 200
            line.close()

        try:
            yield issuer, tell
        finally:
            process.kill()


async def _serve(redirect_uri, *certificate):
    provider = OpenIdProvider(redirect_uri)
    runner = web.AppRunner(provider.application(), access_log=None)
    await runner.setup()
    tls = None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*certificate)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    where = "http://127.0.0.1" if tls is None else "https://localhost"
    provider.issuer = f"{where}:{runner.addresses[0][1]}"
    print(provider.issuer, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
