"""Whole files of formats that the reader does not take, so that none is called damaged."""

from __future__ import annotations

_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"heim": "HEIC", b"heis": "HEIC", b"hevc": "HEIC", b"hevx": "HEIC",
           b"mif1": "HEIF", b"msf1": "HEIF", b"vvic": "VVC picture", b"crx ": "CR3", b"isom": "MP4", b"mp41": "MP4",
           b"mp42": "MP4", b"qt  ": "QuickTime", b"M4V ": "MP4"}  # fmt: skip
"""Brands of files of the ISO base media format (ISO/IEC 14496-12, 4.3)."""

_MAGIC = (
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"), (b"\xff\x0a", "JPEG XL"), (b"II\xbc", "JPEG XR"), (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"), (b"%PDF", "PDF"), (b"v/1\x01", "OpenEXR"), (b"#?RADIANCE", "Radiance HDR"),
    (b"#?RGBE", "Radiance HDR"), (b"BPG\xfb", "BPG"), (b"FLIF", "FLIF"), (b"8BPS", "Photoshop"), (b"8BPB", "Photoshop"),
    (b"qoif", "QOI"), (b"P7\n", "PAM"), (b"PF\n", "PFM"), (b"Pf\n", "PFM"), (b"SIMPLE  =", "FITS"), (b"DDS ", "DDS"),
    (b"gimp xcf", "GIMP"), (b"<svg", "SVG"), (b"FUJIFILMCCD-RAW", "RAF"), (b"\xab\x4b\x54\x58", "KTX"),
    (b"\x8aMNG", "MNG"), (b"\x8bJNG", "JNG"), (b"SDPX", "DPX"), (b"XPDS", "DPX"),
    (b"PK\x03\x04", "zip archive"), (b"\x1f\x8b", "gzip"),
)  # fmt: skip
"""First bytes -> name of the format."""

_FRAMES = {0xC3: "lossless", 0xC5: "hierarchical", 0xC6: "hierarchical", 0xC7: "hierarchical lossless",
           0xCB: "arithmetic lossless", 0xCD: "hierarchical", 0xCE: "hierarchical", 0xCF: "hierarchical lossless",
           0xF7: "JPEG-LS"}  # fmt: skip
"""Start-of-frame marker -> kind of JPEG that is not read (ITU-T T.81, table B.1; T.87, annex C)."""


def other_format(head: bytes) -> str:
    """The name of the format of a file that begins with `head`, if it is one that the reader does not take; else ""."""
    if head[4:8] == b"ftyp":
        size = int.from_bytes(head[:4], "big")
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, len(head), 256), 4))]
        if b"avif" in brands or b"avis" in brands:
            return ""
        return next((name for brand in brands if (name := _BRANDS.get(brand))), "")
    return next((name for magic, name in _MAGIC if head.startswith(magic)), "")


def jpeg_peculiarity(data: bytes) -> str:
    """Why a JPEG file that begins with `data` is none that is read, though whole; "" if nothing speaks against it."""
    place = 2
    while data[:2] == b"\xff\xd8" and place + 10 <= len(data):
        if data[place] != 0xFF:
            return ""
        marker = data[place + 1]
        if marker == 0xFF or 0xD0 <= marker <= 0xD8 or marker == 0x01:  # fill, restart: no length
            place += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES or marker in (0xC0, 0xC1, 0xC2, 0xC9, 0xCA):
            precision, components = data[place + 4], data[place + 9]
            if marker in _FRAMES:
                return f"a {_FRAMES[marker]} JPEG" if marker != 0xF7 else "a JPEG-LS file"
            if precision != 8:
                return f"a JPEG of {precision} bits per channel"
            return "" if components in (1, 3, 4) else f"a JPEG of {components} components"
        if marker in (0xD9, 0xDA):
            return ""
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return ""
