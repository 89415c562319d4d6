"""Has a fence's device do something: a child by Redfish or a command, within a bounded time."""

import sys
from typing import Final

import msgspec

from roost_agent import child
from roost_agent.ha.config_fence import Fence
from roost_agent.ha.fence.event import Power, Verb

OUTPUT_BYTES_MAX: Final = 16 << 10
FAULT_CHARS_MAX: Final = 300  # of what a device or a command complains of
START_S: Final = 5.0  # on top of the device's time, for a child to begin on a busy machine


class Reply(msgspec.Struct, frozen=True):
    """What a device answered; ``fault`` says why it is not known or not done."""

    power: Power = Power.UNKNOWN
    uuid: str = ""
    fault: str = ""


async def drive(fence: Fence, verb: Verb) -> Reply:
    """Do it and return what the device says; whatever goes wrong is a fault of the reply."""
    words = _words(fence, verb)
    given = _request(fence, verb) if fence.driver == "redfish" else b""
    env = child.environment()
    if fence.driver == "command":
        env["HA_NODE"] = fence.node
    seconds = fence.timeout_s + (START_S if fence.driver == "redfish" else 0)
    try:
        done = await child.run(
            words, seconds=seconds, bytes_max=OUTPUT_BYTES_MAX, given=given, env=env
        )
    except TimeoutError:
        return Reply(fault=f"no answer within {seconds:g} s")
    except OSError as err:
        return Reply(fault=f"{words[0]}: {err.strerror}")
    if done.status:
        said = done.complaint.decode(errors="replace").strip().rpartition("\n")[2]
        return Reply(fault=f"exit status {done.status}: {said}"[:FAULT_CHARS_MAX])
    return _of_child(done.output) if given else _of_command(done.output, verb)


def _words(fence: Fence, verb: Verb) -> tuple[str, ...]:
    if fence.driver == "redfish":
        return (sys.executable, "-P", "-m", "roost_agent.ha.fence.redfish")
    return (*(fence.command or ()), str(verb))


def _request(fence: Fence, verb: Verb) -> bytes:
    keys = ("url", "system", "credentials", "ca_file", "certificate_sha256", "uuid")
    said = {key: getattr(fence, key) or "" for key in keys}
    return msgspec.json.encode(said | {"verb": str(verb), "timeout_s": fence.timeout_s / 2})


def _of_child(raw: bytes) -> Reply:
    try:
        return msgspec.json.decode(raw, type=Reply)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Reply(fault="what the child of Redfish said makes no sense")


def _of_command(raw: bytes, verb: Verb) -> Reply:
    """Read ``on`` or ``off``, and perhaps a UUID; an order needs to say nothing."""
    if verb is not Verb.STATUS:
        return Reply()
    words = raw.decode(errors="replace").split()
    power, machine = (*words, "", "")[:2]
    if power.lower() not in {Power.ON, Power.OFF}:
        return Reply(fault=f"status says {power[:40]!r}: must be on or off")
    return Reply(Power(power.lower()), machine)
