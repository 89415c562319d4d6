"""One measured figure, and whether it meets its goal."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

QUICK = "--quick" in sys.argv  # of the one program that imports this


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as build/bench.json holds it.

    Attributes:
        goal: ``<= 30`` or ``>= 0.5``; empty where the figure is only reported.
        limit_or_peer: what it was measured against, or the length of a shorter run.
    """

    key: str
    value: float
    unit: str
    goal: str = ""
    limit_or_peer: str = ""


def met(row: Mapping[str, object]) -> str:
    """Return ``met``, ``missed`` or nothing for a figure without a goal."""
    goal = re.fullmatch(r"(<=|>=) ([\d.,]+)", str(row["goal"] or ""))
    if goal is None:
        return ""
    bound, value = float(goal[2].replace(",", "")), float(str(row["value"]))
    return "met" if (value <= bound if goal[1] == "<=" else value >= bound) else "missed"


def shown(row: Mapping[str, object]) -> str:
    """Return a figure's value as people read it: three digits, or all of a whole number."""
    value = float(str(row["value"]))
    return f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that ``percent`` of the values do not pass; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0
