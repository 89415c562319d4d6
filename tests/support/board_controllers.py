"""Board controllers for tests: ipmi_sim and sushy-emulator as programs, and a service of files.

The first two are other people's and real enough: power, boot device, sensors and a log that change.
The service of files (Redfish resources by path, over TLS) says what a test makes it say, so it is
the one that lies, hangs and redirects.
"""

import base64
import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from redfish_bmc import certificate

USER, PASSWORD = "ipmiusr", "canary-of-it"
UUID = "27946b59-9e44-4fa7-8e91-f3527a1ef094"
GUID = "a123456789abcdefa123456789abcdef"
ROOT, SYSTEM = "/redfish/v1/", "/redfish/v1/Systems/1"
ENTRIES = f"{SYSTEM}/LogServices/SEL/Entries"
PROJECT = Path(__file__).resolve().parents[2]
CORPORA = Path(os.environ.get("ROOST_CORPORA", PROJECT.parent / "shared" / "corpora"))
CORPUS = CORPORA / "redfish/public-rackmount1.tar.gz"
START_S = 20

LAN = f"""\
name "board"
set_working_mc 0x20
  startlan 1
    addr ADDRESS PORT
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid UNIQUE
  endlan
CHASSIS  user 1 true "" "" user 10 none md2 md5 straight
  user 2 true "{USER}" "{PASSWORD}" admin 10 none md2 md5 straight
"""
CHASSIS = """\
#!/bin/sh
# called as: MC get WORD..., MC set WORD VALUE...
shift
do=$1
shift
while [ $# -gt 0 ]; do
    if [ $do = get ]; then
        case $1 in
        power) echo "power:$(cat power)" ;;
        boot) echo "boot:$(cat boot)" ;;
        *) echo "$1:0" ;;
        esac
        shift
    else
        echo "$1 $2" >>orders
        [ -e stuck ] || case $1 in
        power) echo "$2" >power ;;
        boot) echo "$2" >boot ;;
        esac
        shift 2
    fi
done
"""
EMULATION = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
sensor_add 0x20 0 1 0x01 0x01 poll 200 file "temp"
sensor_set_value 0x20 0 1 0x30 0
sensor_set_threshold 0x20 0 1 settable 111000 0xa0 0x90 0x70 00 00 00
sensor_set_event_support 0x20 0 1 enable scanning per-state \
000111111000000 000111111000000 000111111000000 000111111000000
mc_enable 0x20
"""
SENSORS = """\
sdr type 18
device_slave_address 0x20
device_channel_number 0
chassis true
sel true
sdr true
sensor true
entity_id system_board
entity_instance 1
id_string "board"
endsdr
sdr type 1
sensor_owner_id 0x20
sensor_owner_lun 0
channel_number 0
sensor_number 1
entity_id processor
entity_instance 1
init_scanning true
init_events true
init_thresholds true
init_sensor_type true
default_event_gen_on true
default_sensor_scan_on true
sensor_auto_rearm true
sensor_threshold_access settable
sensor_event_msg_ctrl per_state
sensor_type Temperature
event_reading_type_code 1
unr_thrsh_readable true
uc_thrsh_readable true
unc_thrsh_readable true
unr_thrsh_settable true
uc_thrsh_settable true
unc_thrsh_settable true
base_unit degrees_C
m 1
b 0
r_exp 0
b_exp 0
id_string "CPU Temp"
endsdr
"""


def lan_conf(port, address, guid, chassis):
    """Return ipmi_sim's file; ``chassis``: the lines that say what its power does."""
    text = LAN.replace("PORT", str(port)).replace("ADDRESS", address)
    return text.replace("UNIQUE", guid).replace("CHASSIS", chassis)


