"""Texts that are awkward in subtitles, and segments of any text and time."""
# ruff: noqa: RUF001 # marks of many scripts are what this is about

from hypothesis import strategies as st

from transcriber.spans import Segment
from transcriber.transcription.transcript import Transcript

SENTENCES = (
    "When I was young, we had nothing at all. Then, one day, a man came to the door and asked whether we would like to "
    "buy a clock; my mother said no, but he would not leave us, and so we bought it."
)
AWKWARD = (
    "a <b>bold</b> word",
    "R&amp;D & <i>",
    "an arrow --> there",
    "-->",
    "--> 00:00:02,000",
    "family 👩‍👩‍👧 and 🇫🇷",
    "שלום עולם, מה שלומך?",
    "大家好，我叫李明。",
    "สวัสดีครับ เราไปไหนกัน",
    "WEBVTT",
    "NOTE this",
    "STYLE",
    "7",
    "two\r\n\r\nparagraphs\n\n",
    "  space  ",
)

# Without digits: one of the parsers takes any line with two times for a cue's.
texts_without_digits = st.text(st.characters(exclude_categories=["Cs", "Nd"]), max_size=120) | st.sampled_from(
    [text for text in AWKWARD if not any(map(str.isdigit, text))]
)
texts = st.text(max_size=120) | st.sampled_from([*AWKWARD, SENTENCES, SENTENCES.upper(), "大家好，我叫李明。" * 9])
seconds = st.floats(0, 40) | st.sampled_from([0.0, 1.0, 1.0004, 5.0, 400_000.0])
segments_of_any_text = st.lists(st.builds(Segment, seconds, seconds, texts), max_size=8)
# Within an hour: not every parser reads three digits of hours.
segments_for_parsers = st.lists(
    st.builds(lambda start, end, text: Segment(start % 3600, end % 3600, text), seconds, seconds, texts_without_digits),
    max_size=8,
)


def transcript_of(*segments: Segment) -> Transcript:
    return Transcript("", "m", 0.0, segments=segments)
