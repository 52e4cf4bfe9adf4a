"""A service that does nothing, in the ways that matter to who supervises it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path


def serve_readyz() -> None:
    """Say ready to whoever asks."""
    address = (os.environ["DARKROOM_HOST"], int(os.environ["DARKROOM_PORT"]))
    with socket.create_server(address) as server:
        while True:
            client, _ = server.accept()
            with client:
                client.recv(1024)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def main(name: str) -> None:
    """Start a child, as the generator's pool does, and wait for the end."""
    if name == "setup":
        while os.environ.get("TOY_WAITS") and not Path(os.environ["TOY_WAITS"]).exists():
            time.sleep(0.01)
        return
    for variable in ("DARKROOM_NATS_URL", "DARKROOM_DATABASE_URL", "DARKROOM_DATA_DIR"):
        assert os.environ[variable], variable
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if os.environ.get("TOY_DEAF") == name:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if name == "generator":
        grandchild = subprocess.Popen(("sleep", "1000"))
        Path(os.environ["DARKROOM_DATA_DIR"], "grandchild").write_text(str(grandchild.pid))
    if name == "gateway":
        serve_readyz()
    while True:
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
