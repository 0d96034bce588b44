"""Nothing secret in any output: a service with a secret in every variable says none of them anywhere."""

import json
import signal
import time
from pathlib import Path

import pytest

from demo.process_tree import free_port
from tests.demo.running_demo import environment, until
from tests.monitor.cli.test_serve import asked, serving

WATCHED_TOKEN = "123456789:AAwatchedwatchedwatchedwatched012345"
ALERT_TOKEN = "987654321:AAalertalertalertalertalert0123456"
RENDER_KEY = "rnd_renderkeyrenderkeyrenderkey"
SIGNING_SECRET = "c2lnbmluZ3NlY3JldHNpZ25pbmdzZWNyZXQ="
WORDS = ("dbpass", "redispass", "brokerpass", "hooksecret", "apitoken", "targetpass", RENDER_KEY, SIGNING_SECRET)


@pytest.mark.real
def test_a_service_full_of_secrets_says_none_of_them(tmp_path: Path) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    secrets = (WATCHED_TOKEN, ALERT_TOKEN, *WORDS)
    env = environment(
        DATABASE_URL=f"postgresql://nexus:dbpass@{nobody}/nexus",
        REDIS_URL=f"redis://:redispass@{nobody}/0",
        BROKER_URL=f"redis://user:brokerpass@{nobody}/1",
        BOT_TOKEN=WATCHED_TOKEN,
        ALERT_BOT_TOKEN=ALERT_TOKEN,
        ALERT_CHAT_ID="42",
        WEBHOOK_URL=f"http://{nobody}/{WATCHED_TOKEN}",
        WEBHOOK_SECRET="hooksecret",
        TELEGRAM_API_URL=f"http://{nobody}",
        API_URL=f"http://user:targetpass@{nobody}",
        MINIAPP_URL=f"http://{nobody}/?token=targetpass",
        RENDER_API_KEY=RENDER_KEY,
        RENDER_API_URL=f"http://{nobody}/v1",
        RENDER_WEBHOOK_SECRET=f"whsec_{SIGNING_SECRET}",
        MONITOR_TOKEN="apitoken",
        MONITOR_LOG_LEVEL="debug",
    )
    (tmp_path / "monitor.yaml").write_text(
        "defaults: {interval_seconds: 4, retry_seconds: 1, confirm: {failures: 1, span_seconds: 0}}\n"
        "incidents: {gate_settle_seconds: 0}\n"
        f"vantage: {{dns_names: [localhost], egress_targets: ['{nobody}']}}\n"
        "checks: {vantage.egress: {enabled: false},\n"
        "  worker.canary: {timeout_seconds: 3.9, canary_timeout_seconds: 1}}\n",
        encoding="utf-8",
    )
    with serving(tmp_path, env) as (process, url):
        assert asked(f"{url}/api/v1/status")[0] == 401
        until(lambda: json.loads(asked(f"{url}/api/v1/status", "apitoken")[1])["incidents"], 30, "an incident")
        time.sleep(2)  # so that every check has failed, and telling it has failed too
        incidents = json.loads(asked(f"{url}/api/v1/incidents", "apitoken")[1])
        pages = ["/", "/login", "/healthz", "/readyz", "/metrics", "/openapi.json", "/incidents", "/none"]
        pages += ["/api/v1/status", "/api/v1/incidents", "/api/v1/checks"]
        for check in json.loads(asked(f"{url}/api/v1/checks", "apitoken")[1]):
            base = f"/api/v1/checks/{check['id']}"
            pages += [f"/checks/{check['id']}", base, f"{base}/results"]
        for incident in incidents:
            pages += [f"/incidents/{incident['id']}", f"/api/v1/incidents/{incident['id']}"]
        seen = {page: asked(f"{url}{page}", "apitoken")[1] for page in pages}
        process.send_signal(signal.SIGTERM)
        seen["log"], _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "service.stopping" in seen["log"]
    for file in tmp_path.glob("nexus-monitor.db*"):
        seen[file.name] = file.read_bytes().decode("latin-1")
    found = {(name, secret) for name, text in seen.items() for secret in secrets if secret in text}
    assert found == set()
