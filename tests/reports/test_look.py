"""Codecs look the same in every report, different from each other, and have contrast on light and dark."""

from __future__ import annotations

import itertools

import numpy as np
from benchbox_reports.look import (
    COLOURS,
    COLOURS_DARK,
    FAMILIES,
    MARKER_PATHS,
    MARKERS,
    PUBLISHED,
    PUBLISHED_DARK,
    family_of,
    looks,
)
from matplotlib.markers import MarkerStyle

VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
"""Matrices on linear RGB: Machado, Oliveira and Fernandes 2009, severity 1."""


def linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[k:k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    x, y, z = np.cbrt(xyz / (0.9505, 1.0, 1.089)).clip(16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(linear(colour) @ (0.2126, 0.7152, 0.0722)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def test_colours_have_contrast_and_differ_for_every_eye() -> None:
    for colours, paper in (([*COLOURS, PUBLISHED], "#ffffff"), ([*COLOURS_DARK, PUBLISHED_DARK], "#16181d")):
        assert min(contrast(colour, paper) for colour in colours) >= 4.5
        for matrix in VISION.values():
            seen = [lab((np.array(matrix) @ linear(colour)).clip(0, 1)) for colour in colours[:-1]]
            assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) >= 13


def test_no_two_curves_look_alike() -> None:
    codecs = {f"codec{k} option={v}": f"codec{k}" for k in range(12) for v in range(9)}
    published = {f"curve {k}": f"id{k}" for k in range(40)}
    found = looks(codecs, published)
    assert list(found) == [*codecs, *published]
    assert len({(style.colour, style.marker, style.dashes) for style in found.values()}) == len(found)
    points = {(style.colour, style.marker, style.fill) for label, style in found.items() if label in codecs}
    assert len(points) == len(codecs)  # where points stand alone, without dashes


def test_a_codec_looks_the_same_in_every_report() -> None:
    everything = {"jpeg": "jpeg", "mine": "elic2022-small", "avif": "avif", "avif speed=1": "avif", "resnet": "resnet"}
    whole = looks(everything, {"BPG, published": "bpg", "AV1, published": "av1"})
    for label, id_ in everything.items():
        assert looks({label: id_})[label] == whole[label]
        assert looks({"other": "other", label: id_})[label] == whole[label]
    assert looks(dict(reversed(everything.items()))) == {label: whole[label] for label in everything}
    assert looks({}, {"BPG, published": "bpg"})["BPG, published"] == whole["BPG, published"]


def test_colour_shows_the_family_and_dashes_the_variant() -> None:
    found = looks({"avif": "avif", "avif 4:4:4": "avif", "jpeg": "jpeg", "mozjpeg": "mozjpeg",
                   "a": "net-a", "b": "net-b"})
    assert found["avif"].colour == found["avif 4:4:4"].colour
    assert found["avif"].dashes == "solid" != found["avif 4:4:4"].dashes
    assert found["jpeg"].colour == found["mozjpeg"].colour
    assert found["jpeg"].marker != found["mozjpeg"].marker
    assert found["a"].colour == found["b"].colour
    assert len({found[label].colour for label in ("avif", "jpeg", "a")}) == 3
    assert family_of("webp-lossless") == "webp"
    grouped = looks({"jpeg": "jpeg", "ours": "resnet"}, families={"ours": "jpeg"})
    assert grouped["ours"].colour == grouped["jpeg"].colour


def test_published_curves_are_gray_and_dashed() -> None:
    found = looks({}, {f"curve {k}": f"id{k}" for k in range(6)})
    assert {style.colour for style in found.values()} == {PUBLISHED}
    assert len({style.dashes for style in found.values()}) == 6
    assert "solid" not in {style.dashes for style in found.values()}


def test_every_marker_is_one_of_matplotlib() -> None:
    assert set(MARKER_PATHS) <= set(MarkerStyle.markers)
    assert {marker for *_, marker in FAMILIES.values()} <= set(MARKERS)
