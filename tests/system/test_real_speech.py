"""Minutes of speech through the whole function to a real recogniser: two and a half of them, and with --all ten."""

from collections import Counter
from collections.abc import Iterator

import jiwer
import pytest
from support.checking import check_times
from support.encoding import encode
from support.local_function import VOXTRAL, WHISPER, LocalFunction, local_function
from support.long_recordings import Spoken, real_speech
from support.recordings import WORDS, recording, spoken_words

TIMEOUT_SECONDS = 900

# How much more of the words may be wrong in a long recording than in its sentences alone. Not less, since what a
# recogniser makes of the same sound depends on the processor: ten minutes were within half a point on some, and over it
# on another. A lost sentence is noticed as one, however few words it has.
MOST_WORSE = 0.02
# A sentence with fewer of its words than that is missing; that many words more than were said, at one place, are
# another sentence's. The shortest sentence has eight words, of which a recogniser may mishear some; a missing one has
# none of them.
LEAST_HEARD_SHARE = 0.6
MOST_ADDED_WORDS = 3


@pytest.fixture(scope="module", params=[(2.4, 0.8), pytest.param((10.5, 5), marks=pytest.mark.long)], ids=["2", "10"])
def real(request: pytest.FixtureRequest) -> Iterator[tuple[LocalFunction, float]]:
    """A function with a real recogniser, and for how many minutes of speech it makes at least two cuts."""
    minutes, chunk_minutes = request.param
    with local_function("whisper", CHUNK_MINUTES=str(chunk_minutes)) as running:
        yield running, minutes


@pytest.fixture(scope="module")
def alone(real: tuple[LocalFunction, float]) -> dict[str, str]:
    """The recogniser's text of each sentence by itself, by the spoken sentence."""
    function, _ = real
    return {
        words: spoken_words(function.transcript({"url": function.address_of(name, recording(name))})["text"])
        for name, words in WORDS.items()
        if name.endswith(".wav")
    }


def check_sentences(text: str, sentences: tuple[Spoken, ...]) -> None:
    """No sentence is missing: enough words of each are recognised at its place, and nothing else is."""
    words = [(number, word) for number, each in enumerate(sentences) for word in each.words.split()]
    heard = Counter[int]()
    for part in jiwer.process_words(" ".join(word for _, word in words), spoken_words(text)).alignments[0]:
        if part.type == "equal":
            heard.update(number for number, _ in words[part.ref_start_idx : part.ref_end_idx])
        added = (part.hyp_end_idx - part.hyp_start_idx) - (part.ref_end_idx - part.ref_start_idx)
        assert added < MOST_ADDED_WORDS
    missing = [
        each for number, each in enumerate(sentences) if heard[number] < LEAST_HEARD_SHARE * len(each.words.split())
    ]
    assert missing == []


@pytest.mark.timeout(TIMEOUT_SECONDS)
@pytest.mark.parametrize(("model", "container", "codec"), [(VOXTRAL, "mp3", "libmp3lame"), (WHISPER, "ipod", "aac")])
def test_minutes_of_speech(
    real: tuple[LocalFunction, float], alone: dict[str, str], model: str, container: str, codec: str
) -> None:
    """A real recogniser hears each sentence of minutes as it does alone: none missing, none twice, all in time."""
    function, minutes = real
    long = real_speech(minutes, seed=1, noise_dbfs=-60)
    data = encode(long.samples, container, codec, bit_rate=64_000)
    url = function.address_of("talk", data)
    answer = function.transcript({"url": url, "model": model, "response_format": "verbose_json"})
    said = [sentence.words for sentence in long.sentences]
    best = jiwer.wer(" ".join(said), " ".join(alone[words] for words in said))
    assert jiwer.wer(" ".join(said), spoken_words(answer["text"])) <= best + MOST_WORSE
    check_sentences(answer["text"], long.sentences)
    assert "warnings" not in answer
    check_times(answer, long.sentences)
