"""Notes on codecs of a run whose plugin changed while their identity did not, so that points may not be comparable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchbox.errors import BenchboxError
from benchbox.registry import Registry

if TYPE_CHECKING:
    import pandas as pd


def change_notes(frame: pd.DataFrame, registry: Registry | None) -> dict[str, str]:
    """label -> a sentence, for the labels of `frame` whose points were not all measured with the same files of the
    codec's plugin and, where `registry` is given, with those that are installed here."""
    notes = {}
    known = (frame["status"] == "ok").to_numpy(dtype=bool) & frame["source_sha256"].notna().to_numpy()
    measured = frame.loc[known, ["label", "codec", "options", "identity", "source_sha256"]]
    for label, rows in measured.groupby("label", observed=True, sort=False):
        old = 0 if registry is None else _measured_before(rows, registry)
        several = max((len(one) for one in _by_identity(rows).values()), default=0)
        if old:
            notes[str(label)] = (f"its plugin changed since {old} of its points were measured, under the same "
                                 "identity; benchbox run --fresh measures them again")
        elif several > 1:
            notes[str(label)] = f"its points were measured with {several} states of its plugin, under the same identity"
    return notes


def _by_identity(rows: pd.DataFrame) -> dict[str, dict[str, int]]:
    """identity -> source -> number of rows."""
    found: dict[str, dict[str, int]] = {}
    for (identity, source), own in rows.groupby(["identity", "source_sha256"], observed=True):
        found.setdefault(str(identity), {})[str(source)] = len(own)
    return found


def _measured_before(rows: pd.DataFrame, registry: Registry) -> int:
    """The number of `rows`, of one label, that the codec as it is here would measure under the same identity with other
    files of its plugin."""
    count = 0
    for (codec, options, identity), own in rows.groupby(["codec", "options", "identity"], observed=True):
        try:
            info = registry.codec(str(codec))
            same = registry.identity(info, info.parse_options(json.loads(str(options)))) == str(identity)
        except (BenchboxError, ValueError):  # it is not installed here, or a file that it names is gone
            continue
        now = registry.source_sha256(str(codec))
        if same and now is not None:
            count += int((own["source_sha256"].astype(str) != now).sum())
    return count
