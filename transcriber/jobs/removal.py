"""Removes what is a job's alone, and nothing of an object that was named by bucket and key."""

from transcriber.cloud.multipart_upload import MultipartUpload
from transcriber.jobs.layout import ResultKeys, Version, is_own_recording
from transcriber.jobs.records import JobRecord
from transcriber.jobs.stores import Stores
from transcriber.request.s3_events import ObjectReference
from transcriber.request_log import JsonLogger


def remove_job(record: JobRecord, stores: Stores, log: JsonLogger) -> None:
    """Remove all but the record, which is a tombstone by now; once more where a worker has added something."""
    recording = record.recording or stores.jobs.recording(record.id)
    if record.copy is not None:
        MultipartUpload(stores.storage, recording.bucket, recording.key, record.copy.upload_id).abort()
    if is_own_recording(recording, stores.settings):
        _remove_work(recording, record, stores, log)
        if not recording.key.startswith(stores.jobs.folder(record.id)):
            _remove_upload(recording, stores)
    stores.jobs.remove(record)


def _remove_work(recording: ObjectReference, record: JobRecord, stores: Stores, log: JsonLogger) -> None:
    """Remove lease, parts and a partial transcript: without its lease, a worker stores no result."""
    keys = ResultKeys.of(recording, stores.settings, record.options)
    stores.storage.delete(keys.bucket, keys.lease)
    etag = record.audio_etag
    if not etag and (audio := stores.storage.head(recording.bucket, recording.key)):
        etag = audio.etag
    if etag:
        stores.parts(recording, Version(etag, record.options), log).remove()
        stores.storage.delete(keys.bucket, keys.partial(etag))


def _remove_upload(recording: ObjectReference, stores: Stores) -> None:
    """Remove an upload, and its results, whose keys begin with its own and a dot."""
    stores.storage.delete(recording.bucket, recording.key)
    for page in stores.storage.pages(recording.bucket, f"{recording.key}."):
        for stored in page:
            stores.storage.delete(recording.bucket, stored.key)
