"""Faults of nexus-beat and of its schedule."""

from demo.faults.fault import Fault
from demo.faults.hands import Hand, all_of, deploying, letting_go, restoring
from demo.nexus.flaws import Flaw
from demo.parts import Part
from demo.process_tree import HOST, free_port
from demo.stack import DemoStack

BEAT = "nexus-beat"
WORKER = "nexus-worker"


def _start_second(stack: DemoStack) -> None:
    folder = stack.folder / "nexus-beat-second"
    arguments = list(stack.parts[BEAT].arguments)
    arguments[arguments.index("-s") + 1] = str(folder / "schedule")
    second = Part("nexus-beat-second", arguments, stack.parts[BEAT].usual_environment, folder, 0)
    stack.hold("second beat").callback(second.kill)
    second.start()


def _both(flaw: Flaw) -> Hand:
    return all_of(deploying(WORKER, flaw), deploying(BEAT, flaw))


_both_back = all_of(restoring(WORKER), restoring(BEAT))

FAULTS = (
    Fault(
        "beat-killed",
        "Celery beat is killed",
        "beat.alive",
        lambda stack: stack.parts[BEAT].kill(),
        lambda stack: stack.parts[BEAT].start(),
        beside=("beat.schedule",),
    ),
    Fault(
        "beat-paused",
        "Celery beat is frozen",
        "beat.alive",
        lambda stack: stack.parts[BEAT].pause(),
        lambda stack: stack.parts[BEAT].resume(),
    ),
    Fault(
        "beat-schedule-empty",
        "nexus-beat is deployed with an empty schedule: it lives and fires nothing",
        "beat.alive",
        deploying(BEAT, Flaw.SCHEDULE_EMPTY),
        restoring(BEAT),
    ),
    Fault(
        "beat-broker-wrong",
        "nexus-beat is deployed with a broker where nobody listens: it lives and fires nothing",
        "beat.alive",
        lambda stack: stack.parts[BEAT].deploy(REDIS_URL=f"redis://{HOST}:{free_port()}/0"),
        restoring(BEAT),
    ),
    Fault(
        "beat-other-database",
        "nexus-beat is deployed with another database number of the same Redis",
        "beat.alive",
        lambda stack: stack.parts[BEAT].deploy(REDIS_URL=stack.valkey.url.removesuffix("/0") + "/5"),
        restoring(BEAT),
    ),
    Fault(
        "beat-twice",
        "a second beat runs beside the first, as after a deploy that scaled it up",
        "beat.single",
        _start_second,
        letting_go("second beat"),
        severity="warning",
    ),
    Fault(
        "beat-entry-never-fired",
        "nexus-beat is deployed without an entry that the application's configuration has",
        "beat.schedule",
        deploying(BEAT, Flaw.ENTRY_MISSING),
        restoring(BEAT),
        also=("beat.config",),
    ),
    Fault(
        "beat-entry-unknown",
        "an entry of the schedule names a task that no worker has",
        "beat.config",
        _both(Flaw.ENTRY_UNKNOWN),
        _both_back,
        severity="warning",
    ),
    Fault(
        "beat-entry-unserved",
        "an entry of the schedule sends to a queue that no worker reads",
        "beat.config",
        _both(Flaw.ENTRY_UNSERVED),
        _both_back,
        severity="warning",
        also=("queue.no_consumer",),
    ),
)
