"""``roost-central``: serve, sign, check a configuration, show the admin token.

Leaves the work to app.py, which is imported only by the commands that need it.
"""

import argparse
import asyncio
import errno
import logging
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from roost_central.config import DEFAULT_FILE, CentralConfig, ConfigFaultsError, Flags, load
from roost_central.errors import CentralError
from roost_protocol import __version__

EXIT_FAILED: Final = 1
EXIT_CONFIG: Final = 2

EXAMPLE: Final = f"""\
configuration ({DEFAULT_FILE} where --config is not given; all keys have defaults):
  data_dir = "/var/lib/roost-central"
  shards = "0-63"
  admit = "registered"          # "loopback": also unknown nodes, by a broker of this machine
  [http]
  host = "127.0.0.1"            # any other address needs cert and key
  port = 8470
  [[broker]]
  name = "b1"
  url = "mqtt://127.0.0.1:1883"
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code: 0, 1 failed, 2 usage or configuration."""
    parsed = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = parsed.command
    try:
        return command(parsed)
    except ConfigFaultsError as err:
        for fault in err.faults:
            print(f"roost-central: {fault}", file=sys.stderr)
        return EXIT_CONFIG
    except (CentralError, OSError, ExceptionGroup) as err:
        causes = _causes(err)
        if not all(isinstance(cause, (CentralError, OSError)) for cause in causes):
            raise
        for cause in causes:
            print(f"roost-central: {_advice(cause)}", file=sys.stderr)
    return EXIT_FAILED


