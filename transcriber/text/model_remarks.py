"""Removes a chat model's remarks around a transcript, and recognises its remarks that there is no speech.

Only remarks that are certain to be the model's are removed: in doubt the text stays, since a speaker may have said it.
"""
# ruff: noqa: RUF001 # colons, commas and quotes of many scripts are what this is about

import re
from functools import cache
from typing import Final

# The words of an opening, language by language: English, French, German, Spanish, Portuguese, Italian, Dutch.
_NOUNS: Final = (
    "transcript(?:ion)?|transcribed (?:text|audio|speech)",
    "transkript(?:ion)?",
    "transcripción|transcrição|trascrizione|transcriptie",
)
_ADJECTIVES: Final = (
    "full|complete|verbatim|exact|accurate|requested|audio|english|french|german|spanish|italian|dutch|portuguese",
    "complète|intégrale|exacte|textuelle|demandée",
    "vollständige|wörtliche|genaue",
    "completa|literal|exacta|integral|exata|integrale|esatta",
    "volledige|letterlijke",
)
_POLITE_WORDS: Final = (
    "sure(?: thing)?|certainly|of course|okay|ok|absolutely",
    "bien sûr|certainement|voilà",
    "natürlich|gerne|klar",
    "claro|por supuesto|com certeza|certo|certamente",
    "natuurlijk|uiteraard",
)
_PRESENTATIONS: Final = (
    "here(?: is|'s|’s)|below is|this is|the following is",
    "voici|ci-dessous",
    "hier ist|hier folgt|nachfolgend|das ist",
    "aquí (?:está|tienes?)|a continuación(?:,? se presenta)?|esta es",
    "aqui está|segue(?: abaixo)?|esta é",
    "ecco|di seguito|questa è",
    "hier is|hieronder (?:staat|volgt)|dit is",
)
_ARTICLES: Final = ("the|an?|your|la|le|une|l'|die|das|eine|der|el|una|lo|o|uma|de|het|een",)
# The object has to be the audio: "the transcript of the trial" may be a speaker's words.
_OBJECTS: Final = (
    "(?:of|for|from) (?:the|this|your) (?:(?:provided|attached) )?(?:audio(?: (?:file|recording|clip))?|recording)",
    "(?:de|du) ?(?:l['’]|cet |votre |la |ce )?(?:audio|enregistrement(?: audio)?|fichier audio)(?: fournie?)?",
    "(?:der|des|von|zur|ihrer) ?(?:der )?(?:audiodatei|aufnahme|audios|audioaufnahme)",
    "de(?:l| la| este| su) ?(?:audio|grabación|archivo de audio)",
    "d[oa] ?(?:áudio|gravação|arquivo de áudio)",
    "de(?:l|lla|ll['’]) ?(?:audio|registrazione|file audio)",
    "van (?:de|het) (?:audio|opname|audiobestand|geluidsopname|audio-opname)",
)
# Openings of further languages, as a whole: what they begin with, the transcript, and the audio.
_FURTHER_OPENINGS: Final = (
    "oto (?:pełna |dosłowna )?transkrypcja(?: (?:nagrania|audio|dźwięku|pliku audio))?",
    (
        "(?:här är|här följer|nedan följer) (?:en |den )?(?:ordagrann[ae] )?(?:transkription(?:en)?|transkriberingen)"
        "(?: av (?:ljudet|ljudfilen|inspelningen))?"
    ),
    (
        "(?:her er|her følger) (?:en |den )?(?:transskription(?:en)?|transkripsjon(?:en)?|udskrift(?:en)?)"
        "(?: av| af)?(?: (?:lyden|lydfilen|optagelsen|opptaket))?"
    ),
    "(?:tässä on|ohessa on) (?:äänitteen |äänen |tallenteen )?(?:litterointi|transkriptio)",
    "(?:zde je|tady je|následuje|tu je) (?:doslovný )?(?:přepis|prepis)(?: (?:nahrávky|zvuku|audia|audiozáznamu))?",
    (
        "(?:íme|itt (?:van|található)) (?:az? )?(?:hanganyag |hangfelvétel |felvétel |audio )?(?:szó szerinti )?"
        "(?:átirata?|leirata?)"
    ),
    "(?:iată|aceasta este) transcrierea(?: (?:audio|înregistrării|fișierului audio))?",
    "işte (?:ses kaydının |sesin |kaydın )?(?:dökümü|transkripti|transkripsiyonu|yazıya dökümü)",
    (
        "(?:вот|ниже (?:приведена|представлена)|это) (?:полная |дословная )?(?:расшифровка|транскрипция|транскрибация)"
        "(?: (?:аудио|аудиозаписи|записи|аудиофайла))?"
    ),
    "(?:ось|нижче наведено) (?:повна |дослівна )?(?:транскрипці[яю]|розшифровк[ау])(?: (?:аудіо|аудіозапису|запису))?",
    "(?:ακολουθεί|εδώ είναι|αυτή είναι) η (?:μεταγραφή|απομαγνητοφώνηση)(?: (?:του ήχου|της ηχογράφησης))?",
    "(?:إليك|هذا هو|فيما يلي|هذا) (?:نص |النص )?(?:ال)?(?:تفريغ|مفرغ|تسجيل|نسخ)(?: (?:ال)?(?:صوتي|نصي|تسجيل))*",
    "(?:הנה|להלן) (?:ה)?תמלול(?: (?:של )?(?:ה)?(?:הקלטה|אודיו|שמע))?",
    (
        "(?:यहाँ|यहां|यह|नीचे) (?:ऑडियो का |रिकॉर्डिंग का )?(?:पूरा )?(?:ट्रांसक्रिप्शन|ट्रांसक्रिप्ट|प्रतिलेखन|प्रतिलेख)"
        "(?: दिया गया)?(?: है)?"
    ),
    "(?:다음은|아래는|여기) (?:오디오의? |녹음의? |음성의? )?(?:전사|전사본|전사 내용|녹취록|받아쓰기)(?:입니다)?",
    "(?:đây là|dưới đây là) (?:bản )?(?:ghi âm|chép lời|phiên âm|ghi chép)(?: (?:của|từ) (?:âm thanh|bản ghi âm))?",
    "berikut (?:ini )?(?:adalah )?(?:hasil )?transkrip(?:si)?(?: (?:dari )?(?:audio|rekaman))?(?: (?:ini|tersebut))?",
    "(?:นี่คือ|ต่อไปนี้คือ)(?:บท|ข้อความ)?(?:ที่)?(?:ถอดเสียง|ถอดความ)(?:จากเสียง|จากไฟล์เสียง)?",
)
# What a transcript is called, wherever it is spoken of.
_MENTIONS: Final = (
    "transcri|transkri|trascri|transkry|transskri|litteroi|přepis|prepis|átirat|dökümü|расшифров|транскри|розшифров"
    "|μεταγραφ|απομαγνητοφ|تفريغ|תמלול|प्रतिलेख|ट्रांसक्रि|전사|녹취|转录|轉錄|转写|轉寫|逐字稿|文字稿|文字起こし|書き起こし|ถอดเสียง"
)
# A model's closing words.
_CLOSINGS: Final = (
    "(?:please )?let me know if|(?:please )?feel free to|if you (?:need|would like|have any|want)|would you like me",
    "is there anything else|i hope this helps",
    "n['’]hésitez pas|si vous (?:avez besoin|souhaitez)|souhaitez-vous",
    "lassen sie mich wissen|lass mich wissen|wenn (?:sie|du) (?:weitere|noch)|möchten sie",
    "si necesitas?|avísame|¿(?:quieres|desea)|se precisar|se hai bisogno|fammi sapere",
    "laat (?:het )?me weten|als je (?:nog|verder)",
)
# In brackets, as a model marks sounds: here for the whole answer.
_SILENCES: Final = (
    "no (?:audible |discernible )?(?:speech|audio|sound|words)(?: detected)?|no_speech|silence|silent|blank[_ ]audio",
    "aucune parole|pas de parole|keine sprache|stille|sin voz|silencio|silenzio|silêncio|sem fala|stilte",
    "無音|无声|静音",
)
_AUDIO: Final = "(?:the|this) (?:audio(?: file| clip| recording)?|recording|file|clip|segment)"
_SPEECH: Final = "(?:(?:audible|discernible|spoken|intelligible|human) )*(?:speech|words|voices?|dialogue|content)"
# As a sentence about the audio, which is nothing that a speaker says of the recording that he is in.
_REMARKS: Final = (
    f"{_AUDIO} (?:is|appears to be|seems to be) (?:completely |entirely )?(?:silent|empty|blank)",
    f"{_AUDIO} (?:contains no|has no|does(?: not|n['’]t) (?:contain|have) any) {_SPEECH}",
    f"there (?:is|are|was|were) no {_SPEECH}(?: detected)? in {_AUDIO}",
    f"no {_SPEECH} (?:was |were )?(?:detected|found|recognized)(?: in {_AUDIO})?",
    "aucune parole (?:n['’]a été )?détectée(?: dans (?:l['’]audio|l['’]enregistrement))?",
    "l['’](?:audio|enregistrement) (?:est silencieux|ne contient (?:aucune|pas de) parole)",
    "(?:die aufnahme|das audio) (?:ist (?:still|stumm)|enthält keine (?:gesprochene )?sprache)",
    "keine sprache (?:erkannt|gefunden)",
    "(?:el audio|la grabación) (?:está en silencio|no contiene (?:habla|voz|palabras))",
    "o áudio (?:está em silêncio|não contém fala)",
    "l['’]audio (?:è silenzioso|non contiene parole)",
)

