"""Places at work that clients share; how many a machine has room for."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
import pytest

from retention_lib.run import room
from retention_lib.run.slots import Slots


def test_who_began_first_goes_first() -> None:
    slots, granted = Slots(1), []
    for rank in (2, 0, 3, 1, 0):
        slots.ask(rank, lambda rank=rank: granted.append(rank))
    assert granted == [2]  # it alone had asked
    for expected in ([2, 0], [2, 0, 0], [2, 0, 0, 1], [2, 0, 0, 1, 3]):
        slots.give_back(granted[-1])
        assert granted == expected


def test_what_a_client_had_and_asked_for_goes_with_it() -> None:
    slots, granted = Slots(2), []
    for rank in (0, 0, 0, 1, 1):
        slots.ask(rank, lambda rank=rank: granted.append(rank))
    assert granted == [0, 0]
    slots.leave(0)  # it died: both its places are free, its third wish is forgotten
    assert granted == [0, 0, 1, 1]
    slots.leave(0)
    slots.leave(1)
    slots.ask(2, lambda: granted.append(2))
    assert granted[-1] == 2


def test_never_more_at_work_than_there_are_places() -> None:
    slots, lock = Slots(3), threading.Lock()
    at_work, most, done = [0], [0], threading.Semaphore(0)

    def work(rank: int) -> None:
        for _ in range(50):
            turn = threading.Event()
            slots.ask(rank, turn.set)
            assert turn.wait(10)
            with lock:
                at_work[0] += 1
                most[0] = max(most[0], at_work[0])
            with lock:
                at_work[0] -= 1
            slots.give_back(rank)
        slots.leave(rank)
        done.release()

    for rank in range(8):
        threading.Thread(target=work, args=(rank,), daemon=True).start()
    assert all(done.acquire(timeout=20) for _ in range(8))
    assert 1 <= most[0] <= 3


def say(
    monkeypatch: pytest.MonkeyPatch, folder: Path, free: int, own: str = "", **told: str
) -> None:
    """Have the system say so, and a control group: a container's, or the `own` one within."""
    groups = folder / "groups"
    (groups / own).mkdir(parents=True, exist_ok=True)
    for name, text in told.items():
        (groups / own / name.replace("_", ".")).write_text(text)
    (folder / "own").write_text(f"3:cpuset:/elsewhere\n0::/{own}\n")
    monkeypatch.setattr(room, "_CGROUPS", groups)
    monkeypatch.setattr(room, "_OWN_GROUP", folder / "own")
    memory = psutil.virtual_memory()._replace(available=free)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)


def test_as_many_clients_as_there_is_memory_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "cores", lambda: 64)
    say(monkeypatch, tmp_path, 10 * room.A_CLIENT + 5)
    assert room.default_jobs() == 10
    say(monkeypatch, tmp_path, room.A_CLIENT // 10)
    assert room.default_jobs() == 1
    assert not room.enough_memory()


def test_a_containers_own_bounds_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plenty = 1000 * room.A_CLIENT
    told = {
        "cpu_max": "150000 100000\n",
        "memory_max": f"{3 * room.A_CLIENT}\n",
        "memory_current": f"{2 * room.A_CLIENT}\n",
        "memory_stat": f"anon 5\ninactive_file {room.A_CLIENT}\n",
    }
    say(monkeypatch, tmp_path, plenty, **told)
    assert room.free_memory() == 2 * room.A_CLIENT
    assert 1 <= room.cores() <= 2
    say(monkeypatch, tmp_path, plenty, cpu_max="max 100000\n", memory_max="max\n")
    assert room.free_memory() == plenty


def test_a_services_bounds_and_those_around_it_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plenty = 1000 * room.A_CLIENT
    service, other = "system.slice/retention.service", "system.slice/other.service"
    for group, most in (("system.slice", 5), (service, 3), (other, 1)):
        told = {"memory_max": f"{most * room.A_CLIENT}\n", "memory_current": "0\n"}
        say(monkeypatch, tmp_path, plenty, group, **told)
    say(monkeypatch, tmp_path, plenty, service)
    assert room.free_memory() == 3 * room.A_CLIENT
    say(monkeypatch, tmp_path, plenty, "system.slice")
    assert room.free_memory() == 5 * room.A_CLIENT
    say(monkeypatch, tmp_path, plenty, "user.slice")
    assert room.free_memory() == plenty
