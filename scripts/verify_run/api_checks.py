"""Checks of the Generative APIs: the key, the models, and what each of them can do, by a sample of seconds."""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from transcriber.settings import ApiKind
from verify_run.finding import Finding, failed, ok, quoted, skipped, warned
from verify_run.run import Run
from verify_run.web import Web, WebAnswer

_NEW_KEY: Final = (
    "Make an API key whose application has GenerativeApisModelAccess for the project (console: IAM, API keys), and set "
    "its secret key as GENERATIVE_API_KEY."
)
_NEW_ADDRESS: Final = "Set GENERATIVE_API_URL, such as https://api.scaleway.ai/v1, with its /v1."
# A transcription's answers: the formats that the function uses, and what shows that prompts do no harm.
PROMPT: Final = "Americans, country"
# With a prompt, some servers return the last window alone.
LEAST_SHARE_WITH_PROMPT: Final = 0.5
MAX_MODELS_NAMED: Final = 8
_BUDGET: Final = re.compile(r"budget|credit|billing|payment|spend", re.IGNORECASE)
_MISSING: Final = re.compile(r"model.{0,80}(not (?:exist|found|available)|unknown|does not)", re.IGNORECASE | re.DOTALL)


@dataclass
class ApiFacts:
    """What the checks learn for others: the clock's difference, and the figures of the quota."""

    skew: float | None = None
    quota: Mapping[str, str] | None = None


def check_api(run: Run, web: Web, facts: ApiFacts) -> Iterator[Finding]:
    """The key, each model of MODELS, and what it can do."""
    settings = run.settings
    answer = web.send("GET", f"{settings.api_url}/models", timeout_seconds=10)
    facts.skew = run.skew(answer.date)
    finding = _key_finding(answer, urlsplit(settings.api_url).hostname or "")
    yield finding
    if (
        answer.status in {0, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}
        or answer.status >= HTTPStatus.MULTIPLE_CHOICES
    ):
        return
    listed = {str(each.get("id")) for each in answer.fields.get("data") or [] if isinstance(each, dict)}
    there = [model for model in settings.models if model in listed]
    for model in settings.models:
        if model not in listed:
            yield _missing(run, model, listed, there)
        elif not run.is_paying:
            yield ok(model, "is there; what it can do was not tried (--free)")
        else:
            yield from _abilities(run, web, model, facts)
    yield from _quota(facts)


def _key_finding(answer: WebAnswer, host: str) -> Finding:
    said = quoted(answer.message)
    match answer.status:
        case HTTPStatus.OK:
            return ok("API key", f"is taken by {host}")
        case 0:
            return failed("API key", f"GENERATIVE_API_URL cannot be reached: {answer.text}.", _NEW_ADDRESS)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return failed("API key", f"GENERATIVE_API_KEY is wrong, or has no right: {answer.status}, {said}", _NEW_KEY)
        case HTTPStatus.NOT_FOUND:
            return failed("API key", f"GENERATIVE_API_URL has no list of models: {answer.status}, {said}", _NEW_ADDRESS)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return _no_quota("API key", answer)
        case status if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return failed("API key", f"GENERATIVE_API_URL redirects ({status}).", _NEW_ADDRESS)
        case status:
            cure = "Run this again in some minutes; if it stays, look at Scaleway's status page."
            return failed("API key", f"The API answered {status}: {said}", cure)


def _missing(run: Run, model: str, listed: set[str], there: list[str]) -> Finding:
    usable = sorted(each for each in listed if run.settings.api_kind(each) is not None)
    known = f"there are {', '.join(usable[:MAX_MODELS_NAMED])}" if usable else "the API lists no model that transcribes"
    left = ",".join(there or usable[:1])
    cure = f"Set MODELS={left}" if left else "Choose another GENERATIVE_API_URL"
    cause = f"MODELS names {model}, and the API has no such model; {known}."
    cure += ", or the name that the console shows for your deployment."
    if there and there[0] == run.settings.models[0]:
        # Requests go to the first one that is there.
        return warned(model, f"{cause} Only the fallback is missing.", cure)
    return failed(model, cause, cure)


def _abilities(run: Run, web: Web, model: str, facts: ApiFacts) -> Iterator[Finding]:
    """What a model can do: a call with the sample for each ability."""
    if run.settings.api_kind(model) is ApiKind.CHAT:
        answer = _chat(run, web, model)
        _note(answer, facts)
        yield _refusal(model, answer) or ok(
            model, "transcribes; a chat model: no times, and its prompt is an instruction"
        )
        return
    timed = _transcribe(run, web, model, response_format="verbose_json")
    plain = timed
    if not _text(timed):
        if refusal := _refusal(model, timed, is_format=True):
            _note(timed, facts)
            yield refusal
            return
        plain = _transcribe(run, web, model, response_format="json")
    _note(plain, facts)
    if refusal := _refusal(model, plain):
        yield refusal
        return
    prompted = _transcribe(run, web, model, response_format="json", prompt=PROMPT)
    text = _transcribe(run, web, model, response_format="text")
    words = len(_text(plain).split())
    has_prompt = len(_text(prompted).split()) >= words * LEAST_SHARE_WITH_PROMPT
    has_times = bool(timed.fields.get("segments"))
    formats = [
        name
        for name, has in (("json", True), ("verbose_json", bool(_text(timed))), ("text", text.status == HTTPStatus.OK))
        if has
    ]
    abilities = [
        "times of segments" if has_times else "no times (they are estimated)",
        "prompts" if has_prompt else "no prompts",
        f"formats {', '.join(formats)}",
    ]
    found = f"transcribes {words} words of the sample in {plain.seconds:.1f} s; {'; '.join(abilities)}"
    if prompted.status == HTTPStatus.OK and not has_prompt and words:
        yield warned(model, found, "It loses words with a prompt; the function leaves prompts out once it notices.")
    else:
        yield ok(model, found)


