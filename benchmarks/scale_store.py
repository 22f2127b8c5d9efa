"""Shared by the benchmarks: a workspace with a run of any number of operating points, as a quality run leaves it.

Plan, pictures, codecs, keys and the way into the store are real, so that every command takes the run for a finished
one. Bytes, scores and times are synthetic, smooth curves with seeded noise, and no streams are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import tomli_w

from benchbox import image, registry
from benchbox.execution.executor import Admit, OnPoints
from benchbox.plan import Job, resolve, settle
from benchbox.session import Silent, execute
from benchbox.store import Workspace, WritableStore

RUN = "scale"
BATCH = 100_000
SIDES = 48, 64
"""Height and width of the pictures."""
SAID = {"width": 768, "height": 512, "channels": 3, "bit_depth": 8}
"""What the stored rows say of them."""


def fill(folder: Path, codecs: int, qualities: int, pictures: int) -> None:
    """Make `folder`, unless it is there: ``plan.toml``, ``pictures``, and the workspace ``runs`` with the run `RUN`."""
    if (folder / "runs").exists():
        return
    write_pictures(folder / "pictures", pictures, *SIDES)
    write_plan(folder, codecs, qualities)
    plugins = registry.load()
    settled, base = settle(folder / "plan.toml")
    resolved = resolve(settled, plugins, base)
    place, none = Workspace.at(folder / "runs"), Noted()
    execute(resolved, plugins, place, none, Silent())
    events = _events(none.jobs, [c.label for c in resolved.configurations], {m.id: m.version for m in resolved.metrics})
    with place.lock(), WritableStore(place) as store:
        while batch := list(islice(events, BATCH)):
            store.append(batch, {"id": "20260101T000000-000000", "host": "nowhere", "threads": 1, "workers": 2})


def write_pictures(folder: Path, count: int, height: int, width: int) -> None:
    """Write `count` PNG files of that size, all different."""
    folder.mkdir(parents=True)
    ramp = np.add.outer(np.arange(height), np.arange(width))[:, :, None] * [1, 2, 3] % 256
    for k in range(count):
        pixels = ramp.astype(np.uint8)
        pixels[0, :8, 0] = np.frombuffer(np.int64(k).tobytes(), np.uint8)
        image.write_png(folder / f"p{k:05d}.png", pixels)


def write_plan(folder: Path, codecs: int, qualities: int, metrics: Iterable[str] = ("psnr", "ms-ssim")) -> None:
    """Write ``plan.toml`` over ``pictures``: that many codecs, JPEG and WebP with other options each, at that many
    qualities."""
    jpeg = ({"id": "jpeg", "options": {"subsampling": s, "progressive": p, "optimize": o}}
            for s, p, o in product(("4:2:0", "4:2:2", "4:4:4"), (False, True), (False, True)))
    webp = ({"id": "webp", "options": {"method": m, "alpha_quality": a}}
            for a, m in product(range(100, 0, -1), range(7)))
    chosen = [*islice(jpeg, codecs), *islice(webp, max(0, codecs - 12))]
    sweep = [round(float(q), 0) for q in np.linspace(5, 95, qualities)]
    plan = {"name": RUN, "dataset": "folder:pictures", "metrics": list(metrics),
            "codec": [{**codec, "label": f"codec{k}", "qualities": sweep} for k, codec in enumerate(chosen)]}
    (folder / "plan.toml").write_text(tomli_w.dumps(plan))


class Noted:
    """An executor that runs nothing and notes the jobs that it was given."""

    workers, threads = 2, 1
    hosts: Mapping[str, Mapping[str, Any]] = MappingProxyType({})

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def run(self, jobs: Iterable[Job], on_points: OnPoints, admit: Admit) -> None:
        """See `benchbox.execution.Executor`."""
        self.jobs += jobs


def _events(
    jobs: Iterable[Job], labels: Sequence[str], versions: Mapping[str, str]
) -> Iterator[tuple[Job, dict[str, Any]]]:
    """What workers would report of `jobs`; `versions` are those of the two metrics."""
    rng, place = np.random.default_rng(0), {label: k for k, label in enumerate(labels)}
    # in the order of keys, or a million rows would go to a million places of the file
    points = sorted(((job, point) for job in jobs for point in job.points), key=lambda pair: pair[1].key)
    for job, point in points:
        picture, step, (rate, quality) = int(job.sample_sha256[:8], 16), (point.quality or 0.0) / 20, rng.normal(size=2)
        bpp = 2 ** (step - 3) * (1 - 0.01 * place[job.label]) * (1 + 0.3 * (picture % 7)) * np.exp(0.02 * rate)
        psnr = float(24 + 3 * step + 0.05 * quality + picture % 5)
        values = zip(versions.items(), (psnr, 1 - 10 ** (-psnr / 20)), strict=True)
        digest = hashlib.sha256(point.key.encode()).hexdigest()
        yield job, {
            "event": "point", "key": point.key, "status": "ok", "reason": "", "rescored": False, **SAID,
            "bytes": round(bpp * SAID["width"] * SAID["height"] / 8), "exact": False,
            "stream_sha256": digest, "pixels_sha256": digest[::-1], "encode_s": 0.01, "decode_s": 0.01,
            "encode_cpu_s": 0.01, "decode_cpu_s": 0.01,
            "scores": {metric: [version, value, ""] for (metric, version), value in values},
        }  # fmt: skip
