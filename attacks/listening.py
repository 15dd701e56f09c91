"""Ears for the attack on spoken challenges: find the known clips again in a recording.

The clips are public, so this is what anyone would try first: correlate the waveform (matched
filter), correlate spectrograms, and align spectra in time (dynamic time warping), each over a grid of speeds.
"""

import io
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float32]
RATE = 11025
_FRAME, _HOP, _BANDS = 256, 128, 24
_SPEEDS = (0.8, 0.87, 0.94, 1.01, 1.08, 1.15, 1.22)
_FINE_SPEEDS = tuple(np.arange(0.8, 1.23, 0.01))
_FLOOR = 0.1  # of the loudest; tried from 0.0001, and this finds the most
_OVERLAP = 0.35  # of the shorter of two finds; more, and they are one
Listen = Callable[[Signal, str, int], str]


@dataclass(frozen=True, slots=True)
class Find:
    """One digit heard from `start` to `end`; the higher `score`, the surer."""

    score: float
    start: int
    end: int
    digit: int

    def overlaps(self, other: "Find") -> bool:
        shared = min(self.end, other.end) - max(self.start, other.start)
        return shared > _OVERLAP * min(self.end - self.start, other.end - other.start)


def read(content: bytes) -> Signal:
    with wave.open(io.BytesIO(content)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32)


def by_waveform(recording: Signal, language: str, count: int) -> str:
    """Matched filter: the normalised cross-correlation with each clip at each speed."""
    size = 1 << int(np.ceil(np.log2(len(recording) + RATE * 2)))
    spectrum = np.fft.rfft(recording, size)
    energy = np.concatenate(([0.0], np.cumsum(recording.astype(np.float64) ** 2)))
    finds: list[Find] = []
    for digit in range(10):
        for speed in _FINE_SPEEDS:
            clip = _at_speed(_clip(language, digit), speed)
            found = np.fft.irfft(spectrum * np.conj(np.fft.rfft(clip, size)), size)
            found = found[: len(recording) - len(clip)]
            loudness = np.sqrt(energy[len(clip) : len(clip) + len(found)] - energy[: len(found)] + 1)
            scores = found / (loudness * np.linalg.norm(clip))
            finds += _peaks(scores, len(clip), digit, apart=RATE // 4)
    return _best(finds, count)


def by_spectrogram(recording: Signal, language: str, count: int) -> str:
    """The same on spectrograms, where phase no longer matters."""
    heard = _spectra(recording)
    finds: list[Find] = []
    for digit, template in _templates(language):
        length = len(template)
        windows = np.lib.stride_tricks.sliding_window_view(heard, length, axis=0)
        centred = windows - windows.mean(axis=(1, 2), keepdims=True)
        wanted = (template - template.mean()).T
        scores = np.tensordot(centred, wanted, axes=((1, 2), (0, 1)))
        scores /= np.sqrt((centred**2).sum(axis=(1, 2))) * np.linalg.norm(wanted) + 1e-9
        finds += _peaks(scores, length, digit, apart=20)
    return _best(finds, count)


def by_warping(recording: Signal, language: str, count: int) -> str:
    """Dynamic time warping of each clip into the recording; tempo may double or halve within a word."""
    heard = _spectra(recording)
    ground = np.median(heard, axis=0)
    finds: list[Find] = []
    for digit, template in _templates(language):
        distance = np.abs(template[:, None] - heard).mean(axis=2) / np.abs(template - ground).mean()
        cost, start = _warp(distance)
        finds += [
            Find(find.score, int(start[find.start]), find.start, find.digit)
            for find in _peaks(-cost, 0, digit, apart=20)
        ]
    return _best(finds, count)


WAYS: dict[str, Listen] = {
    "matched filter": by_waveform,
    "spectrogram correlation": by_spectrogram,
    "dynamic time warping": by_warping,
}


def _warp(distance: Signal) -> tuple[Signal, NDArray[np.int64]]:
    """For each place in the recording the mean cost of a clip that ends there, and where it began."""
    rows, columns = distance.shape
    far = np.float32(1e6)
    cost = np.full((rows, columns), far, dtype=np.float32)
    start = np.zeros((rows, columns), dtype=np.int64)
    cost[0], start[0] = distance[0], np.arange(columns)
    for row in range(1, rows):
        here = distance[row]
        straight = np.concatenate(([far], cost[row - 1, :-1])) + here
        slow = np.concatenate(([far, far], cost[row - 1, :-2] + here[1:-1] * 0.5)) + here * 0.5
        begun = np.concatenate(([0], start[row - 1, :-1]))
        begun_slow = np.concatenate(([0, 0], start[row - 1, :-2]))
        options, begins = [straight, slow], [begun, begun_slow]
        if row > 1:
            options.append(np.concatenate(([far], cost[row - 2, :-1])) + (here + distance[row - 1]))
            begins.append(np.concatenate(([0], start[row - 2, :-1])))
        best = np.argmin(options, axis=0)
        cost[row] = np.choose(best, options)
        start[row] = np.choose(best, begins)
    return cost[-1] / rows, start[-1]


def _peaks(scores: Signal, length: int, digit: int, *, apart: int) -> Iterator[Find]:
    """The best places that are at least so far apart."""
    left = scores.copy()
    for _ in range(12):
        at = int(np.argmax(left))
        if not np.isfinite(left[at]) or left[at] == -np.inf:
            return
        yield Find(float(left[at]), at, at + length, digit)
        left[max(0, at - apart) : at + apart] = -np.inf


def _best(finds: list[Find], count: int) -> str:
    """The surest finds that do not overlap, in the order in which they are heard."""
    chosen: list[Find] = []
    for find in sorted(finds, key=lambda each: -each.score):
        if len(chosen) < count and not any(find.overlaps(other) for other in chosen):
            chosen.append(find)
    return "".join(str(find.digit) for find in sorted(chosen, key=lambda each: each.start))


@cache
def _clip(language: str, digit: int) -> Signal:
    path = resources.files("services.verification.voice") / f"{language}-{digit}.wav"
    return read(path.read_bytes())


def _at_speed(clip: Signal, speed: float) -> Signal:
    places = np.arange(0, len(clip) - 1, speed)
    return _signal(np.interp(places, np.arange(len(clip)), clip))


@cache
def _templates(language: str) -> tuple[tuple[int, Signal], ...]:
    return tuple(
        (digit, _spectra(_at_speed(_clip(language, digit), speed)))
        for digit in range(10)
        for speed in _SPEEDS
    )


@cache
def _filters() -> Signal:
    """Triangles, evenly spaced on the mel scale from 120 to 5000 Hz."""
    lowest, highest = 2595 * np.log10(1 + np.array((120, 5000)) / 700)
    mel = np.linspace(lowest, highest, _BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    bins = np.fft.rfftfreq(_FRAME, 1 / RATE)
    up = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return _signal(np.maximum(0, np.minimum(up, down)).T)


def _spectra(signal: Signal) -> Signal:
    """Loudness by band and frame, in decibels over a floor that hides what is faint."""
    frames = np.lib.stride_tricks.sliding_window_view(signal, _FRAME)[::_HOP] * np.hanning(_FRAME)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 @ _filters()
    return _signal(10 * np.log10(power / power.max() + _FLOOR))


def _signal(values: Any) -> Signal:
    return np.asarray(values, dtype=np.float32)
