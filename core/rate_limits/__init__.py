"""How often someone may do what costs us or others: one rule for every door.

rules.py           what is limited, by which settings
over_processes.py  counted in Redis, over all processes; while that is down, not at all
in_process.py      counted in this process, where nobody may wait for Redis
refusals.py        what is said to who is over a limit, with the seconds to wait
"""

from core.rate_limits.in_process import CellRate, Pace, ToldRate, cell_rate
from core.rate_limits.over_processes import count, hit, seconds_for_all, seconds_to_wait
from core.rate_limits.refusals import PASSING, TOO_FAST, retry_after, told, too_fast, too_often

__all__ = [
    "PASSING",
    "TOO_FAST",
    "CellRate",
    "Pace",
    "ToldRate",
    "cell_rate",
    "count",
    "hit",
    "retry_after",
    "seconds_for_all",
    "seconds_to_wait",
    "told",
    "too_fast",
    "too_often",
]
