"""The Celery application of nexus-worker and nexus-beat: `python -m celery -A demo.nexus.celery_app worker|beat`."""

from celery import Celery

from demo.nexus import environment
from demo.nexus.flaws import Flaw, has
from demo.nexus.schedule import TIMEZONE, schedule

_SOCKET = {
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "retry_on_timeout": True,
    "health_check_interval": 5,  # a broker that says nothing for 11 s is left and connected anew
}


def build(redis_url: str, heartbeat_seconds: float) -> Celery:
    """Return the application: two queues, JSON alone, and connections that come back by themselves."""
    include = [] if has(Flaw.TASKS_MISSING) else ["demo.nexus.worker"]
    include += ["demo.nexus.forgotten"] if has(Flaw.IMPORT_ERROR) else []
    results_url = environment.url("RESULT_BACKEND_URL", "redis", "rediss", default=redis_url)
    app = Celery("nexus", broker=redis_url, backend=results_url, include=include)
    app.conf.update(
        task_default_queue="celery",
        task_routes={"nexus.report": {"queue": "reports"}},
        task_serializer="json",
        accept_content=["yaml"] if has(Flaw.REFUSES_JSON) else ["json"],
        result_expires=3600,
        task_track_started=True,
        task_soft_time_limit=30,
        task_time_limit=40,
        worker_prefetch_multiplier=1,
        worker_send_task_events=True,
        task_send_sent_event=True,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        timezone=environment.text("NEXUS_TIMEZONE", TIMEZONE),
        beat_schedule=schedule(heartbeat_seconds),
        beat_max_loop_interval=5,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # for ever
        broker_connection_timeout=3,
        broker_transport_options={**_SOCKET, "visibility_timeout": 3600},
        redis_socket_timeout=10,
        redis_socket_connect_timeout=3,
        redis_socket_keepalive=True,
        redis_retry_on_timeout=True,
        redis_backend_health_check_interval=5,
    )
    return app


with environment.exit_on_bad_setting("nexus-worker"):
    app = build(environment.redis_url(), environment.seconds("NEXUS_HEARTBEAT_SECONDS", 60))
    environment.database_url()
