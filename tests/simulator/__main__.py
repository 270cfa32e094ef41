"""``python -m tests.simulator``: many seeds, or one of them again and its story."""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Generator, Iterable
from dataclasses import asdict
from typing import Any

Json = dict[str, Any]
Results = Generator[Json, None, None]
IN_ONE_PROCESS = 200  # seeds
MOST_SHOWN = 5  # broken rules of one seed


def main() -> int:
    _with_one_order_of_sets()
    asked = _arguments()
    if asked.seed is not None:
        return _again(asked)
    return _many(asked) if asked.workers else _here(asked)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator")
    parser.add_argument("--seed", type=int, help="run it again and tell its story")
    parser.add_argument(
        "--faults", type=_numbers, help="with --seed: these of its faults, as 2,5"
    )
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--bug", default="", help="of bugs.py, to put it in")
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        help="processes; 0: this one, which prints a line of JSON for each seed",
    )
    parser.add_argument("--step", type=int, default=1, help="from one to the next")
    return parser.parse_args()


def _numbers(text: str) -> frozenset[int]:
    return frozenset(int(word) for word in text.split(",") if word != "none")


def _with_one_order_of_sets() -> None:
    """The same in every process, or a seed is not the same again."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        environ = {**os.environ, "PYTHONHASHSEED": "0"}
        command = [sys.executable, "-m", "tests.simulator", *sys.argv[1:]]
        os.execve(sys.executable, command, environ)  # noqa: S606


def _again(asked: argparse.Namespace) -> int:
    from tests.simulator.worker import simulator  # takes seconds, and not all need it
    from tests.simulator.world import Try

    with simulator(asked.bug, story=True) as simulate:
        result = simulate(Try(asked.seed, asked.faults))
    print("\n".join(result.story))
    print(f"seed {asked.seed}: {result.events} events, trace {result.trace}")
    for line in result.broken:
        print(f"BROKEN: {line}")
    return 1 if result.broken else 0


def _here(asked: argparse.Namespace) -> int:
    from tests.simulator.worker import simulator
    from tests.simulator.world import Try

    with simulator(asked.bug) as simulate:
        for seed in range(asked.first, asked.first + asked.seeds, asked.step):
            result = simulate(Try(seed))
            print(json.dumps(asdict(result)), flush=True)
    return 0


def _many(asked: argparse.Namespace) -> int:
    """Until the first seed that breaks a rule. With a bug put in that is success."""
    begin, done, seconds, events = time.monotonic(), 0, 0.0, 0
    with contextlib.closing(_results(asked)) as results:
        for result in results:
            done += 1
            seconds += result["seconds"]
            events += result["events"]
            if result["broken"]:
                return _failed(result, asked.bug)
            _progress(done, asked.seeds, time.monotonic() - begin)
    print(
        f"\n{done} seeds, {seconds / 3600:.1f} simulated hours, {events} events:"
        " nothing is broken."
    )
    return 1 if asked.bug else 0


def _results(asked: argparse.Namespace) -> Results:
    """One of each worker in turn, while there are any."""
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(contextlib.closing(_of_worker(asked, number)))
            for number in range(min(asked.workers, asked.seeds))
        ]
        while workers:
            for worker in list(workers):
                result = next(worker, None)
                if result is None:
                    workers.remove(worker)
                else:
                    yield result


def _of_worker(asked: argparse.Namespace, number: int) -> Results:
    """In one process after the other: what dies in a world is never freed."""
    last = asked.first + asked.seeds
    seeds = range(asked.first + number, last, asked.workers)
    for begin in range(0, len(seeds), IN_ONE_PROCESS):
        yield from _worker(seeds[begin : begin + IN_ONE_PROCESS], asked.bug)


def _worker(seeds: range, bug: str) -> Results:
    options = {
        "--first": seeds.start,
        "--seeds": seeds.stop - seeds.start,
        "--step": seeds.step,
        "--bug": bug,
        "--workers": 0,
    }
    words = [f"{name}={value}" for name, value in options.items()]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.simulator", *words],
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        try:
            yield from map(json.loads, worker.stdout or ())
        except BaseException:
            worker.terminate()
            raise
    if worker.returncode:
        raise SystemExit(f"\nA worker failed ({worker.returncode}); see above.")


def _failed(result: Json, wrong: str) -> int:
    print(f"\nseed {result['seed']} breaks a rule:")
    for line in result["broken"][:MOST_SHOWN]:
        print(f"  {line}")
    option = f' BUG="{wrong}"' if wrong else ""
    again = f"make simulate SEED={result['seed']}{option}"
    print(f"Its story: {again}")
    _shrunk(result["seed"], wrong, again)
    return 0 if wrong else 1


def _shrunk(seed: int, wrong: str, again: str) -> None:
    from tests.simulator.worker import fewest

    found = fewest(seed, wrong)
    print(f"The fewest of its faults that do: {again} FAULTS={_listed(found.faults)}")
    for number, fault in found.faults.items():
        print(f"  {number}: {fault}")
    for line in found.broken[:MOST_SHOWN]:
        print(f"  breaks: {line}")


def _listed(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers)) or "none"


def _progress(done: int, of: int, seconds: float) -> None:
    end = "\r" if sys.stdout.isatty() else "\n"
    if end == "\r" or done % 50 == 0:
        print(
            f"{done} of {of} seeds, {done / seconds:.1f} a second", end=end, flush=True
        )


if __name__ == "__main__":
    sys.exit(main())