# Not the single ones: they are apostrophes too.
_QUOTES: Final = (('"', '"'), ("“", "”"), ("„", "“"), ("„", "”"), ("«", "»"), ("»", "«"), ("「", "」"), ("『", "』"))
_FENCE = re.compile(
    r"```(?:text|txt|plaintext|plain|markdown|md|transcript|json5?|xml|html|srt|(?:web)?vtt|subrip)?[ \t]*\n"
    r"(.*)\n[ \t]*```",
    re.DOTALL | re.IGNORECASE,
)
_RULE = re.compile(r"-{3,}")

# A sentence, and a heading under it: no model opens with more.
MAX_OPENINGS = 2
# An opening is a short line at the top; a longer first line is speech.
MAX_OPENING_CHARACTERS = 200
# A longer last line is speech.
MAX_CLOSING_CHARACTERS = 300


def strip_model_remarks(text: str) -> str:
    """`text` without the opening, closing, quotes and code fence that are certain to be the model's, stripped.

    A closing is removed only where there was an opening. If nothing would be left, nothing is removed.
    """
    whole = text.strip()
    text = _unfence(whole)
    opened = _without_openings(text)
    if opened != text:
        opened = _without_last_line(opened, _closings())
        opened = _unfence(_without_last_line(_without_first_line(opened, _RULE), _RULE))
    return _unquote(opened) or whole


