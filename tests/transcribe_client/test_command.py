"""Tests of the command against a function on loopback that keeps jobs by the contract."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.job_function import WORDS, JobFunction, job_function, job_ids
from support.recordings import AUDIO

MP3 = AUDIO / "jfk.mp3"
ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 120
UPLOADED_BYTES = 5_000_000


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def command(function: JobFunction, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "transcribe_client", "--function", function.url, *map(str, arguments)]


def environment(state: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"ACCESS_TOKEN", "AUTH_TOKEN"}}
    return {**kept, "PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT}", "XDG_STATE_HOME": str(state), **more}


def run(function: JobFunction, state: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 # our own command
        command(function, *arguments),
        env=environment(state),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def large(folder: Path, name: str = "film.mp4") -> Path:
    path = folder / name
    path.write_bytes(os.urandom(UPLOADED_BYTES))
    return path


def test_small_file_is_sent_inline_as_a_job(state: Path) -> None:
    """A file that a request holds is one job, and its text alone is on standard output."""
    with job_function() as function:
        done = run(function, state, MP3)
    assert (done.returncode, done.stdout, done.stderr) == (0, WORDS + "\n", "")
    assert function.posts() == ["/v1/audio/transcriptions"]
    assert (function.jobs[0]["async"], "audio" in function.jobs[0]) == (True, True)


def test_large_file_is_uploaded(state: Path, tmp_path: Path) -> None:
    """A file over what a request holds goes to the bucket, byte by byte, and no request to the function is large."""
    path = large(tmp_path)
    with job_function(states=[{"status": "in_progress", "progress": 40}, {"status": "completed"}]) as function:
        done = run(function, state, "--language", "en", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert function.objects["/bucket/0"] == path.read_bytes()
    assert function.jobs == [{"language": "en", "bucket": "bucket", "key": "0", "async": True}]
    assert function.largest_body_bytes < 1000


def test_upload_whose_answer_is_lost(state: Path, tmp_path: Path) -> None:
    """An upload that arrived, and whose answer did not, is not taken for a failure."""
    with job_function(loses_answer_to_put=True) as function:
        done = run(function, state, large(tmp_path))
    assert (done.returncode, done.stdout) == (0, WORDS + "\n")


def test_passing_faults_are_waited_out(state: Path) -> None:
    """503 and 429 of the function cost time and nothing else, and a job is asked for under one key."""
    with job_function(faults=deque([503, 429])) as function:
        done = run(function, state, MP3)
    assert (done.returncode, done.stdout) == (0, WORDS + "\n")
    assert len(function.jobs) == 1


@pytest.mark.parametrize("formats", [["srt"], ["srt", "text"]])
def test_function_without_storage(state: Path, tmp_path: Path, formats: Sequence[str]) -> None:
    """Where no job can be kept, one request has the transcript in all formats; a large file is told what is missing."""
    options = [word for name in formats for word in ("--format", name)]
    talk = shutil.copy(MP3, tmp_path / "jfk.mp3")
    with job_function(keeps_jobs=False) as function:
        done = run(function, state, "--output", tmp_path / "out", *options, talk, large(tmp_path))
    assert done.returncode == 1
    assert "OUTPUT_BUCKET" in done.stderr
    assert function.posts().count("/") == 1
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == sorted({"srt": "jfk.srt", "text": "jfk.txt"}[name] for name in formats)
    assert WORDS in (tmp_path / "out" / "jfk.srt").read_text().replace("\n", " ")


def test_files_that_are_there_are_skipped(state: Path, tmp_path: Path) -> None:
    """A second run pays for nothing, unless it is asked to."""
    shutil.copy(MP3, tmp_path / "talk.mp3")
    arguments: list[str | Path] = ["--beside", "--format", "srt", "--format", "json", tmp_path]
    with job_function() as function:
        assert run(function, state, *arguments).returncode == 0
        assert sorted(path.name for path in tmp_path.glob("talk.*")) == ["talk.json", "talk.mp3", "talk.srt"]
        again = run(function, state, *arguments)
        assert (again.returncode, "skipped 1 of 1" in again.stderr, len(function.jobs)) == (0, True, 1)
        assert run(function, state, "--again", *arguments).returncode == 0
        assert len(function.jobs) == 2


def test_several_recordings_have_titles(state: Path, tmp_path: Path) -> None:
    """Texts of several recordings stand under their names, in order; one that fails does not stop the others."""
    shutil.copy(MP3, tmp_path / "b.mp3")
    with job_function() as function:
        done = run(function, state, MP3, "/nowhere.mp3", tmp_path / "b.mp3")
    assert done.stdout == f"==> {MP3} <==\n{WORDS}\n==> {tmp_path / 'b.mp3'} <==\n{WORDS}\n"
    assert (done.returncode, done.stderr) == (
        1,
        "/nowhere.mp3: the file cannot be read: No such file or directory\n",
    )


def test_failed_job_and_warnings(state: Path) -> None:
    """A job's error is the reason on standard error, and warnings of one that completed stand there, too."""
    error = {"message": "The audio is damaged.", "code": "unsupported_media"}
    with job_function(states=[{"status": "failed", "error": error}]) as function:
        failed = run(function, state, MP3)
    with job_function(states=[{"status": "completed", "warnings": ["From 0:01 on, listen."]}]) as function:
        warned = run(function, state, MP3)
    assert (failed.returncode, failed.stdout, failed.stderr) == (1, "", f"{MP3}: The audio is damaged.\n")
    assert (warned.returncode, warned.stderr) == (0, f"{MP3}: warning: From 0:01 on, listen.\n")


