"""Answers a request with `dry_run`: what the recording would cost. Nothing is sent to the API or stored."""

from transcriber.delivery.answer import Answer
from transcriber.delivery.answers import estimate_answer
from transcriber.jobs.layout import Version
from transcriber.request.s3_events import ObjectReference
from transcriber.request.transcription_request import TranscriptionRequest
from transcriber.request_scope import RequestScope
from transcriber.services import Services
from transcriber.transcription.estimate import Estimate, estimate


def answer_dry_run(request: TranscriptionRequest, services: Services, scope: RequestScope) -> Answer:
    """The answer to a request whose `dry_run` is true."""
    found = _estimate(request, services, scope)
    # Under names of their own: sums over the log are of what was really transcribed and paid.
    scope.report.add(
        dry_run=True,
        model=found.model,
        estimated_seconds=round(found.billed_seconds, 3),
        estimated_cost=found.cost,
    )
    return estimate_answer(found, request.reply)


def _estimate(request: TranscriptionRequest, services: Services, scope: RequestScope) -> Estimate:
    settings = services.settings
    model = request.options.model or settings.models[0]
    if isinstance(request.source, ObjectReference):
        return _estimate_object(request.source, request, model, services, scope)
    with services.open_source(request.source, scope.deadline) as source:
        return estimate(source, model=model, settings=settings, deadline=scope.deadline, track=request.options.track)


def _estimate_object(
    reference: ObjectReference,
    request: TranscriptionRequest,
    model: str,
    services: Services,
    scope: RequestScope,
) -> Estimate:
    """Of an object, what is transcribed already costs nothing: its transcript, or the chunks that are kept."""
    scope.report.add(bucket=reference.bucket, key=reference.key)
    stores = services.stores(scope.deadline)
    audio = stores.results.find_audio(reference)
    version = Version.of(audio.etag, request.options)
    is_whole = stores.results.completed(reference, version, request.options) is not None
    parts = stores.parts(reference, version, scope.log)
    with services.open_version(reference.bucket, audio, scope.deadline) as source:
        return estimate(
            source,
            model=model,
            settings=services.settings,
            deadline=scope.deadline,
            is_done=lambda span: is_whole or parts.has(span),
            track=request.options.track,
        )