def is_no_speech_remark(text: str) -> bool:
    """Whether `text` is blank, or nothing but a model's remark that there is no speech."""
    text = text.strip()
    return not text or bool(_remarks().fullmatch(_unquote(text)))


def may_be_remark(text: str) -> bool:
    """Whether `text` begins or ends with what may be a remark of the model's, and may as well have been said."""
    head = text[:MAX_OPENING_CHARACTERS].partition("\n")[0]
    opening, colon, _ = head.replace("：", ":").partition(":")
    if (colon or head.startswith(("#", "**"))) and _mentions().search(opening):
        return True
    rest, line_end, last = text.rpartition("\n")
    is_short = len(last) <= MAX_CLOSING_CHARACTERS
    return bool(line_end and rest and is_short and (_closings().fullmatch(last) or _notes().match(last)))


def _without_openings(text: str) -> str:
    for _ in range(MAX_OPENINGS):
        match = _openings().match(text, 0, MAX_OPENING_CHARACTERS)
        if match is None or match.end() == len(text):
            break
        text = text[match.end() :].lstrip()
    return text


def _without_first_line(text: str, pattern: re.Pattern[str]) -> str:
    first, line_end, rest = text.partition("\n")
    return rest.lstrip() if line_end and pattern.fullmatch(first.strip()) else text


