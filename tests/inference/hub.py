"""A server that is as much of the Hugging Face hub as an upload needs."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hub(ThreadingHTTPServer):
    """The server and what it holds.

    Args:
        private: Whether each repository that exists is private, by name.
    """

    def __init__(self, private: dict[str, bool] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.private = dict(private or {})
        self.files: dict[str, bytes] = {}
        self.address = f"http://127.0.0.1:{self.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a process that uploads here."""
        own = {"HF_ENDPOINT": self.address, "HF_TOKEN": "hf_none", "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
        return {**os.environ, **own}


class _Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        name = self.path.removeprefix("/api/models/")
        known = name in self.server.private
        self._answer({"id": name, "private": self.server.private[name]} if known else {}, 200 if known else 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/api/repos/create":
            given = json.loads(body)
            name = f"{given.get('organization')}/{given['name']}"
            exists = name in self.server.private
            self.server.private.setdefault(name, given.get("visibility") == "private")
            return self._answer({"url": f"{self.server.address}/{name}"}, 409 if exists else 200)
        if "/preupload/" in self.path:
            names = [file["path"] for file in json.loads(body)["files"]]
            return self._answer(
                {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]}
            )
        if "/commit/" in self.path:
            repository = self.path.removeprefix("/api/models/").partition("/commit/")[0]
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    name = f"{repository}/{line['value']['path']}"
                    self.server.files[name] = base64.b64decode(line["value"]["content"])
            return self._answer(
                {"commitUrl": f"{self.server.address}/{repository}/commit/1", "commitOid": "1", "success": True}
            )
        return self._answer({"errors": [], "warnings": []})

    def _answer(self, content: object, status: int = 200) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def serving(private: dict[str, bool] | None = None) -> Iterator[Hub]:
    """Run a hub in a thread of its own."""
    hub = Hub(private)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
