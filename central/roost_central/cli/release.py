"""``roost release``: releases of software, from their holders' keys to what sites are told."""

import click

from roost_central.cli import release_key, release_make, release_members, release_serve
from roost_central.cli.verbs import Verbs


@click.group("release", cls=Verbs)
def command() -> None:
    """Make, sign, publish and show releases of software.

    \b
      roost release build ./web --to web-2 --component app/web --version 2.0 \\
        --counter 2 --installer files --previous web-1
      roost release add web-2 --draft d2
      roost release sign d2 --key ann.key --bundle web-2     two of three holders
      roost release publish d2 --bundle web-2
      roost release list
    """  # noqa: D301 - click reads \b as "keep these lines"


for _verb in (
    release_key.keygen,
    release_key.init,
    release_key.anchors,
    release_key.rotate,
    release_key.delegate,
    release_make.build,
    release_make.delta,
    release_make.add,
    release_make.retract,
    release_make.prolong,
    release_make.draft_,
    release_make.sign,
    release_serve.publish,
    release_serve.list_,
    release_serve.show_,
    release_serve.export,
    release_members.members,
    release_members.approve_members,
):
    command.add_command(_verb)
