"""``python -m tests.simulator``: many seeds, or one of them again and its story."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

Json = dict[str, Any]
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
    failed: Json | None = None
    workers = [
        _worker(asked, number) for number in range(min(asked.workers, asked.seeds))
    ]
    try:
        for result in _results(workers):
            done += 1
            seconds += result["seconds"]
            events += result["events"]
            if result["broken"]:
                failed = result
                break
            _progress(done, asked.seeds, time.monotonic() - begin)
        if failed is None and any(worker.wait() for worker in workers):
            print("\na worker failed; see above")
            return 1
    finally:
        for worker in workers:
            worker.terminate()
            worker.communicate()
    if failed is not None:
        return _failed(failed, asked.bug)
    print(
        f"\n{done} seeds, {seconds / 3600:.1f} simulated hours, {events} events:"
        " nothing is broken."
    )
    return 1 if asked.bug else 0


def _worker(asked: argparse.Namespace, number: int) -> "subprocess.Popen[str]":
    options = {
        "--first": asked.first + number,
        "--seeds": asked.seeds - number,
        "--step": asked.workers,
        "--bug": asked.bug,
        "--workers": 0,
    }
    words = [f"{name}={value}" for name, value in options.items()]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.simulator", *words],
        stdout=subprocess.PIPE,
        text=True,
    )


def _results(workers: "list[subprocess.Popen[str]]") -> Iterator[Json]:
    """One of each in turn, while there are any."""
    streams = [worker.stdout for worker in workers if worker.stdout is not None]
    while streams:
        for stream in list(streams):
            line = stream.readline()
            if line:
                yield json.loads(line)
            else:
                streams.remove(stream)


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
