"""The fork server: a process with the libraries loaded that forks itself for each who asks.

A fork becomes a kernel, or calls a function: a client's run in a batch (`run.served`). The
server has one thread, no event loop and, besides what it preloads, the standard library only. It
ends when its parent does (its standard input closes), and its forks end with it.

On a connection to its Unix socket: ``{"args", "env", "cwd"}`` for a kernel, ``{"call", "env",
"cwd"}`` for a function, with file descriptors (standard output and error; for a function the end
of a pipe, its only argument, besides) in; ``{"pid"}`` out; ``{"signal"}`` in, any number of them;
``{"exit"}`` out, last. Each is a line of JSON.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from retention_lib.run.preload import preload

EXIT_SECONDS = 2.0
"""How long an end that was asked for is waited for, before it is forced."""

READY = "ready"
"""A file in the server's folder, once it has its libraries and answers."""

_FILE = io.IOBase.__base__
"""What all open files are; asking `io.IOBase` itself takes a hundred times as long."""

_INLINE = "module://matplotlib_inline.backend_inline"


def main(listener_fd: int, directory: str, *, runs: bool = False) -> None:
    """Be the fork server and, in each fork, the kernel or the function.

    Parameters
    ----------
    listener_fd : int
        A listening Unix socket.
    directory : str
        Removed at the end.
    runs : bool, default False
        Load also what a client's run needs besides its chapters.
    """
    variables = preload(runs=runs)
    launch = _Server(socket.socket(fileno=listener_fd), Path(directory)).run()
    if launch is None:
        return
    _be_own_process(launch, variables)
    if "call" in launch:
        _call(launch)
    else:
        _be_kernel(launch)


def line(**message: Any) -> bytes:
    """A message of the server's protocol."""
    return json.dumps(message).encode() + b"\n"


