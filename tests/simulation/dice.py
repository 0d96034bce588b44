"""Chance without a state: every draw depends on the seed and on what is drawn, never on what was drawn before.

So an added check, another order or a crash leaves the rest of the world as it was.
"""

from collections.abc import Sequence
from typing import TypeVar
from zlib import crc32

T = TypeVar("T")


def chance(seed: int, *what: object) -> float:
    """Return a number in [0, 1) for this draw."""
    text = "|".join(map(str, what))
    # Two rounds with different ends: one CRC alone is too linear for neighbouring names.
    mixed = crc32(f"{text}|{seed}".encode()) ^ crc32(f"{seed}!{text}!{seed * 2654435761 % 4294967291}".encode())
    return (mixed * 2654435761 % 4294967296) / 4294967296


def between(low: float, high: float, seed: int, *what: object) -> float:
    return low + (high - low) * chance(seed, *what)


def choose(options: Sequence[T], seed: int, *what: object) -> T:
    return options[int(chance(seed, *what) * len(options))]
