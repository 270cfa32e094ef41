"""`python -m tests.simulator`: many seeds, or one again."""

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import structlog

from tests.simulator.postgres import Postgres
from tests.simulator.servers import servers
from tests.simulator.world import World


def main() -> None:
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulator", *sys.argv[1:]])
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=10)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    logging.disable()
    import faulthandler; faulthandler.dump_traceback_later(40)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        loop = asyncio.new_event_loop()
        opened = servers(folder)
        found = loop.run_until_complete(opened.__aenter__())
        try:
            postgres = Postgres(found.url, found.admin, found.folder)
            postgres.open()
            seeds = [asked.seed] if asked.seed else range(asked.first, asked.first + asked.seeds)
            begin = time.monotonic()
            for seed in seeds:
                cpu = time.process_time()
                world = World(seed, postgres, found, story=asked.seed is not None)
                before = postgres.asked
                try:
                    trace = world.run()
                except BaseException:
                    for line in world.story or ():
                        print(line)
                    print("seed", seed)
                    raise
                for line in world.story or ():
                    print(line)
                print(seed, trace, postgres.asked - before, "queries", round(time.process_time() - cpu, 3), "s", len(world.oracle.events), "events", f"{world.loop.time() - 1e6:.0f} s", world.oracle.broken[:1])
            print(time.monotonic() - begin)
            postgres.close()
        finally:
            loop.run_until_complete(opened.__aexit__(None, None, None))


main()
