"""Measuring a job: the worker that keeps codecs open, the only clock, and the only place that scores."""

from benchbox.work.measure import decode_row, run_job
from benchbox.work.second import SecondDecoder
from benchbox.work.worker import Worker

__all__ = ["SecondDecoder", "Worker", "decode_row", "run_job"]
