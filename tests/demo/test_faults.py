"""The faults as a table: named, said in a line, blamed on a check there is, and as many as the documents say."""

import re
from pathlib import Path

import pytest

from demo.faults import FAULTS, Fault
from demo.matrix.choice import PAIRS, SUBSET
from demo.nexus import flaws
from demo.nexus.environment import SettingError
from demo.nexus.flaws import Flaw
from demo.process_tree import free_port
from demo.stack import DemoStack, Ports

GOAL = 60
COUNTED = {"README.md": r"(\d+) faults", "CHANGELOG.md": r"(\d+) faults"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_fault_is_named_and_said_in_one_line(fault: Fault) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", fault.name)
    assert len(fault.name) <= 40
    assert 10 < len(fault.says) <= 110
    assert not fault.says.endswith(".")
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", check) for check in (fault.root, *fault.also, *fault.beside))


def test_there_are_enough_and_no_two_say_the_same() -> None:
    assert len(FAULTS) >= GOAL
    assert len({fault.says for fault in FAULTS.values()}) == len(FAULTS)
    families = {fault.root.split(".")[0] for fault in FAULTS.values()}
    assert families >= {"api", "postgres", "redis", "bot", "worker", "queue", "beat", "miniapp", "vantage", "telegram"}


def test_the_subset_and_the_pairs_are_of_them() -> None:
    assert len(SUBSET) == len(set(SUBSET)) == 15
    assert len(PAIRS) == len({pair.name for pair in PAIRS}) == 10
    assert {*SUBSET, *(name for pair in PAIRS for name in (pair.first, pair.second))} <= FAULTS.keys()


@pytest.mark.parametrize(("page", "pattern"), COUNTED.items(), ids=list(COUNTED))
def test_the_documents_count_them_right(page: str, pattern: str) -> None:
    counts = re.findall(pattern, Path(page).read_text(encoding="utf-8"))
    assert counts
    assert {int(count) for count in counts} == {len(FAULTS)}


def test_every_flaw_that_a_process_can_be_deployed_with_is_used() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path("demo/faults").glob("*.py"))
    assert [flaw.name for flaw in Flaw if f"Flaw.{flaw.name}" not in source] == []
    nexus = "".join(path.read_text(encoding="utf-8") for path in Path("demo/nexus").rglob("*.py"))
    assert [flaw.name for flaw in Flaw if f"Flaw.{flaw.name})" not in nexus] == []


def test_an_unknown_flaw_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(flaws.VARIABLE, "no-secret, gremlins")
    with pytest.raises(SettingError, match=r"^NEXUS_FLAWS: 'gremlins' is unknown$"):
        flaws.has(Flaw.NO_SECRET)
    monkeypatch.setenv(flaws.VARIABLE, "no-secret,module-missing")
    assert flaws.flaws() == {Flaw.NO_SECRET, Flaw.MODULE_MISSING}


def test_what_a_fault_holds_is_closed_once(tmp_path: Path) -> None:
    stack = DemoStack(tmp_path, Ports(free_port(), free_port(), free_port()))
    closed: list[str] = []
    stack.hold("lock").callback(closed.append, "lock")
    stack.hold("thread").callback(closed.append, "thread")
    stack.let_go("lock")
    stack.let_go("lock")
    assert closed == ["lock"]
    stack.stop()
    assert closed == ["lock", "thread"]
