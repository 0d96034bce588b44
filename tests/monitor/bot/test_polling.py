"""Two pollers with one token, as in a rolling deploy: over real HTTP, against the demo's Bot API."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from demo.botapi.faults import Fault, FaultKind
from monitor.bot.polling import CONFLICT_SECONDS, Poller
from monitor.delivery import bot_api
from tests.monitor.bot.bench import ANN, NOW
from tests.monitor.delivery.bot_api_server import TOKEN, USERNAME, bot_api_server

pytestmark = pytest.mark.real
