"""What a process of Nexus says about itself: service, commit and instance, as Render names them."""

import os
import socket


def identity(default_service: str) -> dict[str, str]:
    """Return service name, commit and instance of this process."""
    return {
        "service": os.environ.get("RENDER_SERVICE_NAME") or os.environ.get("SERVICE_NAME") or default_service,
        "commit": os.environ.get("RENDER_GIT_COMMIT") or "unknown",
        "instance": os.environ.get("RENDER_INSTANCE_ID") or f"{socket.gethostname()}-{os.getpid()}",
    }
