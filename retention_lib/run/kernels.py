"""Kernels that start in milliseconds: each is forked from a server with the libraries loaded.

Nine tenths of a chapter's time on the plain way are spent on starting Python and importing. Here
one process, the fork server, imports everything once and then only waits; a kernel is a fork of
it. A fork shares nothing that it changes, so what one chapter sets (``rcParams``, pandas options,
environment, attributes of modules) no other chapter sees, and a kernel's end frees all it took.

The pieces, from the inside out:

- `preload` says what the server imports;
- `forkserver` is the server process and, in each fork, the kernel;
- `server` starts and stops that process; `default_server` is this process's own;
- `provisioner` is Jupyter's interface to it, and launches an ordinary kernel where it can't fork;
- `ChapterKernelManager`, here, puts them together and needs no kernelspec on disk.

No process outlives its owner: the server ends when its parent does (its standard input closes), a
kernel when the server does (parent-death signal, on other systems a check each second) or when the
process that asked for the kernel does (its connection closes).
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Unicode, default

from retention_lib.run import provisioner
from retention_lib.run.server import can_fork, default_server


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
                "provisioner_name": provisioner.PROVISIONER,
                "config": {"server": self._address()},
            }
        return spec

    @property
    def ipykernel(self) -> bool:
        """Yes, by whatever name the notebook calls its kernel."""
        return True

    async def start_kernel(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Start the kernel, its raw output to the log file or nowhere."""
        provisioner.register()
        with Path(self.log_file or os.devnull).open("ab") as raw:
            await super().start_kernel(stdout=raw, stderr=raw, **kwargs)
