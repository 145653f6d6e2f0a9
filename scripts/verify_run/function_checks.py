"""Checks of a deployed function without queue and storage: it answers, lets in whom it should, and transcribes."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from transcriber import __version__
from verify_run.finding import Finding, failed, ok, quoted, skipped, warned
from verify_run.function import REFUSED, WRONG_TOKEN, Function, inline
from verify_run.run import Run
from verify_run.web import WebAnswer

# The platform's limit of a request.
MAX_REQUEST_BYTES: Final = 6 * 1024 * 1024
# A first answer that takes longer than the second one by this was a cold start.
COLD_START_SECONDS: Final = 0.5
TEST_EVENT: Final = {"Event": "s3:TestEvent", "Service": "scripts/verify"}
LOG_CURE: Final = "Read the function's log (console: the function, Logs; or Cockpit) at this time."
_CALLER_CURE: Final = (
    "Private function: --auth-token (or AUTH_TOKEN) with the secret key of an API key that has FunctionsPrivateAccess. "
    "ACCESS_TOKEN: --token."
)


@dataclass
class FunctionFacts:
    """What the checks learn for others."""

    answers: bool = False
    skew: float | None = None
    time_limit_seconds: float | None = None
    model: str = ""
    lets_triggers_in: bool | None = None
    needs_access_token: bool = False


def check_answers(run: Run, function: Function, facts: FunctionFacts) -> Iterator[Finding]:
    """Whether it is there, and how long its start takes."""
    first = function.get()
    facts.skew = run.skew(first.date)
    if first.status != HTTPStatus.OK or first.fields.get("status") != "ok":
        yield _no_answer(first)
        return
    facts.answers = True
    facts.time_limit_seconds = (first.fields.get("limits") or {}).get("time_limit_seconds")
    models = first.fields.get("models") or [""]
    facts.model = str(models[0])
    version = str(first.fields.get("version"))
    text = f"version {version}, models {', '.join(map(str, models))}"
    if version == __version__:
        yield ok("answers", text)
    else:
        yield warned("answers", f"{text}; this folder has version {__version__}", "Deploy it: scripts/deploy.")
    second = function.get()
    start = first.seconds - second.seconds
    if start > COLD_START_SECONDS:
        yield ok(
            "cold start",
            f"{start:.1f} s: the first answer took {first.seconds:.1f} s, the second {second.seconds:.2f} s",
        )
    else:
        yield ok("cold start", f"none: it was warm, and answers in {second.seconds:.2f} s (it sleeps after 15 minutes)")


def _no_answer(answer: WebAnswer) -> Finding:
    said = quoted(answer.message)
    match answer.status:
        case 0:
            cure = "Compare the address with the console's (the function, Overview), or run scripts/deploy."
            return failed("answers", f"Nothing answers: {answer.text}.", cure)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return failed("answers", f"The token is refused ({answer.status}): {said}", _CALLER_CURE)
        case HTTPStatus.NOT_FOUND:
            cure = "Compare the address with the console's; the function may have been removed."
            return failed("answers", "There is no function at this address (404).", cure)
        case HTTPStatus.INTERNAL_SERVER_ERROR if answer.error.get("code") == "wrong_setting":
            variable = answer.error.get("param")
            return failed("answers", said, f"Set {variable} in the environment, and run scripts/deploy.")
        case HTTPStatus.INTERNAL_SERVER_ERROR:
            cure = f"Build and deploy it anew: scripts/deploy. {LOG_CURE}"
            return failed("answers", f"The function fails (500): {said}", cure)
        case HTTPStatus.OK:
            return failed(
                "answers", "Something else answers at this address.", "Name the address of the function itself."
            )
        case status if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return failed("answers", f"The address redirects ({status}).", "Name it with https://.")
        case status:
            return failed("answers", f"It answered {status}: {said}", LOG_CURE)


def check_tokens(run: Run, function: Function, facts: FunctionFacts) -> Iterator[Finding]:
    """Whether a wrong token is refused, and whether triggers are let in."""
    wrong = {"Authorization": f"Bearer {WRONG_TOKEN}", "X-Auth-Token": WRONG_TOKEN}
    answer = function.post({}, headers=wrong)
    if answer.status in REFUSED:
        by = "the function" if answer.status == HTTPStatus.UNAUTHORIZED else "the platform"
        yield ok("wrong token", f"is refused by {by} ({answer.status})")
    else:
        yield failed(
            "wrong token",
            f"A request with a wrong token is let in ({answer.status}): everybody can transcribe on your bill.",
            'Set privacy: "private" in serverless.yml, or ACCESS_TOKEN, and run scripts/deploy.',
        )
    event = function.post(TEST_EVENT, headers=function.tokens())
    facts.lets_triggers_in = event.status not in REFUSED
    facts.needs_access_token = event.status == HTTPStatus.UNAUTHORIZED
    if event.status == HTTPStatus.FORBIDDEN:
        return  # the platform's: no trigger comes by here
    if event.status != HTTPStatus.UNAUTHORIZED:
        yield ok("triggers", f"are let in ({event.status})")
    elif run.settings.queue_url or run.bucket:
        yield failed(
            "triggers",
            "ACCESS_TOKEN is set, and the function refuses events without it (401): uploads and schedules are lost.",
            'Unset ACCESS_TOKEN, set privacy: "private" in serverless.yml, and run scripts/deploy: the platform lets '
            "triggers in.",
        )
    else:
        yield skipped("triggers", "ACCESS_TOKEN keeps them out; that is right where there are none")


def check_limit(function: Function) -> Iterator[Finding]:
    """Whether a request over the platform's limit is refused before it reaches the function."""
    headers = {**function.tokens(), "Content-Type": "text/plain"}
    answer = function.web.send("POST", function.address(""), data=b"A" * (MAX_REQUEST_BYTES + 4), headers=headers)
    if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        yield ok("6 MiB", "a larger request is refused (413)")
    elif answer.status == 0:
        yield skipped("6 MiB", f"the request did not get through: {answer.text}")
    else:
        cure = "Nothing to do on Scaleway; elsewhere, check what stands in front of the function."
        yield warned("6 MiB", f"A request over the platform's limit is answered {answer.status}, not 413.", cure)


