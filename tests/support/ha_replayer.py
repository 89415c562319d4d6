"""Records what one member says over a site's broker, then says it again and again.

A program for a node's network: standard input has one line of JSON with host, port, reader and
writer (each [user, password]) and the seconds to record. It prints a line when it begins to
replay, and ends when it is killed. It has no key: it is what a hostile broker can do.
"""

import asyncio
import contextlib
import json
import sys

import aiomqtt

ROOT = "roost/ha/v1"
EVERY_S = 0.01


def connection(asked, role):
    user, password = asked[role]
    return aiomqtt.Client(
        asked["host"], asked["port"], username=user, password=password,
        identifier=f"replayer-{role}", protocol=aiomqtt.ProtocolVersion.V5,
    )  # fmt: skip


async def recorded(asked):
    member = asked["writer"][0]
    found = []
    async with connection(asked, "reader") as client:
        await client.subscribe(f"{ROOT}/{member}/#", qos=0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(asked["seconds"]):
                async for message in client.messages:
                    found += [(str(message.topic), message.payload)]
    return found


async def main():
    asked = json.loads(sys.stdin.readline())
    found = await recorded(asked)
    print(len(found), flush=True)
    async with connection(asked, "writer") as client:
        while found:
            for topic, payload in found:
                await client.publish(topic, payload, qos=0)
                await asyncio.sleep(EVERY_S)


if __name__ == "__main__":
    asyncio.run(main())
