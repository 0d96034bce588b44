"""Breaking and repairing over the control port: whatever a fault raises is one line in the second terminal."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from demo import control as control_module
from demo.control import Control, ControlError, ask
from demo.faults import Fault
from demo.process_tree import free_port
from demo.stack import DemoStack, Ports

pytestmark = pytest.mark.real

NOT_UP = "sticky: the demo is starting or ending"


class Breakage:
    """A fault's two halves: what the next call raises, and what was called."""

    def __init__(self) -> None:
        self.raises: Exception | None = None
        self.calls: list[str] = []

    def inject(self, stack: DemoStack) -> None:
        self.calls.append("inject")
        if self.raises:
            raise self.raises

    def repair(self, stack: DemoStack) -> None:
        self.calls.append("repair")
        if self.raises:
            raise self.raises


@pytest.fixture
def breakage(monkeypatch: pytest.MonkeyPatch) -> Breakage:
    """One fault, `sticky`, in place of the real ones."""
    breakage = Breakage()
    fault = Fault("sticky", "it sticks", "api.health", breakage.inject, breakage.repair)
    monkeypatch.setattr(control_module, "FAULTS", {"sticky": fault})
    return breakage


@pytest.fixture
def control() -> Iterator[Control]:
    control = Control(Ports(free_port(), free_port(), free_port()))
    yield control
    control.stop()


@pytest.fixture
def stack(control: Control, tmp_path: Path) -> DemoStack:
    """A stack that is handed over, and of which nothing was started."""
    stack = DemoStack(tmp_path, control.ports)
    control.hand_over(stack)
    return stack


def _post(control: Control, path: str) -> str:
    """Ask, and return what was done or why not."""
    try:
        return str(ask(control.ports.control, "POST", path)["done"])
    except ControlError as error:
        return str(error)


def _is_broken(control: Control) -> Any:
    return ask(control.ports.control, "GET", "/faults")["faults"][0]["broken"]


def test_a_second_control_cannot_have_the_port_of_one_that_is_not_handed_a_stack_yet(control: Control) -> None:
    with pytest.raises(OSError, match="in use"):
        Control(control.ports)


def test_before_the_demo_is_up_it_answers_at_once_that_it_is_not(control: Control, breakage: Breakage) -> None:
    assert _post(control, "/break/sticky") == NOT_UP
    assert _post(control, "/break/stiky") == "stiky: no such fault, did you mean sticky?"
    assert _is_broken(control) is False
    assert breakage.calls == []


@pytest.mark.usefixtures("stack")
def test_a_fault_that_waits_while_the_demo_ends_is_not_done(control: Control, breakage: Breakage) -> None:
    control.stop()
    with pytest.raises(ControlError, match=f"^{NOT_UP}$"):
        control.change("break", "sticky")
    assert breakage.calls == []


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("error", "line"),
    [
        pytest.param(
            asyncpg.UndefinedTableError('relation "settings" does not exist'),
            'could not break sticky: relation "settings" does not exist',
            id="asyncpg",
        ),
        pytest.param(StopIteration(), "could not break sticky: StopIteration", id="without words"),
        pytest.param(asyncio.InvalidStateError("two\n lines"), "could not break sticky: two lines", id="two lines"),
    ],
)
def test_whatever_a_fault_raises_is_one_line_and_it_is_not_broken(
    control: Control, breakage: Breakage, error: Exception, line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    breakage.raises = error
    assert _post(control, "/break/sticky") == line
    assert _is_broken(control) is False
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("stack")
def test_a_fault_half_done_can_be_repaired_once(control: Control, breakage: Breakage) -> None:
    breakage.raises = KeyError("half")
    assert _post(control, "/break/sticky") == "could not break sticky: 'half'"
    breakage.raises = None
    assert _post(control, "/repair/sticky") == "sticky: repaired"
    assert _post(control, "/repair/sticky") == "sticky: is not broken"
    assert breakage.calls == ["inject", "repair"]


@pytest.mark.usefixtures("stack")
def test_a_fault_half_done_can_be_broken_again(control: Control, breakage: Breakage) -> None:
    breakage.raises = KeyError("half")
    _post(control, "/break/sticky")
    breakage.raises = None
    assert _post(control, "/break/sticky") == "sticky: it sticks"
    assert _post(control, "/break/sticky") == "sticky: is already broken"
    assert _is_broken(control) is True


@pytest.mark.usefixtures("stack")
def test_a_repair_that_fails_leaves_it_broken(control: Control, breakage: Breakage) -> None:
    _post(control, "/break/sticky")
    breakage.raises = StopIteration()
    assert _post(control, "/repair/sticky") == "could not repair sticky: StopIteration"
    assert _is_broken(control) is True


@pytest.mark.usefixtures("stack")
def test_a_real_fault_in_a_database_that_is_gone_is_one_line(control: Control) -> None:
    line = _post(control, "/break/api-500")
    assert line.startswith("could not break api-500: ")
    assert "\n" not in line
