"""The command line's entry: every mistake a person can mend is one line on stderr and exit status 2."""

import sys
from collections.abc import Iterable, Iterator

from monitor.cli import app
from monitor.errors import UsageError

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    try:
        app()
    except UsageError as error:
        _say(error.lines)
        sys.exit(EXIT_USAGE)
    except ExceptionGroup as group:  # raised within the service's task group
        mistakes, others = group.split(UsageError)
        if mistakes is None or others is not None:
            raise
        _say(dict.fromkeys(line for error in _leaves(mistakes) for line in error.lines))
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stderr.write(f"nexus-monitor: {line}\n")


def _leaves(group: ExceptionGroup[UsageError]) -> Iterator[UsageError]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


if __name__ == "__main__":
    main()
