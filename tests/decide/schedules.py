#!/usr/bin/python3
"""When schedules of the track language come round, by Python's own calendar and zones: what the engine must agree with.

    schedules.py [--seed N] [--nows N]

For each of ten zones, around every change of its clocks in 30 years and at random instants: a line

    SCHEDULE <tab> ZONE <tab> NOW <tab> ANSWER        (instants in microseconds since 1970; never: 2^63 - 1)

SCHEDULE is the text of a move or of a rule's head, with the fields `born_on` (a date) and `seen_at` (a timestamp) of a
contact whose values are those of CONTACT below. A move's answer is when it is due, a head's the next turn of a contact
whose step opened at NOW, that of `gather …` the first run after NOW.

Shares nothing with the engine but the zones' rules themselves (both read IANA's). Written from docs/language.md.
"""

import argparse
import bisect
import calendar
import datetime
import random
import sys
import zoneinfo

import dateutil.rrule

UTC = datetime.timezone.utc
ZONES = ["UTC", "Europe/Berlin", "America/Chicago", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu",
         "Africa/Cairo", "Pacific/Auckland", "America/St_Johns", "Asia/Tehran"]
YEARS = range(2000, 2030)
CONTACT = {"born_on": datetime.date(2000, 2, 29), "seen_at": datetime.datetime(2011, 3, 13, 8, 30, 15, 250000, UTC)}
NEVER = 2**63 - 1
EVERY_DAY = range(7)
WEEKDAYS = range(5)
DAY_NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


# ---- A calendar in a zone

def us(instant):
    return (instant - datetime.datetime(1970, 1, 1, tzinfo=UTC)) // datetime.timedelta(microseconds=1)