def _without_last_line(text: str, pattern: re.Pattern[str]) -> str:
    rest, line_end, last = text.rpartition("\n")
    return rest.rstrip() if line_end and pattern.fullmatch(last.strip()) else text


def _unfence(text: str) -> str:
    """`text` without the one code fence that is around all of it."""
    match = _FENCE.fullmatch(text)
    return match[1].strip() if match and "```" not in match[1] else text


def _unquote(text: str) -> str:
    """`text` without the one pair of quotes that is around all of it, if none of the kind stands within."""
    inner = text[1:-1]
    for opening, closing in _QUOTES:
        if text.startswith(opening) and text.endswith(closing) and opening not in inner and closing not in inner:
            return inner.strip()
    return text


def _any(*alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives)})"


# The patterns are compiled when the first text is there: a cold start does not wait for them.


@cache
def _openings() -> re.Pattern[str]:
    adjective = _any(*_ADJECTIVES)
    label = rf"(?:{adjective} ){{0,2}}{_any(*_NOUNS)}(?: {adjective}){{0,2}}(?: {_any(*_OBJECTS)})?"
    sentence = (
        rf"(?:{_any(*_POLITE_WORDS)} ?[,.!]+\s+)?"
        rf"{_any(*_PRESENTATIONS)} (?:{_any(*_ARTICLES)} ?)?{label}(?: in [a-z]+)?"
        r"|(?:以下是|这是|這是|以下は|こちらは|こちらが)[^。，：:\n]{0,12}"
        r"(?:转录|轉錄|转写|轉寫|逐字稿|文字稿|文字起こし|書き起こし)(?:内容|內容|文本|结果|結果|です|になります)?"
        rf"|{_any(*_FURTHER_OPENINGS)}"
    )
    # A sentence ends in a colon, or stands alone on its line; a label is a heading, bold, or ends in a colon.
    colon, line_end = r" ?[:：]", r"[ \t]*\n"
    return re.compile(
        rf"\**(?:{sentence})\**(?:{colon}|[.。]?{line_end})\**\s*"
        rf"|#{{1,6}} +\**{label}\**(?:{colon})?\**{line_end}\s*"
        rf"|\*\*{label}(?:{colon}\*\*|\*\*{colon}|\*\*{line_end})\s*"
        rf"|{label}{colon}\s*",
        re.IGNORECASE,
    )


@cache
def _closings() -> re.Pattern[str]:
    return re.compile(rf"{_any(*_CLOSINGS)}.*", re.IGNORECASE)


@cache
def _remarks() -> re.Pattern[str]:
    return re.compile(rf"[\[(*<]+ ?{_any(*_SILENCES)}\.? ?[\])*>]+\.?|{_any(*_REMARKS)}[.!]?", re.IGNORECASE)


@cache
def _mentions() -> re.Pattern[str]:
    return re.compile(_MENTIONS, re.IGNORECASE)


@cache
def _notes() -> re.Pattern[str]:
    """The beginning of a note under a transcript."""
    return re.compile(
        r"[\[(*_]{0,3}(?:note|hinweis|anmerkung|remarque|nota|opmerking|注|備考)[*_]{0,3} ?[:：]", re.IGNORECASE
    )
