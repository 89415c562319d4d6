"""``roost release publish|list|show|export``: what the centre serves."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from roost_central.cli import output
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.release_options import FOLDER, REPOSITORY, bundles, refusing, size

OCTETS = "application/octet-stream"


@click.command()
@click.argument("folder", metavar="DRAFT", type=FOLDER)
@click.option(
    "--bundle", "folders", multiple=True, type=FOLDER, help="Of what comes; may be repeated."
)
@shared()
def publish(asked: Asked, folder: Path, folders: Sequence[Path]) -> None:
    """Have the centre serve a draft that enough of its holders signed.

    Blobs that it does not have are uploaded first; what it has is not sent again.
    """
    from roost_central.releases import draft_signing  # noqa: PLC0415 - slow to import

    if (folder / "manifest.json").exists():
        raise RefusedError(
            f"{folder} is a bundle, and a signed draft is published: `roost release add {folder} "
            f"--draft DRAFT`, `roost release sign DRAFT`, `roost release publish DRAFT --bundle "
            f"{folder}`"
        )
    made, client = refusing(lambda: draft_signing.whole(folder)), asked.client()
    for each in bundles(folders, is_checked=False):
        _upload(client, each)
    body = {
        "image_roots": [made.image_root.decode()] if made.image_root else [],
        "director_roots": [made.director_root.decode()] if made.director_root else [],
        "targets": made.targets.decode(),
        "delegated": {role: raw.decode() for role, raw in made.delegated.items()},
    }
    done = client.send("POST", REPOSITORY, json.dumps(body).encode(), headers=JSON)
    click.echo(f"targets of version {done['version']} are served")
    for path in done["added"]:
        click.echo(f"  {path}")


def _upload(client: Client, bundle: Any) -> None:  # noqa: ANN401 - releases.bundle.Bundle
    from roost_central.releases.bundle import MANIFEST, blob_path, blobs_of  # noqa: PLC0415 - slow

    manifest = bundle.folder / MANIFEST
    with manifest.open("rb") as file:
        answer = client.upload(
            at("manifests", bundle.digest), file, len(bundle.raw)
        )  # fmt: skip
    sizes = blobs_of(bundle.manifest)
    total = sum(sizes[blob] for blob in answer["missing"])
    click.echo(f"{bundle.path}: {len(answer['missing'])} blobs, {size(total)} to send", err=True)
    for blob in answer["missing"]:
        path = bundle.folder / blob_path(blob)
        with path.open("rb") as file:
            client.upload(at("blobs", blob), file, sizes[blob])


@click.command("list")
@shared(watch=True)
def list_(asked: Asked) -> None:
    """List releases, by component and counter."""
    columns = [
        output.text("COMPONENT", "component", whole=True),
        output.text("VERSION", "version", whole=True),
        output.number("COUNTER", "counter"),
        output.text("STATE", "state"),
        Column("SIZE", lambda row: size(row["bytes_full"]), lambda row: row["bytes_full"]),
        output.number("FLOOR", "floor"),
        Column("FROM", lambda row: str(row["least_counter"] or "any"), None),
        Column("BARRIER", lambda row: "yes" if row["is_barrier"] else "-", None, wide=True),
        output.text("ARCH", "arch", wide=True),
        Column("SIGNED", lambda row: asked.clock(row["signed"]), lambda row: row["signed"]),
        output.text("DIGEST", "digest", wide=True, whole=True),
    ]

    def draw(client: Client) -> str:
        found = client.get("/api/v1/releases")
        if not found["items"] and asked.form in {"table", "wide"}:
            return "no releases yet: `roost release build`, `add`, `sign` and `publish` make one\n"
        return output.render(found["items"], columns, asked.form, name="digest")

    show(asked, draw)


@click.command("show")
@click.argument("release", metavar="COMPONENT/VERSION|DIGEST")
@shared(watch=True)
def show_(asked: Asked, release: str) -> None:
    """Show a release, and from which others a node may come to it in one step."""
    name = _named(release)

    def draw(client: Client) -> str:
        found = client.get(at("releases", name))
        if asked.form not in {"table", "wide"}:
            return output.document(found, asked.form)
        return "".join(f"{line}\n" for line in _lines(asked, found))

    show(asked, draw)


def _named(text: str) -> str:
    """Return how the API names COMPONENT/VERSION."""
    component, _, version = text.removesuffix(".json").rpartition("/")
    return f"{component.replace('/', '~')}~{version}" if component else text


def _lines(asked: Asked, found: dict[str, Any]) -> list[str]:
    whom = found["arch"] or "every machine"
    models = f", models {', '.join(found['hw'])}" if found["hw"] else ""
    lines = [
        f"{found['component']} {found['version']}: {found['state']}, counter {found['counter']}",
        f"digest {found['digest']}",
        f"signed {asked.clock(found['signed'])}; for {whom}{models}; by {found['installer']}"
        + (", takes a reboot" if found["reboot"] else ""),
        f"{found['files']:,} files, {size(found['size_unpacked'])}; {size(found['bytes_full'])} "
        f"to fetch whole, {found['deltas']} deltas",
        f"nothing below {found['floor']} is installed once it runs for good",
    ]
    lines += ["a barrier: no update goes past it"] if found["is_barrier"] else []
    lines += [f"{found['missing']} blobs are not at the centre"] if found["missing"] else []
    for hop in found["hops"]:
        way = f"no: {hop['why']}" if hop["why"] else size(hop["wan_bytes"])
        lines.append(f"from {hop['version']} ({hop['counter']}): {way}")
    return lines


@click.command()
@click.argument("site")
@click.option("--to", required=True, type=FOLDER, help="A new folder, on the stick.")
@shared()
def export(asked: Asked, site: str, to: Path) -> None:
    """Write all that a site is to have onto a stick: `roost-agent import DIR` reads it there."""
    if to.exists():
        raise RefusedError(f"{to} is there already: name a new folder", ExitCode.CONFLICT)
    client = asked.client()
    found = client.get(at("sites", site, "repository"))
    fresh = to.with_name(f"{to.name}.new")
    for path, text in found["files"].items():
        _write(fresh, path, [text.encode()])
    for blob in found["blobs"]:
        _write(fresh, f"blobs/{blob[:2]}/{blob}", client.download(at("blobs", blob), OCTETS))
    fresh.rename(to)
    total = sum(found["blobs"].values())
    click.echo(f"{to}: {len(found['files'])} files, {len(found['blobs'])} blobs, {size(total)}")


def _write(folder: Path, path: str, chunks: Any) -> None:  # noqa: ANN401 - any iterable of bytes
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        raise RefusedError(f"the centre names {path!r}: nothing is written there", ExitCode.ERROR)
    file = folder.joinpath(*parts)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
    except OSError as err:
        raise RefusedError(f"{file}: {err.strerror}", ExitCode.ERROR) from err
