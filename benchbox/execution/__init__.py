"""Executors run jobs in local worker processes with limits, or on a cluster (`benchbox.execution.dask`). They call back
with each finished point, whatever happens to the workers."""

from benchbox.execution.executor import Executor, OnPoints, PointLimits
from benchbox.execution.local import LocalExecutor, memory_share
from benchbox.execution.patience import Patience
from benchbox.execution.spool import left_behind

__all__ = ["Executor", "LocalExecutor", "OnPoints", "Patience", "PointLimits", "left_behind", "memory_share"]