def sample_calls(run: Run) -> list[tuple[str, int]]:
    """The calls that `check_api` makes at most, by model."""
    kinds = {model: run.settings.api_kind(model) for model in run.settings.models}
    return [(model, 1 if kind is ApiKind.CHAT else 4) for model, kind in kinds.items()]


def _transcribe(run: Run, web: Web, model: str, **fields: str) -> WebAnswer:
    return web.send(
        "POST",
        f"{run.settings.api_url}/audio/transcriptions",
        data={"model": model, "temperature": "0", **fields},
        files={"file": ("audio.mp3", run.sample, "audio/mpeg")},
    )


def _chat(run: Run, web: Web, model: str) -> WebAnswer:
    audio = {"data": base64.b64encode(run.sample).decode(), "format": "mp3"}
    content = [
        {"type": "input_audio", "input_audio": audio},
        {"type": "text", "text": "Transcribe this audio word for word. Write the words and nothing else."},
    ]
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "temperature": 0,
        "max_tokens": 200,
    }
    return web.send("POST", f"{run.settings.api_url}/chat/completions", json_body=body)


def _text(answer: WebAnswer) -> str:
    return str(answer.fields.get("text") or "") if answer.status == HTTPStatus.OK else ""


def _refusal(model: str, answer: WebAnswer, *, is_format: bool = False) -> Finding | None:
    """The failure that an answer is; None for a success, or with `is_format` for a format that the model may lack."""
    said = quoted(answer.message)
    match answer.status:
        case HTTPStatus.OK:
            return None
        case HTTPStatus.TOO_MANY_REQUESTS:
            return _no_quota(model, answer)
        case status if status == HTTPStatus.PAYMENT_REQUIRED or (
            status == HTTPStatus.FORBIDDEN and _BUDGET.search(answer.text)
        ):
            cure = "Raise the budget, or add a payment method (console: Organization, Billing)."
            return failed(model, f"The account's budget is used up: {said}", cure)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return failed(model, f"GENERATIVE_API_KEY may not call it: {answer.status}, {said}", _NEW_KEY)
        case HTTPStatus.NOT_FOUND | HTTPStatus.UNPROCESSABLE_ENTITY if _MISSING.search(answer.text):
            cure = "Take it out of MODELS, or name the model as the console shows it."
            return failed(model, f"It is listed, and the API does not have it: {said}", cure)
        case HTTPStatus.BAD_REQUEST | HTTPStatus.UNPROCESSABLE_ENTITY if is_format:
            return None
        case HTTPStatus.BAD_REQUEST | HTTPStatus.UNPROCESSABLE_ENTITY:
            cure = "Name in MODEL_APIS which API it speaks (MODEL_APIS=name=chat), or take it out of MODELS."
            return failed(model, f"It does not take the sample: {answer.status}, {said}", cure)
        case 0:
            return failed(model, f"The API did not answer the sample: {answer.text}.", "Run this again.")
        case status:
            return failed(model, f"The API answered {status}: {said}", "Run this again in some minutes.")


def _no_quota(check: str, answer: WebAnswer) -> Finding:
    stated = "; ".join(f"{name} {value}" for name, value in _quota_headers(answer).items())
    cause = f"The account's quota refuses a call: {quoted(answer.message)}"
    cure = (
        "Validate the payment method and the identity of the Organization, and look at its quotas (console: "
        "Organization, Quotas); if other work runs now, run this again after a minute."
    )
    return failed(check, f"{cause} ({stated or 'no figures stated'})", cure)


def _note(answer: WebAnswer, facts: ApiFacts) -> None:
    headers = _quota_headers(answer)
    if facts.quota is None or headers:
        facts.quota = headers


def _quota_headers(answer: WebAnswer) -> dict[str, str]:
    names = [name for name in answer.headers if name.startswith("x-ratelimit-") or name == "retry-after"]
    return {name.removeprefix("x-ratelimit-"): quoted(answer.headers[name]) for name in sorted(names)}


def _quota(facts: ApiFacts) -> Iterator[Finding]:
    if facts.quota is None:
        return
    if not facts.quota:
        yield skipped("quota", "the API states no figures; the console has them (Organization, Quotas)")
        return
    stated = ", ".join(f"{name} {value}" for name, value in facts.quota.items())
    if any(name.startswith("limit-") and value.strip() == "0" for name, value in facts.quota.items()):
        cure = "Validate the payment method and the identity of the Organization, or ask the support for a quota."
        yield failed("quota", f"The account has a quota of nothing: {stated}.", cure)
    else:
        yield ok("quota", stated)
