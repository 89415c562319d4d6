"""A reader of the NOC's broker: every event that it heard, and what is retained."""

import asyncio
import contextlib
import json

import aiomqtt
from waiting import until


class Reader:
    """Everything a reader heard, and what is retained, by topic."""

    def __init__(self):
        self.events = []
        self.retained = {}
        self.states = []

    async def read(self, client):
        await client.subscribe("noc/v1/#", qos=1)
        async for message in client.messages:
            topic = str(message.topic)
            if "/event/" in topic:
                self.events.append((topic, json.loads(message.payload), message.properties))
            elif message.payload:
                if topic == "noc/v1/status":
                    self.states.append(json.loads(message.payload)["state"])
                self.retained[topic] = json.loads(message.payload)
            else:
                self.retained.pop(topic, None)


def account(rig, user="noc"):
    """The password of an account."""
    return (rig.folder / "noc" / f"{user}.secret").read_text().strip()


def connection(rig, config, user="noc", password=None, **more):
    return aiomqtt.Client(
        "127.0.0.1",
        config.mqtt.port,
        username=user,
        password=password or account(rig),
        **more,
    )


@contextlib.asynccontextmanager
async def reading(rig, config, user="noc"):
    """Read all that an account may read, while the context lasts."""
    reader = Reader()
    version = aiomqtt.ProtocolVersion.V5
    async with connection(rig, config, user, account(rig, user), protocol=version) as client:
        task = asyncio.create_task(reader.read(client))
        try:
            yield reader
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def online(north):
    await until(lambda: north.states[0].word == "ok", "the feed is connected", seconds=60)
