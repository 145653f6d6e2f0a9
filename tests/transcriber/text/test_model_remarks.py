"""Wrapping: what is certain to be a model's goes, and what somebody may have said stays."""
# ruff: noqa: RUF001 # marks of many scripts are what this is about

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.text.model_remarks import is_no_speech_remark, strip_model_remarks

WORDS = "And so, my fellow Americans, ask not."


@pytest.mark.parametrize(
    "wrapped",
    [
        "Here is the transcript: {}",
        "Here is the transcription:\n\n{}",
        "Here's the transcription of the audio:\n{}",
        "Here’s the full transcript of the recording:\n\n{}",
        "Here is a verbatim transcription of the provided audio file:\n\n{}",
        "Here is the transcribed text: {}",
        "Here is the audio transcription in English:\n{}",
        "Sure! Here is the transcript:\n\n{}",
        "Certainly!\n\nBelow is the transcription:\n\n{}",
        "The following is the transcript of the audio.\n{}",
        "Voici la transcription : {}",
        "Bien sûr ! Voici la transcription complète de l'audio :\n\n{}",
        "Hier ist die Transkription der Audiodatei:\n\n{}",
        "Natürlich! Hier ist das Transkript:\n{}",
        "Aquí está la transcripción del audio:\n\n{}",
        "Aqui está a transcrição do áudio:\n{}",
        "Ecco la trascrizione dell'audio: {}",
        "Hier is de transcriptie van de audio:\n{}",
        "以下是音频的转录内容：{}",
        "以下は音声の文字起こしです。\n\n{}",
        "# Transcript\n\n{}",
        "### **Transcription:**\n{}",
        "**Transcription:**\n\n{}",
        "**Transcript**: {}",
        "**Transcript**\n{}",
        "Transcript: {}",
        "Transkription: {}",
        "Audio transcription:\n{}",
        "Here is the transcription:\n\n## Transcript\n\n{}",
        '"{}"',
        "“{}”",
        "« {} »",
        "„{}“",
        "「{}」",
        "```\n{}\n```",
        "```text\n{}\n```",
        '```\n"{}"\n```',
        'Here is the transcript:\n\n"{}"',
        "Here is the transcript:\n```\n{}\n```",
        "Here is the transcript:\n\n---\n\n{}\n\n---",
        "Here is the transcript:\n\n{}\n\nLet me know if you need anything else!",
        'Sure, here is the transcript:\n\n"{}"\n\nIf you would like a translation, just ask.',
        "Voici la transcription :\n\n{}\n\nN'hésitez pas à me demander autre chose.",
        "  {}\n",
    ],
)
def test_wrapping_goes(wrapped: str) -> None:
    """Openings, headings, quotes, fences and closings are taken off, and the words are untouched."""
    assert strip_model_remarks(wrapped.format(WORDS)) == WORDS


@pytest.mark.parametrize(
    "said",
    [
        "Here is the transcript of the trial, she said.",
        "Here is the transcript of the trial: the witness lied.",
        "Here is the transcript, said the clerk, and sat down.",
        "Here is what I mean: ask not.",
        "The transcript of the call: nobody knew of it.",
        "This is the transcript",
        "Here is the transcript:",
        "Voici la transcription du procès : le témoin ment.",
        "Transcripts are long.\nAnd dull.",
        "Sure! Here is my answer: no.",
        "Let me know if you can come.",
        "We met at noon.\n\nLet me know if you need anything else!",
        '"Yes," she said, "and no."',
        '"Yes," she said.',
        "“One” and “two”",
        "'Tis the dogs'",
        '"',
        '""',
        "```",
        "```\nfoo\n``` and ```\nbar\n```",
        "# 1 is what we are",
        "---",
    ],
)
def test_speech_stays(said: str) -> None:
    """What somebody may have said is left as it is."""
    assert strip_model_remarks(said) == said


@given(st.text())
def test_never_leaves_nothing(text: str) -> None:
    """A text with something in it has something in it afterwards, and all of that was in it before."""
    assert bool(strip_model_remarks(text)) == bool(text.strip())
    assert strip_model_remarks(text) in text


@pytest.mark.parametrize(
    "remark",
    [
        "",
        " \n",
        "[no speech]",
        "[No speech detected]",
        "(silence)",
        "[silence].",
        "*silence*",
        "[BLANK_AUDIO]",
        "<silence>",
        "The audio is silent.",
        "The audio file appears to be completely silent.",
        "This recording contains no speech.",
        "The audio does not contain any spoken words.",
        "There is no speech in the audio.",
        "No speech detected.",
        '"No speech was detected in the audio."',
        "L'enregistrement ne contient aucune parole.",
        "Die Aufnahme enthält keine Sprache.",
        "[静音]",
    ],
)
def test_knows_remarks_that_nothing_was_said(remark: str) -> None:
    """A remark about the whole audio is no transcript."""
    assert is_no_speech_remark(remark)


@pytest.mark.parametrize(
    "said",
    [
        "Silence.",
        "Silence!",
        "He was silent.",
        "There is no speech.",
        "No words.",
        "[Music]",
        "[inaudible]",
        "(silence) And then she spoke.",
        "The audio is silent. Or is it?",
        "The audio contains no speech by the president.",
    ],
)
def test_speech_about_silence_is_speech(said: str) -> None:
    """Text that may have been spoken, or that describes more than silence, is kept."""
    assert not is_no_speech_remark(said)