def _run(parsed: argparse.Namespace) -> int:
    import uvloop  # noqa: PLC0415  only this command needs it

    from roost_central import app  # noqa: PLC0415  as above
    from roost_central.data_dir import CENTRAL_LOCK, locked  # noqa: PLC0415  as above

    config = _config(parsed)
    logging.basicConfig(
        level=parsed.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    _, files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))  # a socket is a file
    for noisy in ("alembic", "gmqtt"):  # each packet and each migration, at INFO
        logging.getLogger(noisy).setLevel(logging.WARNING)
    with (
        locked(config.data_dir, CENTRAL_LOCK),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(app.run(config))
    return 0


def _check_config(parsed: argparse.Namespace) -> int:
    from roost_central.config_summary import summary  # noqa: PLC0415  slow: it reads catalogues

    sys.stdout.write(summary(_config(parsed)))
    return 0


def _catalogue(parsed: argparse.Namespace) -> int:
    from roost_central.alarms.catalogue_file import load as load_types  # noqa: PLC0415  only here
    from roost_central.alarms.catalogue_file import shipped  # noqa: PLC0415  as above
    from roost_protocol.catalogue import encode_catalogue  # noqa: PLC0415  as above

    types = load_types(parsed.files)
    own = {id_ for id_ in types if id_ not in shipped()} if parsed.files else set(types)
    if parsed.json:
        chosen = {id_: known for id_, known in types.for_agents().items() if id_ in own}
        sys.stdout.write(encode_catalogue(chosen).decode())
    else:
        for id_ in sorted(own):
            print(f"{id_}  {types[id_].name}")
    return 0


def _token(parsed: argparse.Namespace) -> int:
    from roost_central.api.secret import ADMIN_FILE  # noqa: PLC0415  slow to import

    config = _config(parsed)
    path = config.data_dir / ADMIN_FILE
    if parsed.new:
        print(asyncio.run(_renew(config)))
    elif path.exists():
        print(path.read_text(encoding="ascii").strip())
    else:
        raise FileNotFoundError(f"there is no {path}: start roost-central once, or pass --new")
    return 0


async def _renew(config: CentralConfig) -> str:
    from roost_central import app  # noqa: PLC0415  slow to import
    from roost_central.api.secret import ADMIN_FILE, ensure_admin  # noqa: PLC0415  as above
    from roost_central.ports import SystemClock, SystemEntropy  # noqa: PLC0415  as above

    clock = SystemClock()
    async with app.opened(config, clock) as database, database.write() as connection:
        token = await ensure_admin(
            connection,
            config.data_dir / ADMIN_FILE,
            SystemEntropy(),
            now_ms=clock.wall_ms(),
            renew=True,
        )
    return token or ""


def _ingest_key(parsed: argparse.Namespace) -> int:
    from roost_central.data_dir import CENTRAL_LOCK, locked  # noqa: PLC0415  only here

    config = _config(parsed)
    if not parsed.new:
        print(config.data_dir / "ingest.key")
        return 0
    with locked(config.data_dir, CENTRAL_LOCK):
        print(asyncio.run(_renew_ingest_key(config)))
    return 0


async def _renew_ingest_key(config: CentralConfig) -> str:
    from roost_central import app, ingest_key  # noqa: PLC0415  slow to import
    from roost_central.ports import SystemClock, SystemEntropy  # noqa: PLC0415  as above

    async with (
        app.opened(config, SystemClock()) as database,
        database.write() as connection,
    ):
        count = await ingest_key.renew(connection, config.data_dir, SystemEntropy())
    present, old = (config.data_dir / name for name in ingest_key.NAMES)
    said = f"{present} is new, and {count} nodes get their keys of it as they renew."
    return f"{said}\nUntil then they speak by {old}." if old.exists() else said


def _broker(parsed: argparse.Namespace) -> int:
    from roost_central.brokers import program  # noqa: PLC0415  only here
    from roost_central.data_dir import BROKER_LOCK, locked  # noqa: PLC0415  as above

    config = _config(parsed)
    logging.basicConfig(level="INFO", format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with locked(config.data_dir, BROKER_LOCK):
        asyncio.run(program.run(config))
    return 0


def _signer(parsed: argparse.Namespace) -> int:
    import uvloop  # noqa: PLC0415  only here and in run

    from roost_central.signer import program  # noqa: PLC0415  only here
    from roost_central.signer.message import SIGNER_SOCKET  # noqa: PLC0415  as above

    folder = parsed.dir or program.DEFAULT_FOLDER
    match parsed.what:
        case "check":
            print(program.checked(folder))
        case "archive":
            print(program.archived(folder))
        case "log":
            for line in program.log_lines(folder, is_verifying=parsed.verify):
                print(line)
        case _:
            logging.basicConfig(level="INFO", format="%(levelname)s %(message)s", stream=sys.stderr)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(program.run(folder, parsed.socket or SIGNER_SOCKET))
    return 0


def _openapi(_parsed: argparse.Namespace) -> int:
    import msgspec  # noqa: PLC0415  slow to import

    from roost_central.api.openapi import document  # noqa: PLC0415  as above
    from roost_central.api.routes import API  # noqa: PLC0415  as above

    text = msgspec.json.encode(document(API, __version__))
    print(msgspec.json.format(text, indent=2).decode())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roost-central",
        description="The centre of a fleet: takes in what nodes report, serves API and dashboard.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"roost-central {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command, text in (
        ("run", _run, "serve until a signal comes"),
        ("check-config", _check_config, "say what is configured, or all that is wrong with it"),
        ("token", _token, "print the admin token"),
        ("ingest-key", _ingest_key, "print where the key is that the nodes' keys come of"),
        ("broker", _broker, "run the fleet's broker, as [fleet_broker] says, until a signal comes"),
    ):
        sub = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        sub.set_defaults(command=command)
        _add_config_flags(sub)
        if name in {"token", "ingest-key"}:
            sub.add_argument("--new", action="store_true", help="replace it by a new one")
        if name == "run":
            levels = ("debug", "info", "warning", "error")
            sub.add_argument("--log-level", choices=levels, default="info", help="default: info")
    text = "check catalogue files and list their types, or ours where none is named"
    sub = commands.add_parser("catalogue", help=text, description=text.capitalize() + ".")
    sub.add_argument("files", nargs="*", type=Path, metavar="FILE", help="YAML")
    sub.add_argument("--json", action="store_true", help="as agents read it")
    sub.set_defaults(command=_catalogue)
    _add_signer(commands.add_parser("signer", help="sign for this centre, by a policy"))
    sub = commands.add_parser("openapi", help="print the OpenAPI document of the API")
    sub.set_defaults(command=_openapi)
    return parser


def _add_config_flags(sub: argparse.ArgumentParser) -> None:
    add = sub.add_argument
    add("--config", type=Path, metavar="FILE", help=f"TOML file (default: {DEFAULT_FILE})")
    add("--data-dir", type=Path, metavar="DIR", help="database, admin token")
    add("--host", metavar="ADDRESS", help="address to serve on (default: 127.0.0.1)")
    add("--port", type=int, metavar="N", help="port to serve on (default: 8470)")
    add("--database", metavar="URL", help="default: roost.db in the data directory")
    add("--broker", action="append", default=[], metavar="URL", help="mqtt://HOST:PORT, repeatable")


def _add_signer(sub: argparse.ArgumentParser) -> None:
    sub.description = (
        "Holds the issuing keys and signs what its policy allows. It runs as a user of its own; "
        "`roost ca init` makes its folder."
    )
    add = sub.add_argument
    words = ("run", "check", "log", "archive")
    add("what", nargs="?", choices=words, default="run", help="serve (default), look at the "
        "folder, print the record of signatures, or put it aside and begin another")  # fmt: skip
    add("--dir", type=Path, metavar="DIR", help="keys and policy (default: /var/lib/roost-signer)")
    add("--socket", type=Path, metavar="FILE", help="default: /run/roost-signer/signer.sock")
    add("--verify", action="store_true", help="with log: print the count and the last hash only")
    sub.set_defaults(command=_signer)


def _config(parsed: argparse.Namespace) -> CentralConfig:
    flags = Flags(
        data_dir=parsed.data_dir,
        host=parsed.host,
        port=parsed.port,
        database=parsed.database,
        brokers=tuple(parsed.broker),
    )
    return load(parsed.config, flags)


def _causes(err: Exception) -> list[Exception]:
    """Return what went wrong in the tasks of a group, any other error as it is."""
    if not isinstance(err, ExceptionGroup):
        return [err]
    return [cause for each in err.exceptions for cause in _causes(each)]


def _advice(err: Exception) -> str:
    if isinstance(err, CentralError) and err.code == "in-use":
        return f"another roost-central runs on {err.got}: stop it, or pass another --data-dir"
    if isinstance(err, OSError) and err.errno == errno.EADDRINUSE:
        return f"{err.strerror}: stop what listens there, or pass another --port"
    return str(err)


if __name__ == "__main__":
    sys.exit(main())
