"""What the points of one job share: the opened codec, the picture, and where streams and events go."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from benchbox import image as pixel
from benchbox.codec import Codec, CodecInfo
from benchbox.errors import PluginError
from benchbox.guard import breach
from benchbox.image import Image
from benchbox.plan import Job
from benchbox.store import Streams
from benchbox.work.call import call
from benchbox.work.worker import Elsewhere, Source, Worker

Emit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Setup:
    """Shared by all points of a job."""

    job: Job
    info: CodecInfo
    codec: Codec
    source: Source
    streams: Streams
    worker: Worker
    emit: Emit
    trust: Trust


@dataclass
class Trust:
    """Whether a stream of this job was decoded in another process to the same pixels."""

    earned: bool = False


def set_up(worker: Worker, job: Job, source: Source, streams: Streams, emit: Emit) -> Setup:
    """Open the codec of a job, and warm it up, untimed, if it has coded no picture of this shape since it was opened.

    Raises:
        PluginError: this process has another version of the codec than the plan was made with.
    """
    info = worker.registry.codec(job.codec)
    options = info.parse_options(json.loads(job.options))
    call(job.codec, info.require, options)
    identity = call(job.codec, worker.registry.identity, info, options)
    if identity != job.identity:
        raise PluginError(f"{job.codec}: this worker has '{identity}', the plan was made with '{job.identity}'; "
                          "install the same versions on every machine")
    codec = worker.codec(job.codec, job.options, job.device)
    refused = info.capabilities.refusal(source.pixels) is not None
    if worker.elsewhere is not None:
        worker.elsewhere.begin()
    encodes = job.timing is None and not refused and any(point.stream is None for point in job.points)
    if encodes and worker.is_new_to(job.codec, job.options, job.device, source.pixels):
        _warm_up(job.codec, codec, source.copy(), job.points[0].quality, worker.elsewhere)
    return Setup(job, info, codec, source, streams, worker, emit, Trust(worker.elsewhere is None))


def _warm_up(owner: str, codec: Codec, pixels: Image, quality: float | None, elsewhere: Elsewhere | None) -> None:
    try:
        with nullcontext() if elsewhere is None else elsewhere.encoding():
            data = call(owner, codec.encode, pixels, quality)
        call(owner, codec.decode, data)
    except Exception:  # the same call is made again, under record
        return


def check_untouched(given: Image, setup: Setup) -> None:
    if not pixel.same(given, setup.source.pixels):
        raise breach(setup.codec.encode, "encode writes into the picture that it is given; let it work on a copy",
                     setup.info.id)