def check_inline(run: Run, function: Function) -> Iterator[Finding]:
    """A transcript of the sample, sent in the request."""
    answer = function.post(inline(run.sample))
    yield transcript_finding("inline", answer)


def transcript_finding(check: str, answer: WebAnswer) -> Finding:
    """What an answer with a transcript says."""
    text = answer.fields.get("text")
    if answer.status == HTTPStatus.OK and isinstance(text, str) and text.strip():
        words = text.split()
        beginning = " ".join(words[:4])
        model = answer.fields.get("model")
        return ok(check, f"{len(words)} words in {answer.seconds:.1f} s by {model}: “{quoted(beginning)} …”")
    if answer.status == HTTPStatus.OK:
        cure = "Send another recording (--audio FILE); if it stays empty, check the model: scripts/verify, without URL."
        return failed(check, "The sample has words, and its transcript has none.", cure)
    said = quoted(answer.message)
    if answer.status == 0:
        return failed(check, f"No transcript: {answer.text}.", LOG_CURE)
    if answer.error.get("code") == "wrong_setting":
        cure = f"Set {answer.error.get('param')} in the environment, and run scripts/deploy."
        return failed(check, said, cure)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        cure = "Wait a minute; scripts/verify, without URL, shows the account's quota."
        return failed(check, f"The account's quota refuses it (429): {said}", cure)
    if answer.error.get("code") in {"model_not_found", "budget_exhausted", "account_refused"}:
        return failed(check, said, "scripts/verify, without URL, says what is wrong with the model or the account.")
    return failed(check, f"No transcript: {answer.status}, {said}", LOG_CURE)
