"""Kernels that start in milliseconds: each is forked from a server with the libraries loaded.

Nine tenths of a chapter's time on the plain way are spent on starting Python and importing. Here
one process, the fork server, imports everything once and then only waits; a kernel is a fork of
it. A fork shares nothing that it changes, so what one chapter sets (``rcParams``, pandas options,
environment, attributes of modules) no other chapter sees, and a kernel's end frees all it took.

The pieces, from the inside out:

- `main` is the server process: one thread, no connections, no event loop, only imports.
- `KernelServer` starts and stops that process; `default_server` is this process's own.
- `ForkProvisioner` is Jupyter's interface to it (a *kernel provisioner*): papermill and nbclient
  notice no difference. It launches an ordinary kernel where it can't fork.
- `ChapterKernelManager` puts them together and needs no kernelspec on disk.

No process outlives its owner: the server ends when its parent does (its standard input closes), a
kernel when the server does (parent-death signal, on other systems a check each second) or when the
process that asked for the kernel does (its connection closes).
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from pathlib import Path
from queue import Empty
from types import SimpleNamespace
from typing import Any

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from traitlets import Unicode, default

PROVISIONER = "retention-fork"

PRELOAD = (
    # pandas first: it asks at import whether it runs in a terminal (see `_import_pandas`)
    *("numpy", "scipy.optimize", "scipy.special", "scipy.stats", "pyarrow.parquet"),
    *("matplotlib.pyplot", "matplotlib.backends.backend_agg"),
    *("seaborn", "duckdb", "ibis", "ibis.backends.duckdb", "lifetimes", "pydantic", "yaml"),
    *("great_tables", "babel.dates", "babel.numbers", "babel.support", "xlsxwriter"),
    *("statsmodels.stats.api", "statsmodels.stats.proportion", "statsmodels.duration.api"),
    *("ipykernel.kernelapp", "ipykernel.zmqshell", "ipykernel.debugger", "IPython.display"),
    *("IPython.core.completerlib", "IPython.extensions.storemagic", "psutil", "sqlite3"),
)
"""Modules that the server imports besides this package's; one that is missing is left out."""

NOT_PRELOADED = ("cli", "run", "report.exporter", "report.page")
"""Modules of this package that no chapter uses."""

