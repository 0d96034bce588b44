"""The command line's entry: every mistake a person can mend is one line on stderr and exit status 2."""

import sys

from monitor.cli import app
from monitor.errors import UsageError

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    try:
        app()
    except UsageError as error:
        for line in error.lines:
            sys.stderr.write(f"nexus-monitor: {line}\n")
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