def lacks(*programs):
    """Return what of these is not installed."""
    return [each for each in programs if shutil.which(each) is None]


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class IpmiSim:
    """ipmi_sim with one machine; its sensor reads the file ``temp``, its power is a file too.

    Args:
        folder: of its own.
        address: that it listens on.
        inside: words before its command and ipmitool's, such as ``ip netns exec NAME``.
    """

    def __init__(self, folder, address="127.0.0.1", inside=()):
        self.folder, self.address, self._inside = folder, address, inside
        self.port = free_port(socket.SOCK_DGRAM)
        control = '  chassis_control "./chassis.sh 0x20"\n'
        (folder / "lan.conf").write_text(lan_conf(self.port, address, GUID, control))
        (folder / "sim.emu").write_text(EMULATION)
        (folder / "sensors.src").write_text(SENSORS)
        (folder / "chassis.sh").write_text(CHASSIS)
        (folder / "chassis.sh").chmod(0o755)
        for name, value in (("power", "1"), ("boot", "none"), ("temp", "48"), ("orders", "")):
            (folder / name).write_text(f"{value}\n" if value else "")
        sdr = folder / "state/ipmi_sim/board/sdr.20.main"
        sdr.parent.mkdir(parents=True)
        subprocess.run(("sdrcomp", "-o", sdr, "sensors.src"), cwd=folder, check=True, timeout=30)
        self._program = None

    def start(self):
        words = (*self._inside, "ipmi_sim", "-c", "lan.conf", "-f", "sim.emu")
        words += ("-s", self.folder / "state", "-n")
        with (self.folder / "sim.log").open("w") as log:
            self._program = subprocess.Popen(
                words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            said = self.tool("chassis", "power", "status")
            if "is o" in said:
                return
            time.sleep(0.1)
        raise AssertionError((self.folder / "sim.log").read_text())

    def tool(self, *words):
        """What ipmitool prints."""
        known = ("-I", "lanplus", "-H", self.address, "-p", str(self.port), "-U", USER)
        return subprocess.run(
            (*self._inside, "ipmitool", *known, "-E", "-C", "3", "-N", "1", "-R", "1", *words),
            capture_output=True, text=True, timeout=30, check=False,
            env={"IPMI_PASSWORD": PASSWORD, "PATH": "/usr/bin:/usr/sbin"},
        ).stdout  # fmt: skip

    def say(self, name, value):
        (self.folder / name).write_text(f"{value}\n")

    def orders(self):
        return (self.folder / "orders").read_text().split("\n")[:-1]

    def pause(self):
        """Answer nobody, and stay."""
        self._program.send_signal(signal.SIGSTOP)

    def end(self):
        if self._program is not None:
            self._program.send_signal(signal.SIGCONT)
            self._program.kill()
            self._program.wait()


@contextlib.contextmanager
def ipmi_sim(folder):
    made = IpmiSim(folder)
    try:
        made.start()
        yield made
    finally:
        made.end()


@contextlib.contextmanager
def emulator(folder, power="On"):
    """sushy-emulator over TLS with one machine; yields its port. It takes 1 to 11 s to switch."""
    import bcrypt  # noqa: PLC0415 - of the emulator's own dependencies

    pem = certificate(folder)
    port = free_port()
    users = folder / "users"
    users.write_text(f"{USER}:{bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()}\n")
    (folder / "state").mkdir()
    (folder / "sushy.conf").write_text(
        f"SUSHY_EMULATOR_LISTEN_IP = '127.0.0.1'\nSUSHY_EMULATOR_LISTEN_PORT = {port}\n"
        f"SUSHY_EMULATOR_SSL_CERT = {str(pem)!r}\n"
        f"SUSHY_EMULATOR_SSL_KEY = {str(pem.with_suffix('.key'))!r}\n"
        f"SUSHY_EMULATOR_AUTH_FILE = {str(users)!r}\n"
        f"SUSHY_EMULATOR_FAKE_DRIVER = True\nSUSHY_EMULATOR_STATE_DIR = {str(folder / 'state')!r}\n"
        f"SUSHY_EMULATOR_FAKE_SYSTEMS = [{{'uuid': {UUID!r}, 'name': 'm', 'power_state': {power!r},"
        " 'external_notifier': False, 'nics': []}]\n"
    )
    program = Path(sys.executable).with_name("sushy-emulator")
    with (folder / "sushy.log").open("w") as log:
        running = subprocess.Popen(
            (program, "--fake", "--config", folder / "sushy.conf"), stdout=log, stderr=log
        )
    try:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        else:
            raise AssertionError((folder / "sushy.log").read_text())
        yield port
    finally:
        running.kill()
        running.wait()


class Service:
    """Redfish resources by path, over TLS.

    Attributes:
        resources: path to what is said there: an object, or bytes.
        answers: path to (status, headers, body) that is said in its place.
        hang: while set, nothing is answered.
        seen: (method, path) of all that came.
        orders: bodies of what was changed.
        obeys: a reset changes the power.
        together, together_max: connections that are open, and were.
    """

    def __init__(self, pem, resources):
        self.resources = resources
        self.answers = {}
        self.hang = threading.Event()
        self.seen, self.orders = [], []
        self.obeys = True
        self.together = self.together_max = 0
        self.tokens = set()
        handler = type("OfThis", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, pem.with_suffix(".key"))
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def port(self):
        return self._server.server_port

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.hang.clear()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def changed(self, method, path, body):
        """Take an order."""
        self.orders.append((method, path, body))
        if not self.obeys:
            return
        owner = path.partition("/Actions/")[0]
        if "ResetType" in body:
            is_off = body["ResetType"] in {"ForceOff", "GracefulShutdown"}
            self.resources[owner]["PowerState"] = "Off" if is_off else "On"
        elif "Boot" in body:
            self.resources[path].setdefault("Boot", {}).update(body["Boot"])


class _Handler(BaseHTTPRequestHandler):
    service: Service
    protocol_version = "HTTP/1.1"
    timeout = 20
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self):
        super().setup()
        self.service.together += 1
        self.service.together_max = max(self.service.together_max, self.service.together)

    def finish(self):
        self.service.together -= 1
        super().finish()

    def _send(self, status, body=b"", headers=()):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _came(self):
        service = self.service
        service.seen.append((self.command, self.path))
        while service.hang.is_set():
            time.sleep(0.02)
        if self.path in service.answers:
            status, headers, body = service.answers[self.path]
            self._send(status, body, headers)
            return False
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        is_known = (
            self.path in (ROOT, "/redfish/v1/SessionService/Sessions")
            or self.headers.get("Authorization") == f"Basic {basic}"
            or self.headers.get("X-Auth-Token") in service.tokens
        )
        if not is_known:
            self._send(401)
        return is_known

    def do_GET(self):
        if self._came():
            path = self.path.partition("?")[0]
            found = self.service.resources.get(path)
            if found is None:
                found = self.service.resources.get(path.rstrip("/"))
            if found is not None and "?$expand" in self.path:
                members = [self.service.resources[each["@odata.id"]] for each in found["Members"]]
                found = {**found, "Members": members}
            self._send(404) if found is None else self._send(200, found, [("ETag", '"1"')])

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._came():
            return
        if self.path.endswith("/Sessions"):
            if (body["UserName"], body["Password"]) != (USER, PASSWORD):
                self._send(401)
            else:
                token = hashlib.sha256(str(len(self.service.seen)).encode()).hexdigest()
                self.service.tokens.add(token)
                place = f"{self.path}/{token[:8]}"
                self._send(201, {}, [("X-Auth-Token", token), ("Location", place)])
            return
        self.service.changed("POST", self.path, body)
        self._send(204)

    def do_PATCH(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._came():
            self.service.changed("PATCH", self.path, body)
            self._send(204)

    def do_DELETE(self):
        if self._came():
            self.service.tokens.discard(self.headers.get("X-Auth-Token"))
            self._send(204)

    def log_message(self, *_):
        pass

    def handle(self):
        # Who asked may have left; and what a test has spoilt cannot be given whole: it hangs up.
        with contextlib.suppress(OSError, TypeError, LookupError):
            super().handle()


def machine(sensors=0, *, expands=False):
    """Resources of a machine with so many sensors of the newer schema, and a few of the older."""
    chassis = "/redfish/v1/Chassis/1"
    links = [{"@odata.id": f"{chassis}/Sensors/S{n}"} for n in range(sensors)]
    found = {
        ROOT: {
            "RedfishVersion": "1.15.0", "Systems": {"@odata.id": "/redfish/v1/Systems"},
            "Links": {"Sessions": {"@odata.id": "/redfish/v1/SessionService/Sessions"}},
        },
        "/redfish/v1/Systems": {"Members": [{"@odata.id": SYSTEM}]},
        SYSTEM: {
            "@odata.id": SYSTEM, "UUID": UUID, "PowerState": "On", "Manufacturer": "LabCorp",
            "Model": "EdgeBox-1",
            "Actions": {"#ComputerSystem.Reset": {
                "target": f"{SYSTEM}/Actions/ComputerSystem.Reset"}},
            "LogServices": {"@odata.id": f"{SYSTEM}/LogServices"},
        },
        f"{SYSTEM}/LogServices": {"Members": [{"@odata.id": f"{SYSTEM}/LogServices/SEL"}]},
        f"{SYSTEM}/LogServices/SEL": {"Entries": {"@odata.id": ENTRIES}},
        ENTRIES: {"Members": [
            {"Id": "1", "Created": "2026-11-29T00:00:00Z", "Message": "power on",
             "Severity": "OK", "@odata.id": f"{ENTRIES}/1"}]},
        "/redfish/v1/Chassis": {"Members": [{"@odata.id": chassis}]},
        chassis: {
            "@odata.id": chassis, "Thermal": {"@odata.id": f"{chassis}/Thermal"},
            "Power": {"@odata.id": f"{chassis}/Power"},
            "Sensors": {"@odata.id": f"{chassis}/Sensors"},
        },
        f"{chassis}/Sensors": {"Members": links},
        f"{chassis}/Thermal": {
            "@odata.id": f"{chassis}/Thermal",
            "Temperatures": [{"Name": "Inlet", "ReadingCelsius": 21, "Status": {"State": "Enabled"},
                              "UpperThresholdCritical": 45}],
            "Fans": [{"Name": "Fan 1", "Reading": 0, "Status": {"State": "Absent"},
                      "LowerThresholdCritical": 500}],
        },
        f"{chassis}/Power": {"@odata.id": f"{chassis}/Power", "Voltages": []},
    }  # fmt: skip
    if expands:
        found[ROOT]["ProtocolFeaturesSupported"] = {"ExpandQuery": {"NoLinks": True}}
    for n, each in enumerate(links):
        found[each["@odata.id"]] = {
            "@odata.id": each["@odata.id"], "Name": f"Sensor {n}", "ReadingType": "Temperature",
            "Reading": 30 + n % 10, "Status": {"State": "Enabled", "Health": "OK"},
            "Thresholds": {"UpperCaution": {"Reading": 80}, "UpperCritical": {"Reading": 90}},
        }  # fmt: skip
    return found


def mockup():
    """Resources of DMTF's mock-up by path; None where the corpora are absent."""
    if not CORPUS.is_file():
        return None
    found = {}
    with tarfile.open(CORPUS) as archive:
        for each in archive:
            path = Path(each.name)
            if path.name == "index.json" and each.isfile():
                where = "/".join(path.parts[1:-1])
                found[f"/redfish/v1/{where}"] = json.load(archive.extractfile(each))
    return found


def bmc_toml(folder, **said):
    """Write a bmc.toml with one controller."""
    known = {"node": "n1", "host": "127.0.0.1", "user": USER, "password": PASSWORD} | said
    lines = [f"{key} = {json.dumps(value)}" for key, value in known.items()]
    file = folder / "bmc.toml"
    file.write_text("[[bmc]]\n" + "\n".join(lines) + "\n")
    file.chmod(0o600)
    return file
