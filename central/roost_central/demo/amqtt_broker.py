"""A broker in pure Python, for a demo without Mosquitto: ``amqtt_broker HOST PORT``.

Thirty times slower than Mosquitto, so for a small fleet on loopback and nothing else.
"""

import asyncio
import ipaddress
import logging
import sys

from amqtt.broker import Broker

CONNECTIONS_MAX = 64


async def serve(host: str, port: int) -> None:
    """Serve until cancelled."""
    if not ipaddress.ip_address(host).is_loopback:
        sys.exit(f"{host} is not a loopback address")
    config = {
        "listeners": {
            "default": {"type": "tcp", "bind": f"{host}:{port}", "max_connections": CONNECTIONS_MAX}
        },
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Broker(config)
    await broker.start()
    try:
        await asyncio.Event().wait()
    finally:
        await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
