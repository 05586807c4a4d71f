"""The folder in which a run's notebooks work: the project's, as far as they read it.

A notebook may read a file of the project, or import a module of it, by a relative path, and may
write a file by one. In the project's own folder the next client's notebook would find that file.
"""

from __future__ import annotations

from pathlib import Path


def working_folder(project: Path, place: Path) -> Path:
    """Make a folder that shows what the project's folder holds, and takes what a run leaves.

    Parameters
    ----------
    project : Path
    place : Path
        The folder to make.

    Returns
    -------
    Path
        The folder; the project's own where the system allows no links.
    """
    place.mkdir()
    for entry in project.iterdir():
        if entry.name.startswith("."):
            continue
        try:
            (place / entry.name).symlink_to(entry.absolute())
        except OSError:
            return project
    return place
