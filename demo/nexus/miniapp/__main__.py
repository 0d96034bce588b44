"""`python -m demo.nexus.miniapp`: serve the Mini App on PORT."""

from demo.nexus.environment import exit_on_bad_setting, listener
from demo.nexus.miniapp.site import Settings, create_app
from demo.nexus.serving import serve


def main() -> None:
    """Read the environment and serve until SIGTERM."""
    with exit_on_bad_setting("nexus-miniapp"):
        settings = Settings.from_environment()
        listening = listener()
    serve(create_app(settings), listening)


if __name__ == "__main__":
    main()
