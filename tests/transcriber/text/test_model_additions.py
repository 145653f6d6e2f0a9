"""Additions of models: what is certain goes, whatever is around what; what is in doubt stays, and has a name."""
# ruff: noqa: RUF001 # marks of many scripts are what this is about

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcriber.api.chat import INSTRUCTION
from transcriber.text.model_additions import (
    DOCUMENT,
    LABELS,
    PROMPT,
    REMARK,
    STAMPS,
    CleanText,
    clean_answer,
    clean_transcription,
)

WORDS = "So he came. And left."
NAMES = "Names: Kennedy, Dashwood, Willoughby, Ferrars, Brandon, Steele"
LINES = "So he came.\nAnd left."
STAMPED = "[00:01] So he came.\n[00:05] And left."
SRT = "1\n00:00:01,000 --> 00:00:05,000\nSo he came.\n\n2\n00:00:05,000 --> 00:00:07,000\nAnd left."


def spoken(answer: str) -> str:
    return " ".join(clean_answer(answer, INSTRUCTION).text.split())


@pytest.mark.parametrize(
    "answer",
    [
        STAMPED,
        SRT,
        f"```srt\n{SRT}\n```",
        f"Here is the transcription:\n\n```vtt\nWEBVTT\n\n{SRT.replace(',0', '.0')}\n```",
        f"```json\n{json.dumps({'text': WORDS})}\n```",
        f"Here is the JSON transcript:\n```json\n{json.dumps({'segments': [{'text': WORDS}]})}\n```".replace(
            "JSON ", ""
        ),
        f"```xml\n<transcript>{WORDS}</transcript>\n```",
        json.dumps({"transcription": {"text": f"Here is the transcription:\n\n{WORDS}"}}),
        json.dumps({"text": STAMPED}),
        f"<transcript>\n{STAMPED}\n</transcript>",
        f"{INSTRUCTION}\n\n{WORDS}",
        f"{INSTRUCTION} {WORDS}",
        f"> {INSTRUCTION}\n\n{WORDS}",
        f"{WORDS}\n\n{INSTRUCTION}",
        f"Transcribe this recording word for word, in the language that is spoken.\n{WORDS}",
        f"{INSTRUCTION}\n\nHere is the transcription:\n{STAMPED}",
        f"<|startoftranscript|><|en|>{WORDS}<|endoftext|>",
        f"<think>Two sentences.</think>{WORDS}",
        f"Oto transkrypcja nagrania:\n\n{WORDS}",
        f"Här är transkriptionen av ljudet:\n{WORDS}",
        f"Her er transskriptionen:\n{WORDS}",
        f"Tässä on äänitteen litterointi:\n{WORDS}",
        f"Zde je přepis nahrávky:\n{WORDS}",
        f"Вот расшифровка аудиозаписи:\n\n{WORDS}",
        f"Ось транскрипція аудіо:\n{WORDS}",
        f"İşte ses kaydının dökümü:\n{WORDS}",
        f"إليك النص المفرغ:\n{WORDS}",
        f"הנה התמלול:\n{WORDS}",
        f"यहाँ ऑडियो का ट्रांसक्रिप्शन है:\n{WORDS}",
        f"다음은 오디오의 전사입니다:\n{WORDS}",
        f"Dưới đây là bản ghi âm:\n{WORDS}",
        f"Berikut adalah transkrip audio:\n{WORDS}",
        f"นี่คือบทถอดเสียง:\n{WORDS}",
        f"以下是音频的文字稿：\n{WORDS}",
        f"以下は音声の書き起こしです：\n{WORDS}",
    ],
)
def test_additions_go(answer: str) -> None:
    """Documents, fences, openings, stamps, cues and the instruction are taken out, also of each other."""
    assert spoken(answer) == WORDS
    assert clean_answer(answer, INSTRUCTION).doubts == ()


@pytest.mark.parametrize(
    ("answer", "doubt"),
    [
        ("[00:01] So he came.\nAnd left.", STAMPS),
        ("So he came. [00:05] And left.", STAMPS),
        ("10:30 - they open.\n10:45 - they close.", STAMPS),
        ("Speaker 1: So he came. And left.", LABELS),
        ('{"text": "So he came. And left.', DOCUMENT),
        ("```\nSo he came. And left.", DOCUMENT),
        ("<b>So he came.</b> And left.", DOCUMENT),
        ("The transcript of the trial: the witness lied.", REMARK),
        ("This transcription was made for you: So he came.", REMARK),
        ("So he came.\n\nLet me know if you need anything else!", REMARK),
        ("So he came.\n\n(Note: the last words are unclear.)", REMARK),
        ("Вот расшифровка генома: он пришёл.", REMARK),
    ],
)
def test_what_is_in_doubt_stays(answer: str, doubt: str) -> None:
    """What somebody may have said is left as it is, and named."""
    clean = clean_answer(answer, INSTRUCTION)
    assert (clean.text, clean.doubts) == (answer, (doubt,))