class _Server:
    """Forks a kernel for each connection, reports its exit, kills what nobody waits for."""

    def __init__(self, listener: socket.socket, directory: Path) -> None:
        self.listener = listener
        self.directory = directory
        self.parent = os.getppid()
        self.kernels: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        self.child_ended, self.wakeup = socket.socketpair()

    def run(self) -> dict[str, Any] | None:
        """Serve until the parent is gone (None); in each fork, return what to launch."""
        if _thread_count() == 1:
            launch = self._serve()
            if launch is not None:
                return launch
        else:
            # A fork inherits the threads' locks, held for ever. Clients start ordinary kernels.
            print("A library started a thread when imported: can't fork.", file=sys.stderr)
        for pid in self.kernels:
            _signal_group(pid, signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)
        return None

    def _serve(self) -> dict[str, Any] | None:
        for end in (self.child_ended, self.wakeup):
            end.setblocking(False)
        signal.set_wakeup_fd(self.wakeup.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        (self.directory / READY).touch()
        lifeline = sys.stdin.fileno()
        for source in (self.listener, self.child_ended, lifeline):
            self.selector.register(source, selectors.EVENT_READ)
        # A copy of the lifeline's other end can live on in a fork of the parent, hence the check
        # of the parent beside it.
        while os.getppid() == self.parent:
            for key, _ in self.selector.select(timeout=1.0):
                if key.fileobj == lifeline:
                    return None
                if key.fileobj is self.listener:
                    launch = self._accept()
                    if launch is not None:
                        return launch
                elif key.fileobj is self.child_ended:
                    self._reap()
                elif key.data in self.kernels:
                    self._obey(key.data)
        return None

    def _accept(self) -> dict[str, Any] | None:
        connection, _ = self.listener.accept()
        connection.settimeout(EXIT_SECONDS)
        fds: list[int] = []
        try:
            data, fds, _, _ = socket.recv_fds(connection, 1 << 16, 3)
            while data and not data.endswith(b"\n"):
                data += connection.recv(1 << 16)
            launch: dict[str, Any] = json.loads(data)
            server = os.getpid()
            pid = os.fork()
            if pid == 0:
                self._leave(connection)
                return {**launch, "fds": fds, "server": server}
            self.kernels[pid] = connection
            self.selector.register(connection, selectors.EVENT_READ, pid)
            connection.sendall(line(pid=pid))
        except (OSError, ValueError):
            # The client went away, or there is no memory to fork into. In both cases it sees a
            # closed connection and helps itself; a kernel just forked is killed by `_obey`.
            if connection not in self.kernels.values():
                connection.close()
        for fd in fds:
            os.close(fd)
        return None

    def _leave(self, connection: socket.socket) -> None:
        """In a fork: let go of all that is the server's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.selector.close()
        ours = (self.listener, self.child_ended, self.wakeup, connection)
        for end in (*ours, *self.kernels.values()):
            end.close()

    def _obey(self, pid: int) -> None:
        connection = self.kernels[pid]
        try:
            data = connection.recv(1 << 12)
        except OSError:
            data = b""
        for message in data.splitlines():
            _signal_group(pid, json.loads(message)["signal"])
        if not data:  # nobody waits for this kernel any more
            self.selector.unregister(connection)
            _signal_group(pid, signal.SIGKILL)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.child_ended.recv(1 << 12)
        for pid in list(self.kernels):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                connection = self.kernels.pop(pid)
                with contextlib.suppress(KeyError):
                    self.selector.unregister(connection)
                with contextlib.suppress(OSError):
                    connection.sendall(line(exit=os.waitstatus_to_exitcode(status)))
                connection.close()


def _be_own_process(launch: dict[str, Any], variables: dict[str, str]) -> None:
    """Give this fork a session, standard streams, folder, environment and chance of its own."""
    os.setsid()
    _die_with(launch["server"])
    _offer_memory()
    for fd, target in zip(
        (os.open(os.devnull, os.O_RDONLY), *launch["fds"][:2]), range(3), strict=True
    ):
        os.dup2(fd, target)
        os.close(fd)
    os.chdir(launch["cwd"])
    os.environ.clear()
    os.environ.update({**variables, **launch["env"]})
    time.tzset()
    if tempfile := vars(sys).get("modules", {}).get("tempfile"):
        tempfile.tempdir = None  # the server's, found by its environment
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()  # else every fork would draw the same "random" numbers


def _call(launch: dict[str, Any]) -> None:
    """Call ``module:function`` with the pipe's end, and end."""
    module, _, name = launch["call"].partition(":")
    try:
        getattr(importlib.import_module(module), name)(launch["fds"][2])
    finally:
        sys.stdout.flush()
        _end()


def _be_kernel(launch: dict[str, Any]) -> None:
    """Turn this fork into what ``python -m ipykernel_launcher`` would be, and run it."""
    if matplotlib := sys.modules.get("matplotlib"):
        with contextlib.suppress(ValueError):
            matplotlib.rcParams["backend"] = os.environ.get("MPLBACKEND") or _INLINE
    sys.argv = ["ipykernel_launcher", *launch["args"]]

    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance(parent_handle=launch["server"])
    app.initialize(launch["args"])
    app.start()
    # At its end ipykernel closes the output channel before it waits for the control thread, which
    # may be waiting for that channel, for ten seconds.
    app.control_thread.stop()
    app.control_thread.join(EXIT_SECONDS)
    _end()


def _end() -> None:
    """End as an interpreter does, but leave freeing to the system, which is ten times faster."""
    threading._shutdown()  # type: ignore[attr-defined]
    files = _open_files()
    gc.freeze()  # IPython looks for cycles at its end, the system doesn't need it
    atexit._run_exitfuncs()
    for open_file in files:
        with contextlib.suppress(Exception):
            open_file.flush()
    os._exit(0)


def _open_files() -> list[Any]:
    """Those of this fork alone: what the server loaded was frozen, and isn't looked at."""
    things = gc.get_objects()
    kinds = {kind for kind in set(map(type, things)) if _FILE in kind.__mro__}
    return [thing for thing in things if type(thing) in kinds]


def _die_with(parent: int) -> None:
    """Have the system kill this process when its parent ends (Linux; elsewhere ipykernel polls)."""
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _offer_memory() -> None:
    """Where memory runs out, let the system end a fork rather than who watches over it (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def _thread_count() -> int:
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def _signal_group(pid: int, number: int) -> None:
    """Signal a kernel with all its subprocesses, or it alone while it has no group of its own."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
