"""Mistakes a person can mend: each is one clear line, and exit status 2."""


class UsageError(Exception):
    """One or more mistakes in what the program was given.

    Each line names the thing and the value; none holds a secret.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
