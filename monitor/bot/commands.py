"""Every command of the operators' bot, in the order in which help lists them."""

from monitor.bot.acting import acting
from monitor.bot.asking import Commands, House
from monitor.bot.looking import looking
from monitor.bot.meeting import meeting
from monitor.bot.past import past


def commands_of(house: House) -> Commands:
    """Return the commands by name."""
    commands = {**looking(house), **acting(house), **past(house)}
    return {**commands, **meeting(commands)}
