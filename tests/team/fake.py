"""A stand-in for Mixpanel's GDPR API that keeps a log of every call.

It listens on one Unix socket for each host. The bearer token names the dsr process that calls, because
each process gets a token of its own.
"""

import datetime
import http.server
import json
import os
import random
import socketserver
import threading
import time
import urllib.parse
import uuid


class Task:
    def __init__(self, kind, ids, life):
        self.id = str(uuid.uuid4())
        self.kind = kind
        self.ids = ids
        self.made = time.time()
        self.ends = self.made + life if life is not None else None
        self.revoked = False

    def status(self):
        if self.revoked:
            return "REVOKED"
        if self.ends is None:
            return "PENDING"
        if time.time() >= self.ends:
            return "SUCCESS"
        return "STARTED" if time.time() > (self.made + self.ends) / 2 else "PENDING"

    def active(self):
        return self.status() in ("PENDING", "STARTED")


class Call:
    """One call as the server saw it. `began` and `ended` are Unix seconds."""

    def __init__(self, number, host, command, verb, path):
        self.number, self.host, self.command, self.verb, self.path = number, host, command, verb, path
        self.began = time.time()
        self.steady = time.monotonic()
        self.ended = None
        self.ids = []
        self.status = None
        self.task = None
        self.answered = False
        self.note = ""

    def as_json(self):
        return dict(self.__dict__)


class Fake:
    def __init__(self, folder, seed, interval, task_life=None, lose_answers=0.0, slow_answers=0.0, limits=0.0):
        self.folder = folder
        self.interval = interval
        self.task_life = task_life
        self.lose_answers = lose_answers
        self.slow_answers = slow_answers
        # How often the quota of scans is used up: a 429 that says nothing about the pace, which `checks` measures.
        self.limits = limits
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.calls = []
        self.tasks = {}
        self.servers = []

    def listen(self, host):
        path = os.path.join(self.folder, f"api-{host}")
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def log_message(self, *_):
                pass

            def address_string(self):
                return host

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def do_POST(self):
                fake.serve(self, host)

            do_GET = do_DELETE = do_POST

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            request_queue_size = 64

            def get_request(self):
                request, _ = super().get_request()
                return request, (host, 0)

        server = Server(path, Handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self.servers.append(server)
        return path

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def serve(self, request, host):
        path = urllib.parse.urlsplit(request.path).path
        command = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with self.lock:
            call = Call(len(self.calls), host, command, request.command, path)
            self.calls.append(call)
            limited = self.random.random() < self.limits
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        if request.command == "POST":
            call.ids = json.loads(body)["distinct_ids"]
        with self.lock:
            if limited:
                status, answer = 429, {"status": "error", "error": "too many outstanding scans"}
            else:
                status, answer = self.answer(call)
            call.status = status
            lose = self.random.random() < self.lose_answers
            pause = self.random.uniform(0.1, 3) if self.random.random() < self.slow_answers else 0.002
        time.sleep(pause)
        call.ended = time.time()
        if lose:
            call.note = "answer lost"
            request.close_connection = True
            return
        text = b"" if answer is None else json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(text)))
        if text:
            request.send_header("Content-Type", "application/json")
        request.end_headers()
        request.wfile.write(text)
        request.wfile.flush()
        call.answered = True

    def answer(self, call):
        parts = call.path.strip("/").split("/")
        kind = {"data-deletions": "delete", "data-retrievals": "export"}.get(parts[2] if len(parts) > 2 else "")
        if kind is None:
            return 404, {"status": "error", "error": "no such page"}
        if call.verb == "POST":
            return self.create(call, kind)
        task = self.tasks.get(parts[4]) if len(parts) > 4 else None
        if task is None or task.kind != kind:
            return 200, {"status": "ok", "results": {"status": "NOT_FOUND"}}
        call.task = task.id
        if call.verb == "DELETE":
            if task.status() != "PENDING":
                return 405, {"status": "error", "error": "started"}
            task.revoked = True
            return 204, None
        made = datetime.datetime.utcfromtimestamp(task.made).isoformat()
        results = {"tracking_id": task.id, "status": task.status(), "date_requested": made, "distinct_ids": task.ids}
        if kind == "export":
            results["result"] = "http://127.0.0.1:9/archive.zip" if task.status() == "SUCCESS" else ""
        return 200, {"status": "ok", "results": results}

    def create(self, call, kind):
        if kind == "delete":
            wanted = set(call.ids)
            others = [t for t in self.tasks.values() if t.kind == "delete" and t.active() and wanted & set(t.ids)]
            if others:
                ids = [i for i in call.ids if any(i in t.ids for t in others)]
                error = {
                    "conflicting_distinct_ids": ids,
                    "conflicting_task_ids": [t.id for t in others],
                    "error": "ids have an active deletion",
                }
                return 409, {"status": "error", "error": error}
        task = Task(kind, call.ids, self.task_life)
        self.tasks[task.id] = task
        call.task = task.id
        return 201, {"status": "ok", "results": {"task_id": task.id}}

    def finish_tasks(self):
        """Ends every task, as Mixpanel does in the end."""
        with self.lock:
            for task in self.tasks.values():
                task.ends = min(task.ends or time.time(), time.time())
