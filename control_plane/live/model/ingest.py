"""How well an encoder's stream comes in: what is measured, and what is wrong with it.

What is wrong needs two limits and some time, each way: nobody is told the same thing
again and again because a value wavers about one number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import median_low
from typing import Literal, NamedTuple

from msgspec import Struct, structs

from control_plane.live.model.nodes import Intake

Problem = Literal[
    "nothing_arrives", "key_frames", "frame_rate", "frames_in_error", "codec"
]

EVERY = 4.0  # seconds that are measured together
HOLD = 10.0  # seconds that a value has to be bad, or good again, without a break
SHOWN = 60.0  # seconds that what a segment told counts
#: What players of HLS know.
PLAYABLE = frozenset({"H264", "H265", "AV1", "VP9"})
PROFILES = {"42": "Baseline", "4d": "Main", "58": "Extended", "64": "High"}


class Health(Struct, frozen=True, gc=False):
    """None, 0 and "": not known now. ``frames_in_error``: since the encoder came."""

    at: float  # unix seconds
    bitrate: int | None = None  # bits a second
    fps: float | None = None
    key_frame_seconds: float | None = None  # from one to the next
    frames_in_error: int | None = None
    errors_per_second: float | None = None
    codec: str = ""
    profile: str = ""
    width: int = 0
    height: int = 0
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class IntakeMinute:
    """As a stream came in at the end of a minute; its fields as those of Health."""

    minute: datetime
    bitrate: int | None
    frames_in_error: int | None


@dataclass(frozen=True, slots=True)
class Rule:
    """``bad`` above ``good``: the more, the worse. Between them nothing changes.
    ``seen_to_last``: a value is of some time itself, and bad at once."""

    value: Callable[[Health], float | None]
    bad: float
    good: float
    advice: Callable[[Health], str]
    seen_to_last: bool = False

    def verdict(self, health: Health) -> bool | None:
        """True: it is bad. None: it is neither, or not known."""
        value = self.value(health)
        if value is None:
            return None
        sign = 1 if self.bad > self.good else -1
        if sign * value >= sign * self.bad:
            return True
        return False if sign * value <= sign * self.good else None


def _said(value: float | None, unknown: str) -> str:
    """A problem lasts until it is seen to be over; what told of it may be gone."""
    return unknown if value is None else f"{value:.0f}"


RULES: Mapping[Problem, Rule] = {
    "nothing_arrives": Rule(
        lambda health: health.bitrate,
        bad=1_000,
        good=8_000,
        advice=lambda _: (
            "Nothing arrives from your encoder: check its network connection."
        ),
    ),
    "key_frames": Rule(
        lambda health: health.key_frame_seconds,
        bad=5.0,
        good=4.0,
        advice=lambda health: (
            f"No key frame for {_said(health.key_frame_seconds, 'some')} s:"
            " set your encoder's key-frame interval to 1–2 s."  # noqa: RUF001
        ),
        seen_to_last=True,
    ),
    "frame_rate": Rule(
        lambda health: health.fps,
        bad=8.0,
        good=9.5,
        advice=lambda health: (
            f"Only {_said(health.fps, 'a few')} frames a second arrive:"
            " choose a smaller picture or a faster preset in your encoder."
        ),
    ),
    "frames_in_error": Rule(
        lambda health: health.errors_per_second,
        bad=1.0,
        good=0.2,
        advice=lambda _: (
            "Frames arrive damaged: lower your encoder's bitrate,"
            " or use a better network."
        ),
    ),
    "codec": Rule(
        lambda health: float(health.codec not in PLAYABLE) if health.codec else None,
        bad=1.0,
        good=0.0,
        advice=lambda health: (
            f"Most players cannot show {health.codec or 'it'}:"
            " set your encoder to H.264."
        ),
    ),
}


def advice(health: Health) -> list[str]:
    """What the broadcaster can do, a sentence each."""
    return [RULES[problem].advice(health) for problem in health.problems]


@dataclass(frozen=True, slots=True)
class Segment:
    """What the newest segment of a stream told. ``durations``: of those listed.
    ``waited``: so long there was no key frame, at least, as none newer came."""

    at: float
    waited: float = 0.0
    durations: Sequence[float] = ()
    fps: float = 0.0
    codecs: str = ""
    width: int = 0
    height: int = 0

    @property
    def key_frame_seconds(self) -> float | None:
        """A segment ends at a key frame: they are no rarer than this, or no more
        often than segments should be long."""
        listed = median_low(self.durations) if self.durations else 0.0
        return max(listed, self.waited) or None

    @property
    def profile(self) -> str:
        """Of H.264, by RFC 6381: ``avc1.64001f``."""
        _, _, level = self.codecs.partition("avc1.")
        return PROFILES.get(level[:2].lower(), "")


NO_SEGMENT = Segment(float("-inf"))


class Sample(NamedTuple):
    at: float
    source_id: str
    intake: Intake


class Standing(NamedTuple):
    """``against``: since when the values say the contrary."""

    bad: bool = False
    against: float | None = None


@dataclass(frozen=True, slots=True)
class Ingest:
    """Of one session, from sample to sample."""

    sample: Sample
    health: Health
    segment: Segment = NO_SEGMENT
    standings: Mapping[Problem, Standing] = field(default_factory=dict)

    def shown(self, segment: Segment) -> "Ingest":
        return replace(self, segment=segment)


def first(sample: Sample, problems: Sequence[Problem] = ()) -> Ingest:
    """``problems``: that were there already when somebody else measured."""
    standings = {problem: Standing(bad=True) for problem in problems}
    health = _facts(sample, NO_SEGMENT)
    return _judged(Ingest(sample, health, standings=standings), sample.at)


def step(before: Ingest, sample: Sample) -> Ingest:
    """Samples that come too close together change nothing."""
    if sample.source_id != before.sample.source_id or sample.at < before.sample.at:
        fresh = Ingest(sample, _facts(sample, NO_SEGMENT), standings=before.standings)
        return _judged(fresh, sample.at)
    if sample.at - before.sample.at < EVERY:
        return before
    health = _measured(before.sample, sample, before.segment)
    return _judged(replace(before, sample=sample, health=health), sample.at)


def changes(before: Health, after: Health) -> tuple[list[Problem], list[Problem]]:
    """What came and what went."""
    came = [one for one in after.problems if one not in before.problems]
    went = [one for one in before.problems if one not in after.problems]
    return came, went


def _measured(before: Sample, sample: Sample, segment: Segment) -> Health:
    seconds = sample.at - before.at
    received = _more(before.intake.received, sample.intake.received)
    errors = _more(before.intake.frames_in_error, sample.intake.frames_in_error)
    return _with(
        _facts(sample, segment),
        bitrate=None if received is None else round(received * 8 / seconds),
        errors_per_second=None if errors is None else errors / seconds,
    )


def _more(before: int | None, now: int | None) -> int | None:
    """None also where it was counted anew."""
    if before is None or now is None or now < before:
        return None
    return now - before


def _facts(sample: Sample, segment: Segment) -> Health:
    intake = sample.intake
    if sample.at - segment.at > SHOWN:
        segment = NO_SEGMENT
    seconds = segment.key_frame_seconds if intake.codec in PLAYABLE else None
    return Health(
        sample.at,
        fps=round(segment.fps, 2) or None,
        key_frame_seconds=None if seconds is None else round(seconds, 2),
        frames_in_error=intake.frames_in_error,
        codec=intake.codec,
        profile=intake.profile or segment.profile,
        width=intake.width or segment.width,
        height=intake.height or segment.height,
    )


def _judged(ingest: Ingest, now: float) -> Ingest:
    standings = {
        problem: _standing(
            rule, ingest.standings.get(problem, Standing()), ingest.health, now
        )
        for problem, rule in RULES.items()
    }
    problems = tuple(problem for problem, one in standings.items() if one.bad)
    health = _with(ingest.health, problems=problems)
    return replace(ingest, health=health, standings=standings)


def _standing(rule: Rule, before: Standing, health: Health, now: float) -> Standing:
    verdict = rule.verdict(health)
    if verdict is None or verdict == before.bad:
        return Standing(before.bad)
    since = now if before.against is None else before.against
    if now - since >= HOLD or (verdict and rule.seen_to_last):
        return Standing(verdict)
    return Standing(before.bad, since)


def _with(health: Health, **changed: object) -> Health:
    return structs.replace(health, **changed)