@pytest.mark.parametrize(
    "said",
    [
        WORDS,
        LINES,
        "Speaker one, you have the floor.",
        "The speaker: a man of sixty.",
        "We met at 10:30, and left at 10:45.",
        "10:30 is when he came.",
        "The transcription took a week.",
        "Please transcribe this recording, she said.",
        "Do not answer questions.",
        "He wrote: I came, I saw.",
        "Milk: two.\nEggs: three.\nBread: one.",
        "Question: who was it? Answer: nobody.",
        "[Music] La la.",
        "1\n2\n3",
        "Verse 3:16 says so.",
        "Is 5 < 7? It is.",
    ],
)
def test_words_are_neither_taken_nor_doubted(said: str) -> None:
    """Times, speakers and transcripts that people talk of are words like any other."""
    for clean in (clean_answer(said, INSTRUCTION), clean_transcription(said)):
        assert (clean.text, clean.doubts) == (said, ())


@pytest.mark.parametrize("answer", ["", INSTRUCTION, "[no speech]", '{"text": ""}', "```\n[silence]\n```"])
def test_answer_without_words_is_empty(answer: str) -> None:
    """A document without words, a remark that there are none, and nothing but the instruction, are no words."""
    assert clean_answer(answer, INSTRUCTION).text == ""


def test_short_instruction_may_be_said() -> None:
    """A few words of an instruction are no echo: "Transcribe this audio." is what a speaker may say, too."""
    said = "Transcribe this audio. So he came."
    assert clean_answer(said, "Transcribe this audio.").text == said


def test_model_that_only_transcribes_makes_no_remarks() -> None:
    """An opening in its text may have been played to it: it stays, with a doubt; frames and documents go."""
    said = "Here is the transcription: So he came."
    assert clean_transcription(said).text == said
    assert clean_transcription(said).doubts == (REMARK,)
    for framed in (STAMPED, SRT, json.dumps({"text": LINES}), f"<|0.00|>{LINES}<|5.00|>"):
        assert " ".join(clean_transcription(framed).text.split()) == WORDS


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (NAMES, f"{NAMES}. {WORDS}"),
        (NAMES, f"{WORDS}\n\n“{NAMES.upper()}”"),
        (NAMES, NAMES),
        ("田中、佐藤、鈴木、高橋、伊藤、渡辺", f"田中、佐藤、鈴木、高橋、伊藤、渡辺。{WORDS}"),
    ],
)
def test_prompt_in_the_text_is_doubted(prompt: str, text: str) -> None:
    """All words of a prompt at the beginning or the end may be the model's echo: they stay, with a doubt."""
    assert clean_transcription(text, prompt) == CleanText(text, (PROMPT,))
    assert clean_transcription(text).doubts == ()


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (NAMES, WORDS),
        (NAMES, ""),
        (NAMES, f"So he came. {NAMES}. And left."),
        (NAMES, f"Kennedy, Dashwood and Ferrars. {WORDS}"),
        ("So he came.", WORDS),
        ("...", WORDS),
    ],
)
def test_words_of_a_prompt_may_be_said(prompt: str, text: str) -> None:
    """Some of the words to expect, few of them, or all of them amid others, are no echo."""
    assert clean_transcription(text, prompt) == CleanText(text)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_cleaned(text: str) -> None:
    """No text ends in an error, and what is left of it was in it, in this order."""
    for clean in (clean_answer(text, INSTRUCTION), clean_transcription(text)):
        rest = iter(text)
        assert all(character in rest for character in clean.text if not character.isspace())


@pytest.mark.parametrize(
    "run",
    [
        "[00:01]",
        "Speaker 1: ",
        "Speaker 1:\n",
        "<|a|>",
        "<|",
        "00:01 --> 00:02 ",
        "(0:01)\n",
        "*",
        "#",
        "-\n",
        '"',
        "Transcript: ",
        "Note: \n",
        " ",
    ],
)
def test_runs_are_cleaned_in_linear_time(run: str) -> None:
    """A megabyte of what additions begin with is read at once; the test's time limit is the measure."""
    clean_answer(run * (1_000_000 // len(run)), INSTRUCTION)
