"""A plugin that writes into what it is given spoils nothing for others, and is blamed where that is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_runs import go, plan, rows_of

from benchbox import image

SOURCE = """
class Encode(Sound):
    def encode(self, image, quality):
        force(image, 7)
        return pack(image)

class Late(Sound):
    def encode(self, image, quality):
        threading.Thread(target=lambda: (time.sleep(0.05), force(image, 7))).start()
        return pack(image)

class Polite(Sound):
    def encode(self, image, quality):
        image //= 2
        return pack(image)

class Stray(Sound):
    def encode(self, image, quality):
        caller = sys._getframe()
        while caller and "setup" not in caller.f_locals:
            caller = caller.f_back
        force(caller.f_locals["setup"].source.pixels, 7)
        return pack(image)

class Decode(Sound):
    def decode(self, data):
        pixels = unpack(data)
        force(data, 7)
        return pixels

class Spoiling(Plain):
    class Value(Value):
        def score(self, image):
            value = super().score(image)
            force(image, 7)
            return value
    def prepare(self, reference): return self.Value(reference)

class Spoiled(Plain):
    def prepare(self, reference):
        prepared = Value(reference.copy())
        force(reference, 7)
        return prepared

CODECS.update({"encode": Encode, "late": Late, "polite": Polite, "stray": Stray, "decode": Decode, "sound": Sound})
SCORERS.update({"a-plain": Plain, "b-spoils-decoded": Spoiling, "c-spoils-reference": Spoiled, "d-plain": Plain})
"""

METRICS = ["a-plain", "b-spoils-decoded", "c-spoils-reference", "d-plain", "psnr"]
ALONE = ["a-plain", "d-plain", "psnr"]
JPEG = {"id": "jpeg", "qualities": [20, 80]}
COLUMNS = ["status", "bytes", "exact", "stream_sha256", "pixels_sha256", "a_plain", "d_plain", "psnr"]


@pytest.fixture(scope="module", params=[3, 4], ids=["rgb", "rgba"])
def frames(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, third: Callable[[str], None]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The codecs of all misdeeds first, then jpeg and webp; and those two alone. One worker does all of it."""
    folder = tmp_path_factory.mktemp("shared")
    for part in ("p", "together", "alone"):
        (folder / part).mkdir()
    rng = np.random.default_rng(1)
    image.write_png(folder / "p" / "a.png", rng.integers(0, 255, (48, 64, request.param)).astype(np.uint8))
    if request.param == 3:
        third(SOURCE)
    sound: list[dict[str, Any]] = [JPEG, {"id": "webp", "qualities": [50]}, {"id": "png"}]
    names = ("encode", "late", "polite", "stray", "decode", "sound")
    bad: list[dict[str, Any]] = [{"id": name, "qualities": [1]} for name in names]
    together = go(folder / "together", plan(folder / "p", *bad, *sound, metrics=METRICS), workers=1)
    return together, go(folder / "alone", plan(folder / "p", *sound, metrics=ALONE), workers=1)


def test_those_that_come_after_are_measured_with_the_true_picture(frames: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    together, alone = (frame[frame["codec"].isin(["jpeg", "webp", "png"])][COLUMNS] for frame in frames)
    assert together.astype(object).fillna("null").to_numpy().tolist() == \
        alone.astype(object).fillna("null").to_numpy().tolist()
    assert len(alone) == 4


@pytest.mark.parametrize(("codec", "status", "reason"), [
    ("encode", "failed", "encode writes into the picture that it is given"),
    ("polite", "failed", "read-only"),
    ("stray", "crashed", "SIG"),
    ("decode", "failed", "decode writes into the stream that it is given"),
    ("late", "ok", ""), ("sound", "ok", ""),
])
def test_the_writer_is_blamed(
    codec: str, status: str, reason: str, frames: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    (row,) = rows_of(frames[0][frames[0]["codec"] == codec])
    assert row.status == status
    assert reason in str(row.reason)


def test_a_metric_that_writes_into_the_decoded_picture_loses_its_own_column(
    frames: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    rows = frames[0][frames[0]["status"] == "ok"]
    assert rows["b_spoils_decoded"].isna().all()
    assert rows["null_reasons"].str.contains("score writes into the decoded picture").all()
    assert (rows["c_spoils_reference"] == rows["d_plain"]).all()