@pytest.mark.parametrize("kind", ["token", "private_key"])
def test_one_token_serves_either_guard(state: Path, kind: str) -> None:
    """--token is the function's own token, or the platform's; a wrong one is refused with what it should be."""
    with job_function(**{kind: "right"}) as function:
        right = run(function, state, "--token", "right", MP3)
        wrong = run(function, state, "--token", "wrong", MP3)
    assert (right.returncode, right.stdout) == (0, WORDS + "\n")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert {"token": "401", "private_key": "FunctionsPrivateAccess"}[kind] in wrong.stderr
    assert "wrong" not in wrong.stderr.replace("is wrong", "")


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_command_goes_on(state: Path, tmp_path: Path, kind: signal.Signals) -> None:
    """After Ctrl-C the command says how to go on, and the same command collects the job instead of paying again."""
    path = large(tmp_path)
    with job_function(states=[{"status": "in_progress", "progress": 10}]) as function:
        process = subprocess.Popen(  # noqa: S603 # our own command
            command(function, path), env=environment(state), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not function.looks:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(kind)
        output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
        assert (process.returncode, output) == (130, "")
        assert "same command" in errors
        assert "Traceback" not in errors
        function.states = [{"status": "completed"}]
        done = run(function, state, path)
        assert (done.returncode, done.stdout, len(function.jobs)) == (0, WORDS + "\n", 1)
        assert job_ids(function) == {"job-1"}
        assert not [file for file in state.rglob("*") if file.is_file()]


def test_job_that_is_gone_is_begun_anew(state: Path, tmp_path: Path) -> None:
    """A remembered job whose time is over is no reason for an error: the recording is sent again."""
    path = large(tmp_path)
    with job_function() as function:
        function.states = [{"status": "in_progress"}]
        process = subprocess.Popen(command(function, path), env=environment(state), stderr=subprocess.DEVNULL)  # noqa: S603 # our own command
        while not function.looks:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.wait(TIMEOUT_SECONDS)
        function.looks = 0
        function.states = [{"answers": 404, "error": {}}, {"status": "completed"}]
        done = run(function, state, path)
    assert (done.returncode, done.stdout, len(function.jobs)) == (0, WORDS + "\n", 2)


def test_pipe_that_closes_early(state: Path, tmp_path: Path) -> None:
    """A reader that has enough ends the command without a traceback."""
    paths = [shutil.copy(MP3, tmp_path / f"{number}.mp3") for number in range(3)]
    with job_function() as function:
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(  # noqa: S603 # our own command
            command(function, *paths),
            env=environment(state),
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "srt", "--format", "text", "x.mp3"],
        ["--output", "out", "--beside", "x.mp3"],
        ["--parallel", "0", "x.mp3"],
        ["--format", "docx", "x.mp3"],
    ],
)
def test_wrong_arguments(state: Path, arguments: list[str]) -> None:
    """Arguments that contradict each other are refused before anything is sent, with the status 2."""
    with job_function() as function:
        done = run(function, state, *arguments)
    assert (done.returncode, function.asked) == (2, [])
