"""What the name of an object says about it: hardly anything, since people call recordings anything."""

from typing import Final

# With one of these endings, an object is read as a recording from the start.
AUDIO_ENDINGS: Final = frozenset(
    (
        *("3g2", "3ga", "3gp", "3gpp", "aac", "ac3", "aif", "aifc", "aiff", "amr", "asf", "au", "avi", "awb", "caf"),
        *("eac3", "f4v", "flac", "flv", "m2ts", "m4a", "m4b", "m4r", "m4v", "mka", "mkv", "mov", "mp2", "mp3", "mp4"),
        *("mpeg", "mpg", "mpga", "mts", "oga", "ogg", "ogv", "opus", "qta", "spx", "ts", "vob", "w64", "wav", "wave"),
        *("weba", "webm", "wma", "wmv", "wv"),
    )
)
# With one of these, it is surely something else, as lies beside recordings, and is left unread. Every other one is
# looked at by its first bytes.
OTHER_ENDINGS: Final = frozenset(
    (
        *("ass", "avif", "bmp", "bz2", "c", "cfg", "conf", "css", "csv", "cue", "db", "dll", "doc", "docx", "eml"),
        *("eps", "epub", "exe", "gif", "go", "gz", "heic", "heif", "htm", "html", "ico", "ics", "ini", "ipynb", "jar"),
        *("java", "jpeg", "jpg", "js", "json", "jsonl", "key", "lnk", "log", "lrc", "lua", "m3u", "m3u8", "md", "mid"),
        *("midi", "nfo", "numbers", "odp", "ods", "odt", "otf", "pages", "pdf", "php", "pkf", "pls", "png", "ppt"),
        *("pptx", "ps1", "psd", "py", "rar", "rb", "reapeaks", "rs", "rtf", "sbv", "sh", "sql", "sqlite", "srt", "ssa"),
        *("sub", "svg", "tar", "tex", "tgz", "tif", "tiff", "toml", "torrent", "tsv", "ttf", "ttml", "txt"),
        *("url", "vcf", "vsdx", "vtt", "webloc", "webp", "woff", "woff2", "xls", "xlsx", "xml", "xz", "yaml", "yml"),
        *("7z", "zip", "zst"),
    )
)
# Files that systems leave in folders.
_LEFT_BEHIND: Final = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


def may_be_audio(key: str) -> bool:
    """Whether an object with this key is read at all: folders, and what surely is something else, are not."""
    name = key.rpartition("/")[2].lower()
    return bool(name) and name not in _LEFT_BEHIND and _ending(name) not in OTHER_ENDINGS


def ends_like_audio(key: str) -> bool:
    """Whether an object with this key is a recording in all likelihood."""
    return _ending(key.rpartition("/")[2].lower()) in AUDIO_ENDINGS


def _ending(name: str) -> str:
    stem, _, ending = name.rpartition(".")
    return ending if stem else ""