# Libraries that start a thread when they are imported, told not to: a process with threads can't
# be forked safely. The kernels' own environment is the caller's.
_NO_THREADS = {
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
_INLINE = "module://matplotlib_inline.backend_inline"
_START_SECONDS = 60.0
_EXIT_SECONDS = 2.0


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


# ----------------------------------------------------------------------------- the server process


def main(listener_fd: int, directory: str) -> None:
    """Be the fork server and, in each fork, the kernel.

    Parameters
    ----------
    listener_fd : int
        A listening Unix socket.
    directory : str
        Removed at the end.
    """
    variables = _preload()
    launch = _Server(socket.socket(fileno=listener_fd), Path(directory)).run()
    if launch is not None:
        _be_kernel(launch, variables)


def _preload() -> dict[str, str]:
    """Import what chapters import; return the environment variables that importing set."""
    before = dict(os.environ)
    _import_pandas()
    _import(PRELOAD)
    # This package comes last, for a library's warning filters, set when it is first imported, are
    # lost where that happens under `warnings.catch_warnings`.
    package = importlib.import_module(__name__.partition(".")[0])
    not_in_chapters = tuple(f"{package.__name__}.{name}" for name in NOT_PRELOADED)
    modules = pkgutil.walk_packages(package.__path__, f"{package.__name__}.", lambda _: None)
    _import(module.name for module in modules if not module.name.startswith(not_in_chapters))
    # The collector writes to the objects that it visits, which would copy their pages into every
    # fork: what is loaded now lives as long as the process and needn't be visited.
    gc.collect()
    gc.freeze()
    return {name: value for name, value in os.environ.items() if before.get(name) != value}


def _import(names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _import_pandas() -> None:
    """Import pandas as in a notebook: its display options depend on IPython and on the output."""
    import builtins

    vars(builtins)["get_ipython"] = lambda: SimpleNamespace(kernel=None)
    output = io.TextIOWrapper(io.BytesIO(), encoding="UTF-8")  # as IPython's calls itself
    try:
        with contextlib.redirect_stdout(output):
            importlib.import_module("pandas")
    finally:
        del vars(builtins)["get_ipython"]


class _Server:
    """Forks a kernel for each connection, reports its exit, kills what nobody waits for.

    On a connection: ``{"args", "env", "cwd"}`` with two file descriptors (standard output and
    error) in; ``{"pid"}`` out; ``{"signal"}`` in, any number of them; ``{"exit"}`` out, last. Each
    is a line of JSON.
    """

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
        connection.settimeout(_EXIT_SECONDS)
        fds: list[int] = []
        try:
            data, fds, _, _ = socket.recv_fds(connection, 1 << 16, 2)
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
            connection.sendall(_line(pid=pid))
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
        for line in data.splitlines():
            _signal_group(pid, json.loads(line)["signal"])
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
                    connection.sendall(_line(exit=os.waitstatus_to_exitcode(status)))
                connection.close()


def _be_kernel(launch: dict[str, Any], variables: dict[str, str]) -> None:
    """Turn this fork into what ``python -m ipykernel_launcher`` would be, and run it."""
    os.setsid()
    _die_with(launch["server"])
    for fd, target in zip(
        (os.open(os.devnull, os.O_RDONLY), *launch["fds"]), range(3), strict=True
    ):
        os.dup2(fd, target)
        os.close(fd)
    os.chdir(launch["cwd"])
    os.environ.clear()
    os.environ.update({**variables, **launch["env"]})
    time.tzset()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()  # else every fork would draw the same "random" numbers
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
    app.control_thread.join(_EXIT_SECONDS)
    _end()


def _end() -> None:
    """End as an interpreter does, but leave freeing to the system, which is ten times faster."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for open_file in [thing for thing in gc.get_objects() if isinstance(thing, io.IOBase)]:
        with contextlib.suppress(Exception):
            open_file.flush()
    os._exit(0)


def _die_with(parent: int) -> None:
    """Have the system kill this process when its parent ends (Linux; elsewhere ipykernel polls)."""
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


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


def _line(**message: Any) -> bytes:
    return json.dumps(message).encode() + b"\n"


# ------------------------------------------------------------------------- in the parent's process


class KernelServer:
    """The fork server as seen by who starts it.

    Starting returns at once; whoever asks for a kernel waits until the libraries are loaded. Any
    process of the same user can ask, given the `address`.

    Examples
    --------
    >>> with KernelServer() as server:  # doctest: +SKIP
    ...     execute_chapter(template, output, parameters, cwd=cwd, server=server.address)
    """

    def __init__(self) -> None:
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
            f"from {__name__} import main; sys.path.pop(); main(int(sys.argv[1]), sys.argv[2])"
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
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:  # still importing: it isn't listening yet
            process.kill()
            process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> KernelServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


_lock = threading.Lock()
_default: dict[int, KernelServer] = {}


def default_server() -> KernelServer:
    """The server of this process, started when first asked for, again if it died."""
    with _lock:
        server = _default.get(os.getpid())
        if server is None:
            server = _default[os.getpid()] = KernelServer()
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


# -------------------------------------------------------------------------- Jupyter's side of it


class ForkedKernel:
    """A kernel forked by the server, with the face of a ``subprocess.Popen``."""

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
            for line in lines:
                message = json.loads(line)
                self.pid = message.get("pid", self.pid)
                self.returncode = message.get("exit")
            if not data and self.returncode is None:  # the server is gone, and the kernel with it
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
        """Wait until the server says something of this kernel, or for some seconds."""
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
        """Send a signal to the kernel and its subprocesses."""
        if self.poll() is None:
            with contextlib.suppress(OSError):
                self._connection.sendall(_line(signal=int(number)))

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the kernel."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Give the kernel up: the server kills it if it still runs."""
        self._connection.close()


class ForkProvisioner(LocalProvisioner):
    """Launches kernels by forking, ordinary ones where that can't be done.

    Entry point ``retention-fork`` of ``jupyter_client.kernel_provisioners``.
    """

    server = Unicode("", help="Address of a KernelServer; empty for this process's own.")
    process: Any = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Launch a kernel; `cmd` is a kernelspec's ``python -m ipykernel_launcher …``."""
        module = "ipykernel_launcher"
        if not can_fork() or module not in cmd:
            return await super().launch_kernel(cmd, **kwargs)
        args = cmd[cmd.index(module) + 1 :]
        try:
            self.process = await self._fork(args, **kwargs)
        except (OSError, TimeoutError) as reason:
            self.log.warning(
                "The fork server gave no kernel (%s): starting an ordinary one.", reason
            )
            return await super().launch_kernel(cmd, **kwargs)
        self.pid = self.process.pid
        self.pgid = None  # signals go through the server, which knows which processes are alive
        self.cwd = kwargs.get("cwd") or Path.cwd()
        return self.connection_info

    async def _fork(
        self,
        args: list[str],
        *,
        env: dict[str, str],
        cwd: str | None = None,
        stdout: Any = None,
        stderr: Any = None,
        **_: Any,
    ) -> ForkedKernel:
        request = _line(
            args=args,
            env={**env, "JPY_PARENT_PID": str(os.getpid())},
            cwd=str(cwd or Path.cwd()),
        )
        fds = [_fileno(stdout, 1), _fileno(stderr, 2)]
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(_START_SECONDS)
            connection.connect(self.server or default_server().address)
            sent = socket.send_fds(connection, [request], fds)
            connection.sendall(request[sent:])
            connection.setblocking(False)
            kernel = ForkedKernel(connection)
            await kernel.heard(_START_SECONDS)
            kernel.poll()
            if not kernel.pid:
                raise ConnectionError("no answer")
        except BaseException:
            connection.close()
            raise
        return kernel

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Wait for the exit that was asked for, which is sooner than looking for it at times."""
        await super().shutdown_requested(restart=restart)
        await self._exit()

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel."""
        await super().kill(restart=restart)
        await self._exit()

    async def _exit(self) -> None:
        if isinstance(self.process, ForkedKernel) and self.process.poll() is None:
            await self.process.heard(_EXIT_SECONDS)

    def get_shutdown_wait_time(self, recommended: float = 5.0) -> float:
        """Seconds until a kernel that doesn't end is killed, after those waited above."""
        return 1.0 if isinstance(self.process, ForkedKernel) else recommended

    async def cleanup(self, restart: bool = False) -> None:
        """Give up what is held for the kernel."""
        if isinstance(self.process, ForkedKernel):
            self.process.close()
        await super().cleanup(restart=restart)


def _fileno(stream: Any, default: int) -> int:
    if stream is None:
        return default
    return stream if isinstance(stream, int) else int(stream.fileno())


class ChapterKernelClient(AsyncKernelClient):
    """Knows from the kernel's own word that it is ready, where its parent class waits in vain."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on both channels.

        A kernel ends an answer with the status ``idle`` on the output channel. Once that is seen,
        nothing of the start-up is left there, and there is no need to listen for 0.2 s to be sure.

        Raises
        ------
        RuntimeError
            When it died or `timeout` seconds have passed.
        """
        deadline = time.monotonic() + (timeout or float("inf"))
        while True:
            request = self.kernel_info()
            reply = await _answer(self.shell_channel, request, 1.0)
            if reply and await _answer(self.iopub_channel, request, 0.05, execution_state="idle"):
                self._handle_kernel_info_reply(reply)
                return
            if not await self.is_alive():
                raise RuntimeError("The kernel died before it was ready.")
            if time.monotonic() > deadline:
                raise RuntimeError(f"The kernel wasn't ready within {timeout:.0f} seconds.")


async def _answer(
    channel: Any, request: str, seconds: float, **content: Any
) -> dict[str, Any] | None:
    """Return the next answer to a request that has this content, None where none comes in time."""
    with contextlib.suppress(Empty):
        while True:
            message: dict[str, Any] = await channel.get_msg(timeout=seconds)
            if message["parent_header"].get("msg_id") == request and (
                content.items() <= message["content"].items()
            ):
                return message
    return None


class ChapterKernelManager(AsyncKernelManager):
    """Starts a chapter's kernel: this environment's Python, forked, whatever kernelspecs there are.

    Meant for ``kernel_manager_class`` of nbclient and, as an engine argument, of papermill.
    """

    server = Unicode("", config=True, help="Address of a KernelServer; empty for the own one.")
    log_file = Unicode("", config=True, help="Takes what the kernel writes outside of its cells.")

    @default("client_factory")
    def _client_factory_default(self) -> type[AsyncKernelClient]:
        return ChapterKernelClient

    @default("transport")
    def _transport_default(self) -> str:
        return "ipc" if can_fork() else "tcp"

    @default("connection_file")
    def _connection_file_default(self) -> str:
        if not can_fork():
            return ""
        return str(Path(self._address()).with_name(f"{uuid.uuid4().hex[:12]}.json"))

    def _address(self) -> str:
        return self.server or default_server().address

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel of this very environment."""
        spec = KernelSpec(**get_kernel_dict())
        if can_fork():
            spec.metadata["kernel_provisioner"] = {
                "provisioner_name": PROVISIONER,
                "config": {"server": self._address()},
            }
        return spec

    @property
    def ipykernel(self) -> bool:
        """Yes, by whatever name the notebook calls its kernel."""
        return True

    async def start_kernel(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Start the kernel, its raw output to the log file or nowhere."""
        # Known here also where the package is run without being installed.
        KernelProvisionerFactory.instance().provisioners.setdefault(
            PROVISIONER,
            EntryPoint(
                PROVISIONER,
                f"{ForkProvisioner.__module__}:{ForkProvisioner.__name__}",
                KernelProvisionerFactory.GROUP_NAME,
            ),
        )
        with Path(self.log_file or os.devnull).open("ab") as raw:
            await super().start_kernel(stdout=raw, stderr=raw, **kwargs)
