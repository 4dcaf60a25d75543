"""``o2c test``: the cases beside mappings and routes, run with the hub's own code, without a network or a disk.

``Bench`` holds a project compiled for it; ``run`` gives a Result for each case, in order, over several processes;
``Coverage`` says what no case reached. ``new_expectations`` are what ``--update`` writes.
"""

from hub.golden.bench import Bench
from hub.golden.compare import MISSING, Difference, differences
from hub.golden.coverage import Coverage
from hub.golden.results import PROPERTIES, Result
from hub.golden.run import Job, jobs_of, run

__all__ = [
    "MISSING",
    "PROPERTIES",
    "Bench",
    "Coverage",
    "Difference",
    "Job",
    "Result",
    "differences",
    "jobs_of",
    "run",
]
