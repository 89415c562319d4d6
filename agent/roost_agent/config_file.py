"""Reads the configuration: files to one table, the table to a Config, all faults at once."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from roost_agent.config import (
    BEAT,
    BMC_FILE,
    FAILURE_ACTIONS,
    HOSTS,
    HOUR_MS,
    INVENTORY,
    OUTBOX,
    PATHS_BOUND,
    PRESETS,
    BeatConfig,
    Bound,
    Config,
    HostsConfig,
    InventoryConfig,
    JoinConfig,
    OutboxConfig,
    PathConfig,
)
from roost_agent.config_alarms import alarms_config, hint
from roost_agent.config_path import PATH_KEYS, path_config
from roost_agent.config_processes import KEYS as PROCESSES_KEYS
from roost_agent.config_processes import processes_config
from roost_agent.config_settings import KEYS as SETTINGS_KEYS
from roost_agent.config_settings import settings_config
from roost_agent.config_updates import KEYS as UPDATES_KEYS
from roost_agent.config_updates import updates_config
from roost_agent.enrolled import FACTS, FOLDER, STATE_DIR, Enrolled
from roost_agent.enrolled import load as load_enrolled
from roost_agent.enrolled_paths import enrolled_paths
from roost_agent.errors import ConfigError
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import PATHS_MAX
from roost_protocol.topics import check_name, node_id

FILE_BYTES_MAX: Final = 256 * 1024  # a configuration that long is something else
USUAL: Final = "/etc/roost"  # where the configuration is
MAIN: Final = "agent.toml"
DROP_INS: Final = "conf.d"

HA_KEYS: Final = ("file",)
FAILURE_ACTION: Final = "heartbeat_failure_action"
HOSTS_KEYS: Final = (*HOSTS, FAILURE_ACTION)
BMC_KEYS: Final = ("file",)
JOIN_KEYS: Final = tuple(each.name for each in msgspec.structs.fields(JoinConfig))
_TABLES: Final[Mapping[str, Iterable[str]]] = {  # whose keys are known one by one
    "beat": BEAT,
    "outbox": OUTBOX,
    "inventory": INVENTORY,
    "processes": PROCESSES_KEYS,
    "settings": SETTINGS_KEYS,
    "updates": UPDATES_KEYS,
    "hosts": HOSTS_KEYS,
    "ha": HA_KEYS,
    "bmc": BMC_KEYS,
    "join": JOIN_KEYS,
}
_TOP: Final = ("site", "node", "state_dir", "preset", "path", "alarms", *_TABLES)

Table = dict[str, Any]


def load(where: Path) -> Config:
    """Return the configuration of a file, or of a folder with drop-ins.

    What a node's identity says (enrolled.py) need not be said: its site and name, and its paths. A
    folder without agent.toml is enough where the state directory is the usual one.

    Raises:
        ConfigError: with every fault: file, key, bound, and a suggestion for an unknown key.
    """
    main, *drop_ins = _files(where)
    reader = _Reader(main)
    facts = Path(STATE_DIR) / FOLDER / FACTS
    try:
        is_enough = facts.is_file() and not main.exists()
    except PermissionError as err:
        raise ConfigError([f"{err.filename}: not for this user to read: run it as root"]) from err
    if not is_enough:
        reader.read(main)
    for file in drop_ins:
        reader.read(file)
    config = reader.config()
    if reader.faults or config is None:
        raise ConfigError(reader.faults)
    return config


def load_join(where: Path) -> tuple[JoinConfig, Path]:
    """Return how a box without an identity is to find its centre, and its state directory.

    Nothing else of the configuration needs to be there, nor any file at all.

    Raises:
        ConfigError: with every fault of a file, and of the keys that count here.
    """
    files = [file for file in _files(where) if file.exists()] if where.exists() else []
    reader = _Reader(where)
    for file in files:
        reader.read(file)
    found = reader.join(), reader.state_dir()
    if reader.faults:
        raise ConfigError(reader.faults)
    return found


def _files(where: Path) -> list[Path]:
    if where.is_dir():
        return [where / MAIN, *sorted((where / DROP_INS).glob("*.toml"))]
    return [where, *sorted((where.parent / DROP_INS).glob("*.toml"))]


class _Reader:
    """One pass over all files: what was said last, by which file, and what is wrong with it.

    A key may stand in a file that could not be read: then none is called missing.
    """

    def __init__(self, main: Path) -> None:
        self.faults: list[str] = []
        self._main = main
        self._is_whole = True
        self._said: Table = {}
        self._by: dict[str, str] = {}  # dotted key -> file
        self._paths: list[tuple[str, Table]] = []
        self._alarms: list[tuple[str, Table]] = []

    def read(self, file: Path) -> None:
        """Take in one file."""
        try:
            with file.open("rb") as stream:
                raw = stream.read(FILE_BYTES_MAX + 1)
            if len(raw) > FILE_BYTES_MAX:
                self._unread(file, f"longer than {FILE_BYTES_MAX} bytes")
                return
            table = tomllib.loads(raw.decode())
        except OSError as err:
            hint = "; --config names a file or a folder" if file == self._main else ""
            self._unread(file, f"{err.strerror}{hint}")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
            self._unread(file, f"not TOML: {err}")
        else:
            self._merge(file.name, table)

    def _unread(self, file: Path, why: str) -> None:
        self._is_whole = False
        self.faults.append(f"{file}: {why}")

    def _merge(self, file: str, table: Table) -> None:
        self._check_keys(file, "", table, _TOP)
        for key, value in table.items():
            if key == "path":
                self._add_paths(file, value)
            elif key == "alarms":
                if isinstance(value, dict):
                    self._alarms.append((file, value))
                else:
                    self.fault(file, key, "must be a table")
            elif key in _TABLES:
                if self._is_table(file, key, value):
                    for inner, each in value.items():
                        self._said[f"{key}.{inner}"] = each
                        self._by[f"{key}.{inner}"] = file
            else:
                self._said[key] = value
                self._by[key] = file

    def _add_paths(self, file: str, value: object) -> None:
        if not isinstance(value, list):
            self.fault(file, "path", "must be [[path]] tables")
            return
        self._paths += [(file, each) for each in value if self._is_table(file, "path", each)]

    def _is_table(self, file: str, key: str, value: object) -> bool:
        if not isinstance(value, dict):
            self.fault(file, key, "must be a table")
            return False
        known = _TABLES.get(key, PATH_KEYS)
        self._check_keys(file, f"{key}.", value, known)
        return True

    def _check_keys(self, file: str, prefix: str, table: Table, known: Iterable[str]) -> None:
        names = list(known)
        for key in table:
            if key not in names:
                self.fault(file, f"{prefix}{key}", f"unknown key, {hint(key, names)}")

    def fault(self, file: str, key: str, what: str) -> None:
        """Note one fault."""
        self.faults.append(f"{file}: {key}: {what}")

    def config(self) -> Config | None:
        """Return what was read, None when it cannot be made sense of; faults say why."""
        state_dir = str(self.state_dir())
        enrolled = self._enrolled(Path(state_dir))
        site = self._name("site", enrolled.facts.site if enrolled else None)
        node = self._name("node", enrolled.facts.node if enrolled else None)
        if site and node and not enrolled:
            try:
                node_id(site, node)
            except ProtocolError as err:
                self.fault(self._by["node"], "site and node", f"{err}, together")
        preset = self._text("preset", "wan")
        if preset not in PRESETS:
            self.fault(self._by["preset"], "preset", f"one of {', '.join(PRESETS)}")
            preset = "wan"
        beat = self._numbers("beat", BEAT, PRESETS[preset])
        outbox = self._numbers("outbox", OUTBOX, {})
        inventory = self._numbers("inventory", INVENTORY, {})
        paths = self._path_configs(enrolled)
        ha_file = self._text("ha.file", "")
        if ha_file and not ha_file.startswith("/"):
            self.fault(self._by["ha.file"], "ha.file", "must be an absolute path")
        bmc_file = self._text("bmc.file", BMC_FILE)
        if not bmc_file.startswith("/"):
            self.fault(self._by["bmc.file"], "bmc.file", "must be an absolute path")
        alarms = alarms_config(self._alarms, state_dir, self.fault)
        processes = processes_config(*self._table("processes", PROCESSES_KEYS))
        settings = settings_config(*self._table("settings", SETTINGS_KEYS))
        updates = updates_config(*self._table("updates", UPDATES_KEYS))
        hosts = self._hosts()
        join = self.join()
        if self.faults:
            return None
        return Config(
            site=site,
            node=node,
            state_dir=state_dir,
            preset=preset,
            paths=paths,
            alarms=alarms,
            processes=processes,
            settings=settings,
            updates=updates,
            hosts=hosts,
            ha_file=ha_file,
            bmc_file=bmc_file,
            join=join,
            enrolled=enrolled,
            beat=BeatConfig(beat["interval_s"] * 1000, beat["site_interval_s"] * 1000),
            outbox=OutboxConfig(
                outbox["bytes_max"],
                outbox["age_max_h"] * HOUR_MS,
                outbox["ring_bytes_max"],
                outbox["ring_age_max_h"] * HOUR_MS,
            ),
            inventory=InventoryConfig(
                inventory["probe_interval_h"] * HOUR_MS, inventory["stamp_interval_s"] * 1000
            ),
        )

    def _hosts(self) -> HostsConfig:
        action = self._text(f"hosts.{FAILURE_ACTION}", FAILURE_ACTIONS[0])
        if action not in FAILURE_ACTIONS:
            where = self._by[f"hosts.{FAILURE_ACTION}"]
            self.fault(where, f"hosts.{FAILURE_ACTION}", f"one of {', '.join(FAILURE_ACTIONS)}")
        return HostsConfig(action, **self._numbers("hosts", HOSTS, {}))

    def _table(self, table: str, keys: Iterable[str]) -> tuple[Table, Callable[[str, str], None]]:
        """Return what was said of a table's keys, and who takes what is wrong with one."""

        def fault(key: str, what: str) -> None:
            self.fault(self._by[f"{table}.{key}"], f"{table}.{key}", what)

        found = {key: f"{table}.{key}" for key in keys}
        return {key: self._said[name] for key, name in found.items() if name in self._said}, fault

    def state_dir(self) -> Path:
        """Return where identity and outbox are."""
        found = self._text("state_dir", STATE_DIR)
        if not found.startswith("/"):
            self.fault(self._by["state_dir"], "state_dir", "must be an absolute path")
        return Path(found)

    def join(self) -> JoinConfig:
        """Return what the ``[join]`` tables say together."""
        said, fault = self._table("join", JOIN_KEYS)
        if not said:
            return JoinConfig()
        from roost_agent.config_join import join_config  # noqa: PLC0415 - for who is no node yet

        return join_config(said, fault)

    def _text(self, key: str, default: str) -> str:
        value = self._said.get(key, default)
        if not isinstance(value, str):
            self.fault(self._by[key], key, "must be a string")
            return default
        return value

    def _enrolled(self, state_dir: Path) -> Enrolled | None:
        try:
            return load_enrolled(state_dir)
        except ConfigError as err:
            self.faults += err.faults
            return None

    def _name(self, key: str, given: str | None) -> str:
        """Return a name that was said, or that the identity has."""
        if key not in self._said:
            if self._is_whole and given is None:
                hint = "missing; roost-agent join gives this box one, or write it here"
                self.fault(self._main.name, key, hint)
            return given or ""
        if given is not None and self._said[key] != given:
            hint = f"{self._said[key]!r}, and the identity says {given!r}: remove this line"
            self.fault(self._by[key], key, hint)
            return given
        value = self._text(key, "")
        if value != self._said[key]:
            return ""  # no text, which was told
        try:
            return check_name(value, field=key)
        except ProtocolError as err:
            self.fault(self._by[key], key, f"{value!r}: {err.bound}")
            return ""

    def _numbers(
        self, table: str, bounds: Mapping[str, Bound], preset: Mapping[str, int]
    ) -> dict[str, int]:
        found = {}
        for key, bound in bounds.items():
            name = f"{table}.{key}"
            value = self._said.get(name, preset.get(key, bound.default))
            if not isinstance(value, int) or isinstance(value, bool):
                self.fault(self._by[name], name, "must be a whole number")
                value = bound.default
            elif not bound.low <= value <= bound.high:
                self.fault(self._by[name], name, f"{value}: bound {bound.low}..{bound.high}")
            found[key] = value
        return found

    def _path_configs(self, enrolled: Enrolled | None) -> tuple[PathConfig, ...]:
        found: dict[str, PathConfig] = {}
        if enrolled is not None and not any(each.get("kind") == "wan" for _, each in self._paths):
            paths = enrolled_paths(enrolled, partial(self.fault, FACTS))
            found |= {path.name: path for path in paths}
        count = len(found) + len(self._paths)
        if count > PATHS_MAX or (count == 0 and self._is_whole):
            self.fault(self._main.name, "path", f"{count} paths: bound {PATHS_BOUND}")
        for file, table in self._paths:
            path = path_config(table, partial(self.fault, file))
            if path is not None and path.name in found:
                self.fault(file, "path.name", f"{path.name!r} is there already")
            elif path is not None:
                found[path.name] = path
        return tuple(found.values())
