"""Points as workers report them, to be stored."""

from __future__ import annotations

from typing import Any

from benchbox.plan import Job, Point, SampleName

SESSION = {"id": "s1", "host": "h", "threads": 1, "workers": 2}
POINTS = (Point("k1", 10.0, ("psnr",)), Point("k2", 20.0, ("psnr",)))
KEYS = [point.key for point in POINTS]
JOB = Job(SampleName("folder:p", "a"), "d", "jpeg", "jpeg", "{}", "id 1", "cpu", POINTS)


def row(key: str, status: str = "ok", **more: Any) -> dict[str, Any]:
    shape = {"width": 4, "height": 4, "channels": 3, "bit_depth": 8}
    result = {"bytes": 10, "exact": False, "stream_sha256": "f" * 64, "pixels_sha256": "e" * 64, "encode_s": 0.5,
              "decode_s": 0.25, "encode_cpu_s": 0.4, "decode_cpu_s": 0.2,
              "scores": {"psnr": ["1", 30.0, ""]}}  # fmt: skip
    return {"key": key, "status": status, "reason": "" if status == "ok" else "why", **shape,
            **(result if status == "ok" else {}), **more}  # fmt: skip
