"""A process that the fork server gave, seen from who asked for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import time

from retention_lib.run.forkserver import line


class ForkedProcess:
    """A process forked by the server, with the face of a ``subprocess.Popen``."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""
        self.pid = 0
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, None while it runs."""
        while self.returncode is None:
            try:
                data = self._connection.recv(1 << 12)
            except BlockingIOError:
                return None
            except OSError:
                data = b""
            self._received += data
            *lines, self._received = self._received.split(b"\n")
            for text in lines:
                message = json.loads(text)
                self.pid = message.get("pid", self.pid)
                self.returncode = message.get("exit")
            if not data and self.returncode is None:  # the server is gone, and the process with it
                self.returncode = -signal.SIGKILL
            if self.returncode is None and lines:
                return None
        self.close()
        return self.returncode

    def wait(self) -> int:
        """Return the exit code once there is one."""
        while (code := self.poll()) is None:
            time.sleep(0.01)
        return code

    async def heard(self, seconds: float) -> None:
        """Wait until the server says something of this process, or for some seconds."""
        loop = asyncio.get_running_loop()
        said = asyncio.Event()
        loop.add_reader(self._connection, said.set)
        try:
            await asyncio.wait_for(said.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(self._connection)

    def send_signal(self, number: int) -> None:
        """Send a signal to the process and its subprocesses."""
        if self.poll() is None:
            with contextlib.suppress(OSError):
                self._connection.sendall(line(signal=int(number)))

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Give the process up: the server kills it if it still runs."""
        self._connection.close()
