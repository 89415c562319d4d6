"""The release that a plan names: its digest and size, or why there is none of that name."""

from collections.abc import Sequence

from roost_central.fleet.query_suggest import hint
from roost_central.releases.desk import ReleaseDesk
from roost_central.releases.shelf import NAMED, Release
from roost_central.rollout.plan import Plan
from roost_central.rollout.waves import NAMED_MAX
from roost_protocol.errors import ProtocolError


def release_of(plan: Plan, release: Release | None, desk: ReleaseDesk | None) -> tuple[str, int]:
    """Return digest and size of what a plan names.

    Args:
        plan: it.
        release: of that name, where there is one.
        desk: knows which one may have been meant.

    Raises:
        ProtocolError: ``plan``: nobody knows it, or the plan says another digest.
    """
    if release is None:
        if plan.digest is None:
            raise _unknown(plan, [] if desk is None else desk.releases())
        return plan.digest, plan.size
    if plan.digest is not None and plan.digest != release.digest:
        raise ProtocolError("plan", field="digest", got=plan.digest, bound=release.digest)
    return release.digest, release.custom.size_unpacked


def _unknown(plan: Plan, known: Sequence[Release]) -> ProtocolError:
    """Return that nobody knows a release, by the half of its name that nobody knows."""
    known = [each for each in known if each.state in NAMED]
    versions = [each.version for each in known if each.component == plan.component]
    if versions or not known:
        field, got = "version", f"{plan.component} {plan.version}"
        has = f", which has {', '.join(versions[-NAMED_MAX:])}" if versions else ""
        bound = f"a release of this centre{has} (roost release list), or a digest beside it"
        return ProtocolError("plan", field=field, got=got, bound=bound)
    meant = hint(plan.component, {each.component for each in known})
    bound = "a component that this centre has releases of (roost release list)"
    return ProtocolError(
        "plan",
        field="component",
        got=plan.component,
        bound=f"{bound}, or a digest beside it{meant}",
    )
