"""What do the sites that were hit share? A search for value sets over site attributes. Pure.

An explanation is ``anchor AND attribute IN {values}``: from "all sites", and from each of the best
single terms, every other attribute offers the values of which nearly all sites are hit. The best by
precision x coverage wins, what it covers is taken out, and the search goes on with the rest. One
set says in a sentence what pairs of terms would say in a dozen. About 100 ms for 10,000 sites: the
caller runs it in a thread.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from roost_central.alarms.incident_row import Cause

PRECISION_MIN: Final = 0.8  # share of the sites of a value that must be hit
HITS_MIN: Final = 5  # of one value: fewer are chance
COVERS_MIN: Final = 10  # sites that an explanation explains at least ..
COVERS_SHARE_MIN: Final = 0.02  # .. and of all that were hit
ANCHORS_MAX: Final = 24
VALUES_MAX: Final = 16  # more are no sentence
CAUSES_MAX: Final = 5
REJECTED_MAX: Final = 3
DISTINCT_SHARE_MAX: Final = 0.05  # of the sites: an attribute with more values explains nothing
DISTINCT_MIN: Final = 16  # that many are taken in a small fleet too
TIE: Final = 0.01
ALL_SITES: Final = "all sites"

Terms: TypeAlias = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Population:
    """The sites that could have been hit, as columns.

    Attributes:
        columns: by attribute, a value for each site; None: it has none.
        hit: indexes of the sites that were.
        own: attributes of our own parts: they win ties, and are the first to be rejected.
    """

    columns: Mapping[str, Sequence[str | None]]
    hit: frozenset[int]
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found; ``unexplained`` are the indexes that no cause covers."""

    causes: list[Cause] = field(default_factory=list)
    rejected: list[Cause] = field(default_factory=list)
    unexplained: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Candidate:
    terms: Terms
    precision: float
    covers: int
    of: int

    @property
    def values(self) -> int:
        return sum(len(values) for values in self.terms.values())


def explain(population: Population) -> Explanation:
    """Return the causes that the hit sites share, the one that explains most first.

    Of fewer sites than an explanation takes nothing is said, nor is anything rejected.
    """
    if len(population.hit) < COVERS_MIN:
        return Explanation(unexplained=population.hit)
    search = _Search(population)
    left = search.hit
    causes: list[Cause] = []
    enough = max(COVERS_MIN, COVERS_SHARE_MIN * len(population.hit))
    while left.bit_count() >= enough and len(causes) < CAUSES_MAX:
        best = search.best(left)
        if best is None or best.covers < enough:
            break
        causes.append(_cause(best))
        left &= ~search.members(best.terms)
    return Explanation(causes, search.rejected(causes), sites_of(left))


def text_of(terms: Terms) -> str:
    """Return an explanation as a query would say it: ``carrier=carB AND region IN r00..r11``."""
    if not terms:
        return ALL_SITES
    parts = []
    for name, values in terms.items():
        if len(values) == 1:
            parts.append(f"{name}={values[0]}")
        elif _is_run(values):
            parts.append(f"{name} IN {values[0]}..{values[-1]}")
        else:
            parts.append(f"{name} IN {','.join(values)}")
    return " AND ".join(parts)


