"""Serves files of this machine to the function: recordings over the platform's payload limit."""

import secrets
import shutil
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

from emulator.closing import Closing
from emulator.processes import LOOPBACK


class FileServer(Closing):
    """A server on loopback for the files that were added to it, each at an address that cannot be guessed."""

    def __init__(self) -> None:
        files: dict[str, Path] = {}
        self._files = files

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                """Send the file with an ETag, so that the function notices a changed file in a second download."""
                path = files.get(self.path)
                if path is None:
                    self.send_error(HTTPStatus.NOT_FOUND)
                    return
                with path.open("rb") as file:
                    stat = path.stat()
                    self.send_response(HTTPStatus.OK)
                    self.send_header("Content-Type", "application/octet-stream")
                    self.send_header("Content-Length", str(stat.st_size))
                    self.send_header("ETag", f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"')
                    self.end_headers()
                    # The function closes the connection when it has read enough of a file.
                    with suppress(ConnectionError):
                        shutil.copyfileobj(file, self.wfile)

            def log_message(self, *_arguments: Any) -> None:
                """Log nothing: the command's output is the transcript."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def host(self) -> str:
        """The server's host and port."""
        return f"{LOOPBACK}:{self._server.server_port}"

    def add(self, path: Path) -> str:
        """Serve the file at `path`, and return its address."""
        target = f"/{secrets.token_urlsafe()}/{quote(path.name)}"
        self._files[target] = path
        return f"http://{self.host}{target}"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
