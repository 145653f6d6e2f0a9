"""Models that lose words, or add them, over recordings whose words are known: none does so silently."""

from functools import cache

import pytest
from support.misbehaving_models import FAULTS, KnownRecording, Misbehaving, simulated, transcribed

from transcriber.request.options import TranscriptionOptions


@cache
def recording() -> KnownRecording:
    return simulated(1, minutes=4)


def is_silent(fault: str, *, gives_times: bool) -> bool:
    """Whether more than two sentences are lost without a warning."""
    backend = Misbehaving(recording(), FAULTS[fault], gives_times=gives_times)
    transcript = transcribed(backend, recording().chunks(5))
    lost = [sentence for sentence in recording().sentences if sentence.text not in transcript.text]
    return len(lost) > 2 and not transcript.warnings


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_no_loss_is_silent_with_times(fault: str) -> None:
    """Whatever is lost in a recording of one chunk, by a model that gives times: it is found, or warned of."""
    assert not is_silent(fault, gives_times=True)


@pytest.mark.parametrize("fault", sorted(fault for fault in FAULTS if "fifth" not in fault))
def test_no_large_loss_is_silent_without_times(fault: str) -> None:
    """A half or more that is lost in a recording of one chunk, by a model that gives no times, is warned of."""
    assert not is_silent(fault, gives_times=False)


def test_most_fifths_are_not_lost_silently_without_times() -> None:
    """Without times, and without other chunks to compare with, most losses of a fifth are found by the pauses alone."""
    fifths = [fault for fault in FAULTS if "fifth" in fault]
    assert sum(is_silent(fault, gives_times=False) for fault in fifths) <= 2


@pytest.mark.parametrize("gives_times", [True, False], ids=["times", "no-times"])
def test_complete_text_is_not_in_doubt(gives_times: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """A complete text costs one call, and has no warning, whatever the speaker's pace."""
    for seed, pace in enumerate((0.7, 1.0, 1.2)):
        known = simulated(10 + seed, minutes=4, pace=pace)
        backend = Misbehaving(known, lambda sentences, _: sentences, gives_times=gives_times)
        chunks = known.chunks(5)
        assert transcribed(backend, chunks).warnings == ()
        assert len(backend.calls) == len(chunks)


def test_another_model_heals() -> None:
    """Where the client left the model open, the words that the first one loses are those of the next."""
    chunks = recording().chunks(5)
    backend = Misbehaving(recording(), FAULTS["drop second half"])
    transcript = transcribed(backend, chunks, models=("first", "second"))
    assert (transcript.model, transcript.warnings) == ("second", ())


def test_prompt_that_leaves_the_last_window_alone() -> None:
    """A model that returns the last window alone with a prompt is called without one, and all words are there."""
    chunks = recording().chunks(5)
    backend = Misbehaving(recording(), FAULTS["last window alone"], only_with_prompt=True)
    transcript = transcribed(backend, chunks, options=TranscriptionOptions(prompt="Names: Kennedy"))
    assert transcript.warnings == ()
    assert all(sentence.text in transcript.text for sentence in recording().sentences)
