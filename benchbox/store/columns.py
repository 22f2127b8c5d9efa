"""The columns of a results frame: name, dtype, unit, meaning. One row is one operating point of one picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of a results frame. `unit` is ``""`` for plain numbers and texts."""

    name: str
    dtype: str
    unit: str
    meaning: str


COLUMNS = (
    Column("run", "category", "", "name of the run"),
    Column("dataset", "category", "", "data set as the plan names it"),
    Column("sample", "category", "", "id of the picture within its data set"),
    Column("codec", "category", "", "codec id"),
    Column("label", "category", "", "codec and the options that differ from their defaults, or the plan's own label"),
    Column("options", "category", "", "all options as JSON"),
    Column("quality", "float64", "", "value on the codec's axis; NaN for a lossless codec"),
    Column("target", "category", "", "targets of a matched run to which this row is nearest, as bpp=1; else null"),
    Column("missed", "category", "", "those of target that it does not come near; null if it reaches all"),
    Column("device", "category", "", "device class the codec ran on"),
    Column("width", "Int64", "px", "width of the picture"),
    Column("height", "Int64", "px", "height of the picture"),
    Column("channels", "Int64", "", "1 gray, 3 RGB, 4 RGBA"),
    Column("bit_depth", "Int64", "bit", "8 or 16 bits per channel"),
    Column("status", "category", "", "ok, unsupported, failed, timeout, crashed, memory; missing: not measured yet"),
    Column("reason", "string", "", "why the status is not ok"),
    Column("bytes", "Int64", "B", "length of the stream, headers included"),
    Column("bpp", "float64", "bit/px", "8 * bytes / (width * height)"),
    Column("exact", "boolean", "", "whether every decoded pixel equals its source"),
    Column("encode_s", "float64", "s", "wall time to encode one picture: median of the repeats of one session"),
    Column("decode_s", "float64", "s", "wall time to decode one picture: median of the repeats of one session"),
    Column("encode_spread_s", "float64", "s", "interquartile range of encode_s over repeats; NaN without a timing run"),
    Column("decode_spread_s", "float64", "s", "interquartile range of decode_s over repeats; NaN without a timing run"),
    Column("encode_cpu_s", "float64", "s", "processor time of the worker and its child processes to encode, median"),
    Column("decode_cpu_s", "float64", "s", "processor time of the worker and its child processes to decode, median"),
    Column("peak_bytes", "float64", "B", "peak memory of the worker and its child processes; NaN without a timing run"),
    Column("timing", "category", "", "timed: machine quiet; disturbed: other processes busy; indicative: quality run"),
    Column("batch", "Int64", "", "pictures per call when timed"),
    Column("threads", "Int64", "", "threads that numeric libraries could use when timed"),
    Column("null_reasons", "string", "", "JSON: metric id -> why its value is null"),
    Column("identity", "category", "", "plugin and library versions that the bytes depend on"),
    Column("source_sha256", "category", "", "digest of the files of the codec's plugin when it measured the point"),
    Column("host", "category", "", "machine on which the times were taken"),
    Column("key", "string", "", "key of the encoding in the store: SHA-256 of everything it depends on"),
    Column("sample_sha256", "category", "", "digest of the source pixels"),
    Column("stream_sha256", "string", "", "digest of the stream"),
    Column("pixels_sha256", "string", "", "digest of the decoded pixels"),
)
