"""`python -m demo.nexus.api`: serve nexus-api on PORT."""

from demo.nexus.api.app import create_app
from demo.nexus.api.settings import Settings
from demo.nexus.environment import exit_on_bad_setting, listener
from demo.nexus.serving import serve


def main() -> None:
    """Read the environment and serve until SIGTERM."""
    with exit_on_bad_setting("nexus-api"):
        settings = Settings.from_environment()
        listening = listener()
    serve(create_app(settings), listening)


if __name__ == "__main__":
    main()