class _Search:
    """One search; a set of sites is an integer with a bit for each, counted in one step."""

    def __init__(self, population: Population) -> None:
        columns = population.columns
        size = max((len(column) for column in columns.values()), default=0)
        self.everyone = (1 << size) - 1
        self._own = population.own
        self.hit = mask_of(population.hit, size)
        most = max(DISTINCT_MIN, DISTINCT_SHARE_MAX * size)
        self._masks = {
            name: _by_value(column, size)
            for name, column in columns.items()
            if len(set(column) - {None}) <= most
        }

    def best(self, left: int) -> _Candidate | None:
        """Return the best explanation of what is left."""
        singles = self._singles(left)
        found = [each for each in singles if each.precision >= PRECISION_MIN]
        whole = self._candidate({}, self.everyone, left)
        if whole.precision >= PRECISION_MIN:
            found.append(whole)
        found += self._sets({}, self.everyone, left)
        for anchor in singles[:ANCHORS_MAX]:
            found += self._sets(anchor.terms, self.members(anchor.terms), left)
        return self._choose(found, left.bit_count())

    def members(self, terms: Terms) -> int:
        """Return the sites with these attributes."""
        found = self.everyone
        for name, values in terms.items():
            some = 0
            for value in values:
                some |= self._masks[name][value]
            found &= some
        return found

    def rejected(self, causes: Sequence[Cause]) -> list[Cause]:
        """Return the best terms of attributes that are in no cause, our own parts first."""
        used = {name for cause in causes for name in cause.terms}
        best: dict[str, _Candidate] = {}
        for each in self._singles(self.hit):
            (name,) = each.terms
            if name not in used and each.covers:
                best.setdefault(name, each)
        ranked = sorted(best.items(), key=lambda item: item[0] not in self._own)
        return [_cause(each) for _, each in ranked[:REJECTED_MAX]]

    def _singles(self, left: int) -> list[_Candidate]:
        """Return every single term, the best first."""
        found = [
            self._candidate({name: [value]}, mask, left)
            for name, masks in self._masks.items()
            for value, mask in masks.items()
        ]
        return sorted(found, key=lambda each: (-each.precision * each.covers, each.of))

    def _sets(self, anchor: Terms, inside: int, left: int) -> list[_Candidate]:
        """Return the best value set of each other attribute among the anchor's sites."""
        struck = inside & self.hit
        if struck.bit_count() < HITS_MIN:
            return []
        new = struck & left
        found = (
            self._set(anchor, name, inside=inside, struck=struck, new=new)
            for name in self._masks
            if name not in anchor
        )
        return [each for each in found if each is not None]

    def _set(
        self, anchor: Terms, name: str, *, inside: int, struck: int, new: int
    ) -> _Candidate | None:
        good: list[tuple[int, str, int, int]] = []
        for value, mask in self._masks[name].items():
            fresh = (new & mask).bit_count()
            if not fresh:
                continue
            hits = (struck & mask).bit_count()
            if hits < HITS_MIN:
                continue
            of = (inside & mask).bit_count()
            if hits >= PRECISION_MIN * of:
                good.append((-fresh, value, hits, of))
        if not good:
            return None
        good = sorted(good)[:VALUES_MAX]
        of = sum(each[3] for each in good)
        terms = {**anchor, name: sorted(value for _, value, _, _ in good)}
        hits = sum(each[2] for each in good)
        return _Candidate(terms, hits / of, -sum(each[0] for each in good), of)

    def _candidate(self, terms: Terms, members: int, left: int) -> _Candidate:
        of = members.bit_count()
        hits = (members & self.hit).bit_count()
        covers = (members & left).bit_count()
        return _Candidate(terms, hits / of if of else 0.0, covers, of)

    def _choose(self, found: Sequence[_Candidate], left: int) -> _Candidate | None:
        """Return the best by precision x coverage; of near ones few values, then our own parts."""
        if not found:
            return None
        top = max(each.precision * each.covers for each in found)
        near = [each for each in found if each.precision * each.covers >= top - TIE * left]

        def rank(each: _Candidate) -> tuple[int, bool, float]:
            is_own = bool(self._own & each.terms.keys())
            return (each.values, not is_own, -each.precision * each.covers)

        return min(near, key=rank)


def mask_of(sites: Iterable[int], size: int) -> int:
    """Return indexes as an integer with a bit for each."""
    bits = bytearray(size // 8 + 1)
    for site in sites:
        bits[site >> 3] |= 1 << (site & 7)
    return int.from_bytes(bits, "little")


def sites_of(mask: int) -> frozenset[int]:
    """Return the indexes of an integer's bits."""
    text = f"{mask:b}"[::-1]
    return frozenset(place for place, bit in enumerate(text) if bit == "1")


def _by_value(column: Sequence[str | None], size: int) -> dict[str, int]:
    found: dict[str, bytearray] = {}
    for site, value in enumerate(column):
        if value is not None:
            bits = found.get(value)
            if bits is None:
                bits = found[value] = bytearray(size // 8 + 1)
            bits[site >> 3] |= 1 << (site & 7)
    return {value: int.from_bytes(bits, "little") for value, bits in found.items()}


def _cause(found: _Candidate) -> Cause:
    return Cause(
        text=text_of(found.terms),
        terms=found.terms,
        precision=round(found.precision, 4),
        covers=found.covers,
        of=found.of,
    )


def _is_run(values: Sequence[str]) -> bool:
    """Return whether values are one prefix with numbers that follow each other: r00 to r11."""
    heads = {value.rstrip("0123456789") for value in values}
    if len(heads) != 1 or len({len(value) for value in values}) != 1:
        return False
    head = len(heads.pop())
    tails = [value[head:] for value in values]
    if not all(tails):
        return False
    numbers = [int(tail) for tail in tails]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers))) and len(numbers) > 2  # noqa: PLR2004 - two are a list
