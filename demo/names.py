"""Host names that only the demo's monitor can resolve, and that can be taken away from it."""

import functools
import shutil
import subprocess
from pathlib import Path

from demo.process_tree import HOST

NAMES = ("one.names.test", "two.names.test")
EVERYWHERE = "localhost"
"""The name that is known where a process cannot be given names of its own."""
ASK_SECONDS = 5.0


@functools.cache
def can_have_own_names() -> bool:
    """Say whether a process can have an /etc/hosts of its own: on Linux, with the right to mount."""
    program = shutil.which("unshare")
    if program is None:
        return False
    command = [program, "--mount", "sh", "-c", "mount --bind /etc/hosts /etc/hosts"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=ASK_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


class OwnNames:
    """An /etc/hosts and an /etc/resolv.conf for one process, in files of ours.

    They are written in place: the process sees the same file with other contents.
    """

    def __init__(self, folder: Path) -> None:
        self._hosts = folder / "hosts"
        self._resolv = folder / "resolv.conf"

    @property
    def known(self) -> tuple[str, ...]:
        """The names that the process can resolve while they are not taken away."""
        return NAMES if can_have_own_names() else (EVERYWHERE,)

    @property
    def prefix(self) -> tuple[str, ...]:
        """The start of the command line of a process with these names; empty where it cannot have them."""
        if not can_have_own_names():
            return ()
        mount = 'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"'
        return ("unshare", "--mount", "sh", "-c", mount, "sh", str(self._hosts), str(self._resolv))

    def write(self) -> None:
        """Make the names known."""
        self._hosts.parent.mkdir(parents=True, exist_ok=True)
        self._resolv.write_text(f"nameserver {HOST}\noptions timeout:1 attempts:1\n")  # nobody answers there
        self._hosts.write_text("".join(f"{HOST} {name}\n" for name in (EVERYWHERE, *NAMES)))

    def take_away(self) -> None:
        """Let the process know `localhost` alone."""
        self._hosts.write_text(f"{HOST} {EVERYWHERE}\n")
