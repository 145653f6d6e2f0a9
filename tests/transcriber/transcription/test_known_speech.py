"""Completeness and times over hours of known speech: losses are found, and complete texts are not in doubt."""

import sys
from collections.abc import Iterator

import pytest
from support.completeness_figures import COMPLETE, Counts, border_errors, border_row, with_times, without_times
from support.known_speech import known_speech, names

# The promises of the README.
FOUND = 0.95
MAX_DOUBTED = 0.01
MEDIAN_SECONDS, RIGHT_SECONDS, RIGHT = 0.3, 1.0, 0.95
SAMPLE = ("de-1", "neural-en-1")
CHUNK_MINUTES = 5.0
# Longer than each recording, so that all of it is one part: 20 or 25 minutes.
WHOLE_MINUTES = 30.0
OF_INTEREST = ("a fifth", "a half", "60 s")
OF_INTEREST_WITH_TIMES = ("10 s", "10 s, segment before stretched", "15 s", "30 s")


def test_losses_without_times_are_found() -> None:
    """A fifth or a half that a chunk of five minutes lacks is found by the pauses alone; a complete one is no doubt."""
    counts = Counts()
    without_times(counts, SAMPLE, minutes=CHUNK_MINUTES, has_others=False, first=1)
    assert counts.found[COMPLETE] == 0
    assert all(counts.share(label) == 1 for label in OF_INTEREST)


def test_losses_with_times_are_found() -> None:
    """Ten seconds that a model with times leaves out are found, also where it stretches the segment before them."""
    counts = Counts()
    with_times(counts, SAMPLE, minutes=CHUNK_MINUTES, first=1)
    assert counts.found[COMPLETE] == 0
    assert all(counts.share(label) >= FOUND for label in OF_INTEREST_WITH_TIMES)


@pytest.mark.parametrize("has_times", [True, False], ids=["times", "no-times"])
def test_sentences_begin_where_they_are_said(has_times: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """Nearly all sentences begin within a second of where they are said, with and without times of the model."""
    errors = border_errors(SAMPLE, minutes=CHUNK_MINUTES, has_times=has_times, first=1)
    assert errors[len(errors) // 2] <= MEDIAN_SECONDS
    assert errors[int(len(errors) * RIGHT)] <= RIGHT_SECONDS


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """Lines that are printed when the test is over, whatever came of it."""
    lines: list[str] = []
    yield lines
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("has_others", [False, True], ids=["alone", "others"])
def test_figures_without_times(has_others: bool, shown: list[str]) -> None:  # noqa: FBT001 # a parameter of the test
    """Over all ordinary speech, what is lost without times is found, and hardly a complete chunk is in doubt."""
    counts = Counts()
    without_times(counts, names(), minutes=CHUNK_MINUTES, has_others=has_others)
    shown += counts.rows()
    assert counts.share(COMPLETE) < MAX_DOUBTED
    assert all(counts.share(label) >= FOUND for label in OF_INTEREST)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_figures_with_times(shown: list[str]) -> None:
    """Over all ordinary speech, what is lost with times is found, and hardly a complete chunk is in doubt."""
    counts = Counts()
    with_times(counts, names(), minutes=CHUNK_MINUTES)
    hours = sum(len(speech.loudness.decibels) * speech.loudness.window_seconds for speech in map(known_speech, names()))
    shown += [f"{hours / 3600:.1f} hours", *counts.rows()]
    assert counts.share(COMPLETE) < MAX_DOUBTED
    assert all(counts.share(label) >= FOUND for label in OF_INTEREST_WITH_TIMES)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_figures_of_other_speech(shown: list[str]) -> None:
    """Slow speakers, numbers, music under speech and stretched vowels: what is found of them, and what is doubted."""
    for kind in ("slow", "numbers", "music", "singing"):
        for look, has_times in (("times", True), ("no times", False)):
            counts = Counts()
            if has_times:
                with_times(counts, names(kind), minutes=CHUNK_MINUTES)
            else:
                without_times(counts, names(kind), minutes=CHUNK_MINUTES, has_others=False)
            shown += [f"{kind}, {look}", *counts.rows()]
        assert counts.tried[COMPLETE] > 0


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_figures_of_times(shown: list[str]) -> None:
    """Over all ordinary speech, sentences begin where they are said, whatever the length of a chunk."""
    for has_times in (True, False):
        for minutes in (2.0, CHUNK_MINUTES, WHOLE_MINUTES):
            errors = border_errors(names(), minutes=minutes, has_times=has_times)
            shown.append(border_row(f"{minutes:g} minutes, {'times' if has_times else 'no times'}", errors))
            assert errors[len(errors) // 2] <= MEDIAN_SECONDS
            assert sum(error <= RIGHT_SECONDS for error in errors) >= (0.9 if minutes > CHUNK_MINUTES else RIGHT) * len(
                errors
            )
