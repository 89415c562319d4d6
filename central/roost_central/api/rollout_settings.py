"""Plans of profiles over HTTP: whose settings change, what of them, and what is in the way."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from roost_central.api.call import Call
from roost_central.api.dry_answers import SectionDry
from roost_central.api.problem import ApiError
from roost_central.api.profile_answers import group_answers
from roost_central.api.profiles import ProfileFile, asked_of_desk, may_change, refused
from roost_central.profiles.change import Wanted
from roost_central.profiles.draft import Plan as Draft
from roost_central.profiles.plan import GROUPS_MAX, ChangeGroup
from roost_central.rollout.apart import Claim, in_the_way
from roost_central.rollout.plan import Plan
from roost_central.rollout.plan_file import texts_digest
from roost_central.rollout.settings_carrier import short
from roost_central.rollout.table import Kind
from roost_central.rollout.waves import Candidate
from roost_central.storage.rollout_changes import ProfileTexts
from roost_protocol.errors import ProtocolError
from roost_protocol.profile.field import Mark
from roost_protocol.topics import split_node_id

COMPONENT: Final = "profile"  # of a rollout of profiles, where a release says its own
UNABLE_NAMED: Final = 5  # nodes: enough to look at one
VERSION_CHARS_MAX: Final = 64
RESUMED: Final = "resumed"  # what changes on a node that an aborted rollout holds back
REACHED_BY: Final = frozenset({"network", "paths", "ha"})  # sections that can cut a node off
_MARKS: Final = list(Mark)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a plan of profiles comes to.

    Attributes:
        found: the sites with nodes that change and take settings.
        digest, size: of the texts.
        unable: nodes that change and take no settings now.
    """

    texts: ProfileTexts
    draft: Draft
    found: list[Candidate]
    digest: str
    size: int
    unable: int

    @property
    def names(self) -> tuple[str, ...]:
        """The profiles."""
        return tuple(sorted(self.draft.outcomes))

    @property
    def version(self) -> str:
        """Their names, as far as they are shown."""
        return ", ".join(self.names)[:VERSION_CHARS_MAX]

    def shown(self) -> Mapping[str, Any]:
        """Return what a dry run tells of them."""
        return {
            "sections": sections_of(self.draft.groups),
            "changes": group_answers(self.draft),
            "changes_left": max(len(self.draft.groups) - GROUPS_MAX, 0),
            "unable": self.unable,
        }


async def settings_of(
    call: Call[Any, Any], plan: Plan, files: Sequence[ProfileFile], draft: Draft | None = None
) -> Settings:
    """Return what the profiles of a plan come to.

    Args:
        call: who asks.
        plan: of profiles.
        files: of them, as they came.
        draft: what they come to, where that was just worked out; None: it is worked out here.

    Raises:
        ApiError: ``invalid``, ``not-found`` or ``not-allowed``: as of a change of profiles.
        ProtocolError: ``plan``: other files came than it names, or nothing changes.
    """
    given = [each.file for each in files]
    if sorted(given) != sorted(plan.profiles):
        bound = f"the files that the plan names: {', '.join(plan.profiles)}"
        raise ProtocolError("plan", field="profiles", got=", ".join(given), bound=bound)
    texts = ProfileTexts(tuple((each.file, each.source) for each in files), tuple(plan.remove))
    wanted = Wanted(texts.files, texts.remove)
    if draft is None:
        draft = await asked_of_desk(call.api.profiles.preview(wanted, may_change(call)))
    if draft.faults:
        raise refused(draft.faults)
    nodes = draft.nodes
    if not nodes:
        raise ProtocolError("plan", field="profiles", got="no node", bound="settings that change")
    found, unable = _candidates(call, draft, nodes)
    if not found:
        more = f" and {len(nodes) - UNABLE_NAMED} more" if len(nodes) > UNABLE_NAMED else ""
        named = ", ".join(sorted(nodes)[:UNABLE_NAMED])
        detail = (
            f"none of the {len(nodes)} nodes takes settings ({named}{more}): no identity, or "
            "nothing there that applies them, so no wave would ever be through (roost node list -q "
            "config=unable); roost profile apply --at-once has it count for when they do"
        )
        raise ApiError("conflict", detail)
    size = sum(len(source) for _, source in texts.files)
    return Settings(texts, draft, found, texts_digest(texts.files, texts.remove), size, unable)


def settings_refusals(call: Call[Any, Any], settings: Settings) -> list[str]:
    """Return why a plan of profiles is not taken, each with what to do."""
    names, sites = {*settings.names}, [each.site for each in settings.found]
    nodes = [node for each in settings.found for node in each.nodes]
    claim = Claim(Kind.PROFILE, COMPONENT, sites, nodes, names)
    found = [
        f"{other}: let it end, abort it, or roll it back first"
        for other in in_the_way(call.api.rollouts.open, claim)
    ]
    holding = call.api.profiles.holding
    other, count = holding.in_the_way(
        settings.draft.nodes, names, holding.superseded(settings.names)
    )
    if other and not found:
        found.append(
            f"rollout {other} holds {count} of these nodes back: let it end, roll it back, or make "
            "its profiles part of this one"
        )
    return found


def sections_of(groups: Sequence[ChangeGroup]) -> list[SectionDry]:
    """Return the sections that change, those that affect services first."""
    settings: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    nodes: defaultdict[str, set[str]] = defaultdict(set)
    marks: defaultdict[str, set[Mark]] = defaultdict(set)
    for group in groups:
        for change in group.changes:
            section = change.path[0]
            settings[section].add(change.path)
            marks[section].add(change.mark)
            nodes[section].update(group.nodes)
    found = []
    for section, paths in settings.items():
        mark = max(marks[section], key=_MARKS.index)
        sites = len({split_node_id(node)[0] for node in nodes[section]})
        affects = mark is not Mark.LIVE or section in REACHED_BY
        found.append(SectionDry(section, len(paths), len(nodes[section]), sites, mark, affects))
    return sorted(found, key=lambda each: (not each.affects_service, each.section))


def _candidates(
    call: Call[Any, Any], draft: Draft, nodes: Collection[str]
) -> tuple[list[Candidate], int]:
    """Return the sites of nodes that change and take settings; how many nodes take none."""
    runner = call.api.rollouts
    sight = call.api.changing
    runner.sites.refresh()
    busy = runner.busy(Kind.PROFILE)
    what = {node: group for group in draft.groups for node in group.nodes}
    by_site: dict[str, list[str]] = {}
    able = sight.able(nodes)
    for node in able:
        by_site.setdefault(split_node_id(node)[0], []).append(node)
    found = []
    for site, some in sorted(by_site.items()):
        groups = [what[node] for node in some if node in what]
        sections = [change.path[0] for group in groups for change in group.changes]
        is_exposed = len(call.api.rollouts.sites.nodes(site)) == 1 and any(
            group.mark is not Mark.LIVE for group in groups
        )
        word = short(sections) or RESUMED
        found.append(sight.candidate(site, some, word, busy, is_exposed=is_exposed))
    return found, len(nodes) - len(able)
