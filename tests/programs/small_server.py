"""A server for the supervisor's tests: `small_server.py PORT [stubborn] [parent] [warns]`.

GET /health answers; GET /die ends it with status 3. It writes its process id to stdout.
"""

import http.server
import os
import signal
import subprocess
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die":
            print("I was told to die", flush=True)
            os._exit(3)
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Silent."""


port, habits = int(sys.argv[1]), sys.argv[2:]
if "stubborn" in habits:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "parent" in habits:
    subprocess.Popen([sys.executable, "-c", "import time; print('grandchild', flush=True); time.sleep(600)"])
if "warns" in habits:
    print("2026-01-01 INFO an ordinary line", flush=True)
    print("2026-01-01 WARNING something odd", flush=True)
    print("x" * 200_000, flush=True)
print(f"pid {os.getpid()}", flush=True)
http.server.HTTPServer.allow_reuse_address = True
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
