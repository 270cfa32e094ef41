"""How much room there is on disks."""

from control_plane.base.database import Executor
from control_plane.base.faults import Full

#: More than it may keep in memory goes into a file beside the tables, and away again
#: at the end. What is written regularly does not tell: the few rows of the leases are
#: changed in the room that they have.
SPILLS = """
    SET LOCAL work_mem = '64kB'; SET LOCAL temp_tablespaces = '';
    SELECT count(*) FROM generate_series(1, 10000)
"""


async def postgres_has_some(executor: Executor) -> bool:
    """On the disk of its tables. Raises Away."""
    try:
        await executor.execute(SPILLS)
    except Full:
        return False
    return True
