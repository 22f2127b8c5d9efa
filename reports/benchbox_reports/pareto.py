"""Which speeds can be plotted against BD-rates, and the notes that explain what is not plotted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchbox.curves import went_through
from benchbox.report import Results
from benchbox_reports.measure import few_pictures
from benchbox_reports.speeds import SIDES, Speeds

AGAIN = "run it again on a quiet machine; that only times what is already measured."
HOW_TO_TIME = ("Quality runs do not measure speed: they encode on all cores at once. Add a table [timing] to the plan "
               f"and {AGAIN}")
"""Printed where there is no usable time, since none was taken."""
REFUSED = f"Times that were taken while other work ran are refused. {AGAIN.capitalize()}"
"""Printed where times were taken and none is usable."""
LEAST_QUALITIES = 3
"""Fewest qualities of a codec whose median speed is compared where not all were timed: low, middle and high."""
MIDDLE = (1 / 3, 2 / 3)
"""Where the median of these lies among all its qualities: the lowest and the highest ones are not compared."""
SOME_QUALITIES = "some of the qualities"


@dataclass(frozen=True)
class DrawnSpeeds:
    """The speeds of one data set that one plot can show.

    Attributes:
        sides: ``encode`` and ``decode`` -> label -> (median, lower quartile, upper quartile) in megapixels per second.
        notes: where the times come from, what is not drawn, and why.
        few: ``"2 of 24 pictures"`` where not all pictures were timed, `SOME_QUALITIES` where all were, but not at all
            qualities; "" where the medians are over all points.
    """

    sides: Mapping[str, Mapping[str, tuple[float, float, float]]]
    notes: Sequence[str]
    few: str = ""


def drawn_speeds(results: Results, speeds: Sequence[Speeds]) -> dict[str, DrawnSpeeds]:
    """Data set -> the speeds to draw.

    There are none where the times come from several hosts or were taken in several ways. A codec of which some points
    failed or have no usable time is left out, since its median would be over other points than those of the others,
    unless all codecs were timed on the same pictures, each at the same qualities on all of them. Pictures on which
    every codec failed do not count.
    """
    columns = [name for name in ("dataset", "label", "timing", "sample", "quality", "status") if name in results.frame]
    frame = results.frame[columns]
    found = {}
    for dataset in results.frame["dataset"].drop_duplicates().astype(str):
        own = [one for one in speeds if one.dataset == dataset]
        inside = frame[(frame["dataset"] == dataset).to_numpy(dtype=bool)]
        refused = "timing" in inside and bool((inside["timing"] == "disturbed").any())
        remedy = REFUSED if refused else HOW_TO_TIME
        found[dataset] = _drawn(own, inside, remedy)
    return found


def _drawn(speeds: Sequence[Speeds], asked: pd.DataFrame, remedy: str) -> DrawnSpeeds:
    rows = asked[went_through(asked)]
    asked = asked[asked["sample"].isin(rows["sample"].unique()).to_numpy(dtype=bool)]
    points, wanted = _counts(rows), _counts(asked)
    nothing: dict[str, dict[str, tuple[float, float, float]]] = {side: {} for side in SIDES}
    reason = _incomparable(speeds) if speeds else f"There is no usable time. {remedy}"
    if reason:
        return DrawnSpeeds(nothing, [reason])
    table = speeds[0].codecs
    whole = [n == wanted.get(label, 0) for label, n in zip(table["label"], table["points"], strict=True)]
    over, few = "Median over the operating points of single pictures.", ""
    if not any(whole) and (alike := _timed_alike(rows)):
        whole = [True] * len(table)
        pictures = few_pictures(alike, rows["sample"].nunique())
        few = pictures or SOME_QUALITIES
        over = (f"Median over the operating points that were timed: on {pictures or 'all pictures'}, the same for each "
                "codec, at some of its qualities.")
    if not any(whole):
        some, all_points = int(table["points"].sum()), sum(wanted.values())
        return DrawnSpeeds(nothing, [f"Not drawn: {some:,} of {all_points:,} points have usable times, and of no codec "
                                     "all, so medians would be over unlike points; "
                                     f"tables/speeds.md has those of what was timed. {remedy}"])
    drawn = table[np.array(whole, dtype=bool)]
    timed = {label: int(n) for label, n in zip(table["label"], table["points"], strict=True)
             if label not in set(drawn["label"])}
    never = [label for label in points if label not in set(table["label"])]
    sides = {side: {str(row["label"]): (float(row[f"{side}_mp_s"]), float(row[f"{side}_mp_s_q1"]),
                                        float(row[f"{side}_mp_s_q3"])) for row in drawn.to_dict("records")}
             for side in SIDES}
    return DrawnSpeeds(sides, [f"Measured by {speeds[0].where} on one worker pinned to one core, while nothing else "
                               f"ran. {over}", *_left_out(timed, never, points, wanted, remedy)], few)


def _incomparable(speeds: Sequence[Speeds]) -> str:
    """Why the speeds of the codecs of one data set are not of one kind; "" if they are."""
    if len(speeds) > 1:
        hosts = ", ".join(one.host for one in speeds)
        return (f"Not drawn: the times come from {len(speeds)} hosts ({hosts}), and speeds of different machines are "
                "not compared; tables/speeds.md has one table for each.")
    table = speeds[0].codecs
    twice = table["label"][table["label"].duplicated()].drop_duplicates().tolist()
    if twice or len(table[["batch", "threads"]].drop_duplicates()) > 1:
        which = f" ({', '.join(twice)} in several)" if twice else ""
        return (f"Not drawn: the codecs were not all timed with one batch size, number of threads and device{which}; "
                "tables/speeds.md tells them apart.")
    return ""


def _left_out(
    timed: Mapping[str, int], never: Sequence[str], points: Mapping[str, int], wanted: Mapping[str, int], remedy: str
) -> list[str]:
    """The notes on codecs that are not drawn: those of which some points were `timed`, by label, and those `never`
    timed. `points` went through, of those `wanted`."""
    notes = []
    failed = [f"{label} ({n} of {wanted[label]} points)" for label, n in timed.items() if n == points[label]]
    if failed:
        notes.append(f"Not drawn, since they did not go through everywhere, so that medians would be over other points "
                     f"than those of the others: {', '.join(failed)}.")
    partly = [f"{label} ({n} of {points[label]} points)" for label, n in timed.items() if n < points[label]]
    if partly or never:
        notes.append(f"Not drawn, for lack of usable times: {', '.join([*partly, *never])}. {remedy}")
    return notes


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    """Label -> number of rows."""
    return {str(label): int(n) for label, n in rows["label"].value_counts().items() if n}


def _timed_alike(rows: pd.DataFrame) -> int:
    """The number of pictures on which every codec that was timed was timed, each at the same qualities on all of them,
    `LEAST_QUALITIES` around the `MIDDLE` or all that it has; 0 where this is not so."""
    rows = rows.assign(label=rows["label"].astype(str), sample=rows["sample"].astype(str))
    found: set[frozenset[str]] = set()
    for _, own in rows.groupby("label"):
        timed = own[(own["timing"] == "timed").to_numpy(dtype=bool)]
        if timed.empty:
            continue
        on = {str(sample): frozenset(one["quality"].fillna(-1.0)) for sample, one in timed.groupby("sample")}
        if len(set(on.values())) > 1 or not _represent(next(iter(on.values())), own["quality"].fillna(-1.0)):
            return 0
        found.add(frozenset(on))
    return len(next(iter(found))) if len(found) == 1 else 0


def _represent(timed: Collection[float], qualities: pd.Series) -> bool:
    """Whether the median speed over the qualities `timed` may replace that over all `qualities` of a codec."""
    known = sorted(qualities.unique())
    if len(timed) < min(LEAST_QUALITIES, len(known)):
        return False
    middle = float(np.median([(known.index(one) + 0.5) / len(known) for one in timed]))
    return MIDDLE[0] <= middle <= MIDDLE[1]
