"""An S3 server of the tests (moto) in a process of its own, reached over HTTP as any other."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request


class S3Server:
    """With an empty bucket for each who asks. Its objects are in memory: they go with the process."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._buckets = 0
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/moto-api/", timeout=5).close()
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("the S3 server does not answer")

    def new_bucket(self) -> str:
        """The URL of an empty bucket, for fsspec."""
        import boto3

        self._buckets += 1
        name = f"bucket{self._buckets}"
        boto3.client("s3", endpoint_url=self.url).create_bucket(Bucket=name)
        return f"s3://{name}/sonifold"

    def stop(self) -> None:
        """Answer nobody until ``go_on``."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.go_on()
        self._process.terminate()
        self._process.wait()
