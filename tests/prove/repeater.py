"""Says some of what it hears on a broker once more, a moment later: ``PORT SEED``, until killed.

A broker may deliver a message of QoS 1 twice, and anyone who can publish can repeat what was said.
"""

import asyncio
import random
import sys

import aiomqtt
from paho.mqtt.subscribeoptions import SubscribeOptions

REPORTS = "roost/v1/+/+/up/report"
SHARE = 0.3
LATE_S = 1.0
RETRY_S = 0.1


async def repeat(client: aiomqtt.Client, message: aiomqtt.Message, late_s: float) -> None:
    """Say it again, unless the broker is gone by then."""
    await asyncio.sleep(late_s)
    try:
        await client.publish(str(message.topic), message.payload, qos=1)
    except aiomqtt.MqttError:
        return


async def listen(port: int, dice: random.Random) -> None:
    """Hear and repeat until the broker is gone."""
    options = SubscribeOptions(qos=1, noLocal=True)  # its own words would come back for ever
    protocol = aiomqtt.ProtocolVersion.V5
    async with (
        aiomqtt.Client("127.0.0.1", port, protocol=protocol) as client,
        asyncio.TaskGroup() as group,
    ):
        await client.subscribe(REPORTS, options=options)
        async for message in client.messages:
            if dice.random() < SHARE:
                group.create_task(repeat(client, message, dice.uniform(0, LATE_S)))


async def main(port: int, seed: int) -> None:
    """Come back whenever the broker does."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    while True:
        try:
            await listen(port, dice)
        except* aiomqtt.MqttError:
            await asyncio.sleep(RETRY_S)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
