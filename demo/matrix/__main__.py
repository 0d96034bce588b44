"""`make faults`: do every fault to the real demo, tell what was told, and write docs/fault-matrix.md."""

import argparse
import json
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from demo.faults import FAULTS
from demo.matrix.choice import PAIRS, SUBSET
from demo.matrix.lab import Lab
from demo.matrix.outcome import Outcome
from demo.matrix.run import NOT_WATCHED, run_fault, run_pair, run_quiet
from demo.matrix.table import line_of, page_of
from demo.process_tree import ServerError
from demo.stack import DemoStack

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "fault-matrix.md"
STATE = REPOSITORY / ".fault-matrix.json"
QUIET = "(no fault)"


@dataclass(frozen=True, slots=True)
class Task:
    """One row to be made."""

    name: str
    run: Callable[[DemoStack], Outcome]


def main() -> int:
    """Run what is asked for; return 0 when every row of it is right."""
    arguments = _parser().parse_args()
    known = {} if arguments.fresh else _read(arguments.state)
    tasks = _tasks(arguments)
    if not arguments.only:
        tasks = [task for task in tasks if not (task.name in known and known[task.name].is_right)]
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    lock = threading.Lock()
    done: list[Outcome] = []
    started = time.monotonic()

    def keep(outcome: Outcome) -> None:
        with lock:
            done.append(outcome)
            known[outcome.name] = outcome
            arguments.state.write_text(
                json.dumps([one.to_json() for one in known.values()], indent=1, ensure_ascii=False)
            )
            sys.stdout.write(f"{time.monotonic() - started:5.0f} s {line_of(outcome)}\n")
            sys.stdout.flush()

    threads = [
        threading.Thread(target=_work, args=(waiting, keep), daemon=True, name=f"lab {number}")
        for number in range(max(1, min(arguments.jobs, len(tasks))))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(1)
    if arguments.write:
        _write(known)
    wrong = [outcome.name for outcome in done if not outcome.is_right]
    sys.stdout.write(f"{len(done) - len(wrong)} of {len(done)} right in {time.monotonic() - started:.0f} s\n")
    return 1 if wrong or len(done) < len(tasks) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--only", default="", help="names with commas between them, faults or pairs")
    parser.add_argument("--subset", action="store_true", help=f"the {len(SUBSET)} faults that the tests run")
    parser.add_argument("--jobs", type=int, default=1, help="how many demos at once")
    parser.add_argument("--quiet-seconds", type=float, default=0, help="also do nothing for so long: nothing is told")
    parser.add_argument("--state", type=Path, default=STATE, help="where what is found is kept, to go on after a break")
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier run has found")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(REPOSITORY)}")
    return parser


def _tasks(arguments: argparse.Namespace) -> list[Task]:
    tasks = [Task(name, partial(run_fault, fault=fault)) for name, fault in FAULTS.items()]
    tasks += [
        Task(
            pair.name, partial(run_pair, first=FAULTS[pair.first], second=FAULTS[pair.second], is_masked=pair.is_masked)
        )
        for pair in PAIRS
    ]
    wanted = [word.strip() for word in arguments.only.split(",") if word.strip()] or (
        list(SUBSET) if arguments.subset else []
    )
    unknown = [word for word in wanted if word not in {task.name for task in tasks}]
    if unknown:
        raise SystemExit(f"--only: {unknown[0]!r} is no fault and no pair")
    if wanted:
        tasks = [task for task in tasks if task.name in wanted]
    if arguments.quiet_seconds:
        tasks.insert(0, Task(QUIET, partial(run_quiet, seconds=arguments.quiet_seconds)))
    return tasks


def _work(waiting: "queue.SimpleQueue[Task]", keep: Callable[[Outcome], None]) -> None:
    lab = Lab()
    try:
        while True:
            try:
                task = waiting.get_nowait()
            except queue.Empty:
                return
            outcome = _row(lab, task)
            keep(outcome)
            is_left_whole = outcome.is_right or outcome.note.endswith(NOT_WATCHED)
            if not is_left_whole or (task.name in FAULTS and FAULTS[task.name].is_lasting):
                lab.drop()  # what it left behind is no business of the next one
    finally:
        lab.drop()


def _row(lab: Lab, task: Task) -> Outcome:
    fault = FAULTS.get(task.name)
    try:
        stack = lab.stack(fault.tuning if fault else {})
        if fault is not None and not fault.is_possible(stack):
            return Outcome(task.name, fault.says, fault.root, fault.severity, note="cannot be done on this system")
        return task.run(stack)
    except (OSError, ServerError, ValueError, RuntimeError) as error:
        says, root, severity = (fault.says, fault.root, fault.severity) if fault else ("", "", "")
        return Outcome(task.name, says, root, severity, note=f"{type(error).__name__}: {error}")


def _read(state: Path) -> dict[str, Outcome]:
    if not state.exists():
        return {}
    return {one["name"]: Outcome.from_json(one) for one in json.loads(state.read_text(encoding="utf-8"))}


def _write(known: dict[str, Outcome]) -> None:
    def rows(names: Sequence[str]) -> list[Outcome]:
        return [known[name] for name in names if name in known]

    PAGE.write_text(page_of(rows(list(FAULTS)), rows([pair.name for pair in PAIRS]), rows([QUIET])), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
