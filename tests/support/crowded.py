"""The page of the published evaluation's codecs and of literature: more curves than can be told apart at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from benchbox_reports import figures, page
from benchbox_reports.analysis import Analysis, Section, analyse
from benchbox_reports.kinds import ReportOptions
from hostile_report import embedded

from benchbox import registry
from benchbox.appearance import Appearance
from benchbox.results import load_results
from benchbox.results.place import find_run
from benchbox.store import Workspace

PUBLISHED = Path(__file__).parents[2] / "reports/published/kodak"
LITERATURE = ["bpg444", "av1", "vtm", "j2k-kdu5", "bmshj2018-hyperprior", "elic2022"]
HIGHLIGHT = "avif"
"""Not the best of its family."""


@dataclass(frozen=True)
class Crowd:
    """A page, what it shows, and the data in it."""

    url: str
    analysis: Analysis
    data: Any

    @property
    def sections(self) -> tuple[Section, ...]:
        return self.analysis.sections


@pytest.fixture(scope="session")
def published_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the published evaluation's whole page, with literature, without files of figures."""
    out = tmp_path_factory.mktemp("published")
    results = load_results(find_run(str(PUBLISHED), Workspace.at(out / "runs")), registry.load(), LITERATURE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "FORMATS", ())
        return page.render(results, ReportOptions.model_validate({}), out)[0].as_uri()


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    """The page of all published codecs and literature, of five pictures and the two metrics that both have, without
    times and files of figures; `HIGHLIGHT` is highlighted."""
    out = tmp_path_factory.mktemp("crowd")
    whole = load_results(find_run(str(PUBLISHED), Workspace.at(out / "runs")), registry.load(), LITERATURE)
    few = whole.frame["sample"].isin([f"kodim0{k}.png" for k in range(1, 6)])
    frame = whole.frame[few.to_numpy(dtype=bool)].assign(timing="indicative")
    results = replace(whole, frame=frame, metrics=whole.metrics[:2],
                      appearance=Appearance(highlight=HIGHLIGHT))  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "FORMATS", ())
        file = page.render(results, ReportOptions.model_validate({}), out)[0]
    return Crowd(file.as_uri(), analyse(results), embedded(file))
