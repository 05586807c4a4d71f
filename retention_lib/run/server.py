"""The fork server's life: whether there can be one, its start, its address and its end."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from retention_lib.run import forkserver

# Libraries that start a thread when they are imported, told not to: a process with threads can't
# be forked safely. The kernels' own environment is the caller's.
_NO_THREADS = {
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


def can_fork() -> bool:
    """Whether kernels are forked here.

    Not on Windows, which can't, nor on macOS, whose system libraries don't survive it; and not
    where the environment says ``RETENTION_KERNELS=ordinary``.
    """
    return (
        hasattr(os, "fork")
        and hasattr(socket, "send_fds")
        and sys.platform != "darwin"
        and os.environ.get("RETENTION_KERNELS", "") != "ordinary"
    )


class KernelServer:
    """The fork server as seen by who starts it.

    Starting returns at once; whoever asks for a kernel waits until the libraries are loaded. Any
    process of the same user can ask, given the `address`.

    Parameters
    ----------
    runs : bool, default False
        It is to fork clients' runs, too, and loads what these need besides.

    Examples
    --------
    >>> with KernelServer() as server:  # doctest: +SKIP
    ...     execute_chapter(template, output, parameters, cwd=cwd, server=server.address)
    """

    def __init__(self, *, runs: bool = False) -> None:
        self.runs = runs
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = ""

    @property
    def address(self) -> str:
        """Path of the socket at which kernels are asked for."""
        return str(Path(self._directory, "server"))

    @property
    def pid(self) -> int | None:
        """The server process, None while there is none."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """Whether there is a server process."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> KernelServer:
        """Start the server process."""
        self._directory = _short_directory()
        root = str(Path(__file__).parents[2])
        # The working folder must not be looked in for modules; the place of this package must.
        code = (
            "import sys; sys.path[:] = [*filter(None, sys.path), sys.argv.pop()]; "
            f"from {forkserver.__name__} import main; sys.path.pop(); "
            f"main(int(sys.argv[1]), sys.argv[2], runs={self.runs})"
        )
        with (
            socket.socket(socket.AF_UNIX) as listener,
            Path(self._directory, "server.log").open("wb") as log,
        ):
            listener.bind(self.address)
            listener.listen(128)
            fd = listener.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-c", code, str(fd), self._directory, root],
                pass_fds=[fd],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **_NO_THREADS},
                start_new_session=True,  # Ctrl-C in a terminal is the parent's to handle
            )
        return self

    def close(self) -> None:
        """End the server and with it all its kernels."""
        process, self._process = self._process, None
        if process is None:
            return
        answers = Path(self._directory, forkserver.READY).exists()
        if process.stdin:
            process.stdin.close()
        if not answers:
            process.kill()  # still importing: it has no kernels, and hears nobody
        try:
            process.wait(forkserver.EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> KernelServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


_lock = threading.Lock()
_default: dict[int, KernelServer] = {}


def default_server(*, runs: bool = False) -> KernelServer:
    """The server of this process, started when first asked for, again if it died.

    Parameters
    ----------
    runs : bool, default False
        It is to fork clients' runs, too. One that is there already stays what it is: it imports
        what it lacks in each fork.
    """
    with _lock:
        server = _default.get(os.getpid())
        if server is None:
            server = _default[os.getpid()] = KernelServer(runs=runs)
            atexit.register(_close_default, os.getpid())
        if not server.running:
            server.close()
            server.start()
        return server


def _close_default(pid: int) -> None:
    if pid == os.getpid():  # a fork inherits the registration, not the server
        _default.pop(pid).close()


def _short_directory() -> str:
    """Make a private folder, with a path that leaves room in a socket's 104 characters."""
    directory = tempfile.mkdtemp(prefix="retention-")
    if len(directory) > 60 and os.access("/tmp", os.W_OK):
        Path(directory).rmdir()
        directory = tempfile.mkdtemp(prefix="retention-", dir="/tmp")
    return directory
