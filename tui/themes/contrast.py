"""How well two colours can be told apart: WCAG 2 contrast, and distances in OKLab."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

Rgb = tuple[int, int, int]


def rgb(code: str) -> Rgb:
    """Return a colour from #rrggbb."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def code_of(color: Rgb) -> str:
    """Return a colour as #rrggbb."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def _linear(channel: int) -> float:
    share = channel / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def luminance(color: Rgb) -> float:
    """Return the relative luminance (WCAG 2), from 0 for black to 1 for white."""
    red, green, blue = map(_linear, color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@lru_cache(8192)
def contrast(first: Rgb, second: Rgb) -> float:
    """Return the contrast ratio (WCAG 2), from 1 to 21."""
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def mixed(color: Rgb, ground: Rgb, share: float) -> Rgb:
    """Return `share` of a colour on a ground."""
    red, green, blue = (round(over * share + under * (1 - share)) for over, under in zip(color, ground, strict=True))
    return red, green, blue


@lru_cache(8192)
def oklab(color: Rgb) -> tuple[float, float, float]:
    """Return a colour in OKLab, in which distances are about what an eye sees."""
    red, green, blue = map(_linear, color)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def distance(first: Rgb, second: Rgb) -> float:
    """Return how different two colours look; 0.02 is just noticeable, black and white are 1 apart."""
    pairs = zip(oklab(first), oklab(second), strict=True)
    return float(sum((one - other) ** 2 for one, other in pairs) ** 0.5)


def nearest(color: Rgb, candidates: Iterable[Rgb], ground: Rgb | None = None, least: float = 1.0) -> Rgb:
    """Return the candidate that looks most like a colour; with a ground, of those with the least contrast to it.

    If none has enough contrast, it is the one with most.
    """
    candidates = tuple(candidates)
    if ground is not None:
        legible = tuple(candidate for candidate in candidates if contrast(candidate, ground) >= least)
        candidates = legible or (max(candidates, key=lambda candidate: contrast(candidate, ground)),)
    return min(candidates, key=lambda candidate: distance(candidate, color))


@lru_cache(1024)
def legible(color: Rgb, ground: Rgb, least: float) -> Rgb:
    """Return a colour, moved towards black or white as little as its contrast to a ground needs."""
    if contrast(color, ground) >= least:
        return color
    pole = max(((0, 0, 0), (255, 255, 255)), key=lambda pole: contrast(pole, ground))
    shares = (mixed(pole, color, step / 20) for step in range(1, 21))
    return next((moved for moved in shares if contrast(moved, ground) >= least), pole)