def instant_of(local, zone):
    """The first instant at which the zone's clocks show `local`, or the first after the gap that it falls into."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == local:
        return first
    low, high = first - datetime.timedelta(days=2), first + datetime.timedelta(days=2)
    while high - low > datetime.timedelta(microseconds=1):  # the first instant whose local time lies behind
        middle = low + (high - low) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < local:
            low = middle
        else:
            high = middle
    return high


def day_of(instant, zone):
    """A local day reaches from its first midnight to that of the next."""
    day = instant.astimezone(zone).date()
    while instant >= instant_of(midnight(day + datetime.timedelta(days=1)), zone):
        day += datetime.timedelta(days=1)
    return day


def midnight(day):
    return datetime.datetime.combine(day, datetime.time())


def shifted(day, months, days):
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return datetime.date(year, month + 1, min(day.day, last)) + datetime.timedelta(days=days)


def moved(instant, months, days, exact, zone):
    if months or days:
        local = instant.astimezone(zone).replace(tzinfo=None)
        instant = instant_of(datetime.datetime.combine(shifted(local.date(), months, days), local.time()), zone)
    return instant + exact


def turn(clock, days, first_day, earliest, zone):
    """The first turn on `first_day` or later, not before `earliest`."""
    for ahead in range(30):
        day = first_day + datetime.timedelta(days=ahead)
        if day.weekday() in days:
            at = instant_of(datetime.datetime.combine(day, clock), zone)
            if earliest is None or at >= earliest:
                return at
    raise AssertionError("no turn in a month")


# ---- Schedules: (text, answer(now, zone))

def clock_text(clock, days):
    text = f" at {clock.isoformat()}" if clock.second else f" at {clock:%H:%M}"
    if days is None or days == EVERY_DAY:
        return text
    return text + " on " + ("weekdays" if days == WEEKDAYS else ", ".join(DAY_NAMES[d] for d in days))


def time(text):
    return datetime.time.fromisoformat(text)


def after(text, months=0, days=0, exact=datetime.timedelta(), clock=None, on=EVERY_DAY):
    def answer(now, zone):
        at = moved(now, months, days, exact, zone)
        if clock is not None:
            earliest = now if not exact else max(at, now)
            at = turn(clock, on, day_of(at, zone), earliest, zone)
        return at
    return f'go to "B" after {text}{clock_text(clock, on) if clock is not None else ""}', answer


def at(clock, on=EVERY_DAY):
    return f'go to "B"{clock_text(clock, on)}', lambda now, zone: turn(clock, on, day_of(now, zone), now, zone)


def by_field(text, field, sign, months=0, days=0, exact=datetime.timedelta(), clock=None, on=EVERY_DAY):
    def answer(now, zone):
        value = CONTACT[field]
        if isinstance(value, datetime.datetime):
            when = moved(value, sign * months, sign * days, sign * exact, zone)
        else:
            when = instant_of(midnight(shifted(value, sign * months, sign * days)), zone) + sign * exact
        if clock is not None:
            when = turn(clock, on, day_of(when, zone), when if exact else None, zone)
        return max(when, now)
    side = "after" if sign > 0 else "before"
    return f'go to "B" {text} {side} {field}{clock_text(clock, on) if clock is not None else ""}', answer


def on_date(local):
    return (f'go to "B" at {local:%Y-%m-%d %H:%M}',
            lambda now, zone: max(now, instant_of(local, zone)))


def every(clock, days, what="every"):
    name = {tuple(EVERY_DAY): "day", tuple(WEEKDAYS): "weekday"}.get(tuple(days), ", ".join(DAY_NAMES[d] for d in days))
    smallest = datetime.timedelta(microseconds=1)
    return (f"{what} {name}{clock_text(clock, None)}",
            lambda now, zone: turn(clock, days, day_of(now, zone) - datetime.timedelta(days=1), now + smallest, zone))


def every_month(number, clock):
    def answer(now, zone):
        first = day_of(now, zone).replace(day=1)
        for ahead in range(-1, 4):
            month = shifted(first, ahead, 0)
            day = month.replace(day=min(number, calendar.monthrange(month.year, month.month)[1]))
            when = instant_of(datetime.datetime.combine(day, clock), zone)
            if when > now:
                return when
        raise AssertionError("no turn in three months")
    return f"gather every month on day {number}{clock_text(clock, None)}", answer


def rrule(text):
    """Gathering by a rule of iCalendar, by dateutil: turns are local times from 2001 on where the rule names no start."""
    rule = dateutil.rrule.rrulestr(text.replace("\\n", "\n"), dtstart=datetime.datetime(2001, 1, 1))
    turns = rule.between(datetime.datetime(2000, 1, 1), datetime.datetime(2033, 1, 1))

    def answer(now, zone):
        local = now.astimezone(zone).replace(tzinfo=None) - datetime.timedelta(days=1)
        for turn_at in turns[bisect.bisect_left(turns, local):]:
            when = instant_of(turn_at, zone)
            if when > now:
                return when
        return None
    return f'gather rrule "{text}"', answer


def hours(count):
    return datetime.timedelta(hours=count)


SCHEDULES = [
    after("1 day", days=1),
    after("1 month", months=1),
    after("1 year 1 day", months=12, days=1),
    after("36 hours", exact=hours(36)),
    after("1 day 12 hours", days=1, exact=hours(12)),
    after("2 days", days=2, clock=time("09:00")),
    after("1 day", days=1, clock=time("02:30")),
    after("0 days", clock=time("02:30")),
    after("3 hours", exact=hours(3), clock=time("02:30")),
    after("1 week", days=7, clock=time("00:00"), on=WEEKDAYS),
    after("1 month", months=1, clock=time("02:30"), on=[5, 6]),
    after("1 day 2 hours", days=1, exact=hours(2), clock=time("23:59:59"), on=[0]),
    at(time("02:30")),
    at(time("00:00"), [0, 6]),
    by_field("3 days", "born_on", -1, days=3),
    by_field("12 years", "born_on", 1, months=144),
    by_field("11 years 13 days", "born_on", 1, months=132, days=13, clock=time("02:30")),
    by_field("4000 days 1 hour", "born_on", 1, days=4000, exact=hours(1), clock=time("02:15"), on=WEEKDAYS),
    by_field("5 years", "seen_at", 1, months=60, clock=time("02:30")),
    by_field("1000 days", "seen_at", 1, days=1000),
    on_date(datetime.datetime(2015, 3, 29, 2, 30)),
    on_date(datetime.datetime(2014, 11, 2, 1, 30)),
    every(time("02:30"), EVERY_DAY),
    every(time("00:30"), WEEKDAYS),
    every(time("23:59:59"), [0, 4]),
    every(time("02:30"), EVERY_DAY, "gather every"),
    every(time("00:00"), [6], "gather every"),
    every_month(31, time("02:30")),
    every_month(1, time("00:00")),
    rrule("FREQ=DAILY;BYHOUR=2;BYMINUTE=30"),
    rrule("FREQ=MONTHLY;BYDAY=1MO,-1FR;BYHOUR=9"),
    rrule("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;BYHOUR=0,12"),
    rrule("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
    rrule("FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20150101T000000"),
    rrule("DTSTART:20120315T023000\\nRRULE:FREQ=MONTHLY;COUNT=40"),
    rrule("DTSTART:20050101T080000\\nFREQ=DAILY;INTERVAL=17"),
]


# ---- Instants to ask for

def changes_of(zone):
    """The instants at which the zone's clocks change, to the second."""
    at, step = datetime.datetime(YEARS[0], 1, 1, tzinfo=UTC), datetime.timedelta(days=10)
    end = datetime.datetime(YEARS[-1] + 1, 1, 1, tzinfo=UTC)
    while at < end:
        low, high = at, at + step
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            while high - low > datetime.timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                if middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset():
                    low = middle
                else:
                    high = middle
            yield high
        at += step


def nows_of(zone, draw, count):
    around = [datetime.timedelta(microseconds=-1), datetime.timedelta(), hours(-3), hours(1), hours(-24), hours(-27)]
    for change in changes_of(zone):
        yield change + draw.choice(around)
        yield change + datetime.timedelta(seconds=draw.randint(-3 * 86_400, 2 * 86_400))
    begin = datetime.datetime(YEARS[0], 1, 1, tzinfo=UTC)
    for _ in range(count):
        yield begin + datetime.timedelta(microseconds=draw.randrange(len(YEARS) * 365 * 86_400 * 1_000_000))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nows", type=int, default=40, help="random instants per zone")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    lines = []
    for name in ZONES:
        zone = zoneinfo.ZoneInfo(name)
        for now in nows_of(zone, draw, options.nows):
            for text, answer in SCHEDULES:
                when = answer(now, zone)
                lines.append(f"{text}\t{name}\t{us(now)}\t{NEVER if when is None else us(when)}\n")
    sys.stdout.writelines(lines)


if __name__ == "__main__":
    main()
