"""When people's day begins: the end of a silence "until the morning", and the hour of the daily digest."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

NINE = time(9)
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Morning:
    """A time of day in a zone."""

    at: time = NINE
    zone: ZoneInfo = UTC

    def after(self, now: datetime) -> datetime:
        """Return the next morning later than `now`, in UTC."""
        return self.next_at(self.at, now)

    def next_at(self, at: time, now: datetime) -> datetime:
        """Return when this zone's clocks next show `at`, in UTC; never `now` itself."""
        local = now.astimezone(self.zone)
        days = (local.date() + timedelta(days=number) for number in count())
        times = (datetime.combine(day, at, self.zone).astimezone(now.tzinfo) for day in days)
        return next(found for found in times if found > now)

    def before(self, now: datetime) -> datetime:
        """Return the latest morning that is not later than `now`, in UTC."""
        local = now.astimezone(self.zone)
        found = datetime.combine(local.date(), self.at, self.zone).astimezone(now.tzinfo)
        if found > now:
            found = datetime.combine(local.date() - timedelta(days=1), self.at, self.zone).astimezone(now.tzinfo)
        return found

    @property
    def label(self) -> str:
        """Return the time as a button shows it."""
        return f"{self.at:%H:%M}"


NINE_UTC = Morning()
