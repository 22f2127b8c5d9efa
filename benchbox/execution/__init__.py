"""Where jobs run: in local worker processes with limits, or (`benchbox.execution.dask`) on a cluster. An executor takes
jobs and calls back with each finished point, whatever happens to its workers."""

from benchbox.execution.executor import Executor, OnPoints, PointLimits
from benchbox.execution.local import LocalExecutor, memory_share
from benchbox.execution.spool import left_behind

__all__ = ["Executor", "LocalExecutor", "OnPoints", "PointLimits", "left_behind", "memory_share"]
