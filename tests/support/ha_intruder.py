"""Somebody on a site's network who tries its broker: says what came of it, in a line of JSON.

A program for a network namespace: standard input has one line of JSON with host, port, the name
that the broker's certificate must have, the topic to forge, and the files ca, cert and key (without
them: clear text). It reads what it is let read for a second, and then says something.
"""

import asyncio
import contextlib
import json
import ssl
import sys

import aiomqtt

LISTEN_S = 1.0


class Named(ssl.SSLContext):
    """Checks for a name that is not the address."""

    name = ""

    def wrap_socket(self, sock, **said):
        return super().wrap_socket(sock, **{**said, "server_hostname": self.name})


def tls(asked):
    if "ca" not in asked:
        return None
    context = Named(ssl.PROTOCOL_TLS_CLIENT)
    context.name = asked["name"]
    context.load_verify_locations(asked["ca"])
    context.load_cert_chain(asked["cert"], asked["key"])
    return context


async def tried(asked):
    heard = []
    async with aiomqtt.Client(
        asked["host"], asked["port"], tls_context=tls(asked), timeout=5,
        identifier="roost/ha intruder", protocol=aiomqtt.ProtocolVersion.V5,
    ) as client:  # fmt: skip
        await client.subscribe("#", qos=0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LISTEN_S):
                async for message in client.messages:
                    heard.append(str(message.topic))  # noqa: PERF401 - it is cut off
        await client.publish(asked["topic"], b"forged", qos=1)
    return heard


async def main():
    asked = json.loads(sys.stdin.readline())
    try:
        heard = await tried(asked)
        print(json.dumps({"is_in": True, "heard": heard}))
    except (aiomqtt.MqttError, OSError, TimeoutError) as err:
        print(json.dumps({"is_in": False, "why": str(err)}))


if __name__ == "__main__":
    asyncio.run(main())
