"""Named faults, done to the real parts of the demo: signals, kills, configuration, network, data. One file a room."""

from demo.faults import api, beat, bot, data, miniapp, render, vantage, worker
from demo.faults.fault import Fault

FAULTS: dict[str, Fault] = {
    fault.name: fault for room in (api, data, bot, worker, beat, miniapp, render, vantage) for fault in room.FAULTS
}
"""Every fault by its name."""

__all__ = ["FAULTS", "Fault"]
