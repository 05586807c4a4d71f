"""Jupyter's interface to the fork server: a *kernel provisioner* that launches by forking.

papermill and nbclient notice no difference to a kernel of their own.
"""

from __future__ import annotations

import os
import socket
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from traitlets import Unicode

from retention_lib.run.forked import ForkedProcess
from retention_lib.run.forkserver import EXIT_SECONDS, line
from retention_lib.run.server import can_fork, default_server

PROVISIONER = "retention-fork"
"""The provisioner's name in a kernelspec."""

_START_SECONDS = 60.0


class ForkProvisioner(LocalProvisioner):
    """Launches kernels by forking, ordinary ones where that can't be done."""

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
    ) -> ForkedProcess:
        request = line(
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
            kernel = ForkedProcess(connection)
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
        if isinstance(self.process, ForkedProcess) and self.process.poll() is None:
            await self.process.heard(EXIT_SECONDS)

    def get_shutdown_wait_time(self, recommended: float = 5.0) -> float:
        """Seconds until a kernel that doesn't end is killed, after those waited above."""
        return 1.0 if isinstance(self.process, ForkedProcess) else recommended

    async def cleanup(self, restart: bool = False) -> None:
        """Give up what is held for the kernel."""
        if isinstance(self.process, ForkedProcess):
            self.process.close()
        await super().cleanup(restart=restart)


def _fileno(stream: Any, default: int) -> int:
    if stream is None:
        return default
    return stream if isinstance(stream, int) else int(stream.fileno())


def register() -> None:
    """Make the provisioner known to Jupyter in this process, by its name."""
    KernelProvisionerFactory.instance().provisioners.setdefault(
        PROVISIONER,
        EntryPoint(
            PROVISIONER,
            f"{ForkProvisioner.__module__}:{ForkProvisioner.__name__}",
            KernelProvisionerFactory.GROUP_NAME,
        ),
    )
