"""A registry that serves the images of an OCI layout over a network that is bad in one way; counts what it sends.

  fault_registry.py LAYOUT [--reset-every BYTES] [--latency SECONDS] [--rate BYTES_PER_SECOND]

Prints its port on a line. GET /stats tells the requests and the bytes of blobs so far, and begins to count anew.
"""
import argparse
import http.server
import json
import pathlib
import re
import socket
import struct
import threading
import time

PIECE = 64 << 10

arguments = argparse.ArgumentParser()
arguments.add_argument("layout", type=pathlib.Path)
arguments.add_argument("--reset-every", type=int, help="reset each connection after so many bytes of a blob")
arguments.add_argument("--latency", type=float, default=0, help="seconds before each answer")
arguments.add_argument("--rate", type=int, help="bytes a second of each connection")
options = arguments.parse_args()

gate = threading.Lock()
count = {"requests": 0, "bytes": 0}


def add(name, number):
    with gate:
        count[name] += number


def blob_file(digest):
    return options.layout / "blobs" / digest.replace(":", "/")


def find(tag):
    if tag.startswith("sha256:"):
        return tag, json.loads(blob_file(tag).read_text())["mediaType"]
    index = json.loads((options.layout / "index.json").read_text())
    for entry in index["manifests"]:
        if entry.get("annotations", {}).get("org.opencontainers.image.ref.name") == tag:
            return entry["digest"], entry["mediaType"]
    return None, None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        if self.path == "/stats":
            with gate:
                body = json.dumps(count).encode()
                count.update(requests=0, bytes=0)
            return self.answer(200, body)
        add("requests", 1)
        time.sleep(options.latency)
        kind, _, name = self.path.rpartition("/")
        if kind.endswith("/manifests"):
            digest, media_type = find(name)
            if digest is None:
                return self.answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
            return self.answer(200, blob_file(digest).read_bytes(), {"Content-Type": media_type, "Docker-Content-Digest": digest})
        if kind.endswith("/blobs"):
            return self.send_blob(blob_file(name))
        return self.answer(200, b"{}")

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in (headers or {"Content-Type": "application/json"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_blob(self, file):
        size = file.stat().st_size
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        last = int(wanted[2]) if wanted and wanted[2] else size - 1
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        left = last - first + 1
        until_reset = options.reset_every or left + 1
        begin = time.monotonic()
        sent = 0
        with open(file, "rb") as content:
            content.seek(first)
            while left > 0 and sent < until_reset:
                piece = content.read(min(PIECE, left, until_reset - sent))
                try:
                    self.wfile.write(piece)
                except OSError:
                    self.close_connection = True
                    return
                add("bytes", len(piece))
                sent += len(piece)
                left -= len(piece)
                if options.rate:
                    time.sleep(max(0, begin + sent / options.rate - time.monotonic()))
        if left > 0:
            # what is in the socket's buffer would be lost with the reset: it has to arrive first
            time.sleep(0.05)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass


with Server(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
