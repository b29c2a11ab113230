"""The rows of METRICS, one per metric, in the order in which columns, help and docs list them.

A new metric is one row in a file here: columns, sorting, filters, charts, comparisons, `vmtop list`, JSON, CSV, export,
reports, help and docs/metrics.md follow from it.
"""

from __future__ import annotations

from collectors.model.metric_table.cpu import CPU_ROWS
from collectors.model.metric_table.devices import DEVICE_ROWS
from collectors.model.metric_table.everyday import EVERYDAY
from collectors.model.metric_table.memory import MEMORY_ROWS
from collectors.model.metric_table.waiting import WAITING_ROWS

ROWS = (*EVERYDAY, *MEMORY_ROWS, *CPU_ROWS, *WAITING_ROWS, *DEVICE_ROWS)
