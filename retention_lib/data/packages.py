"""Files that an installed package brings."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from retention_lib.errors import DataError


def package_file(source: str, package: str, module: str, file: str, extra: str = "") -> Path:
    """A file of an installed package, which isn't imported for it."""
    spec = importlib.util.find_spec(module)
    if spec is None:
        raise DataError(
            f"source: {source} needs the package {package}, which isn't installed; "
            f"install it with pip install {package}{extra}"
        )
    for folder in spec.submodule_search_locations or ():
        if (path := Path(folder) / file).is_file():
            return path
    raise DataError(
        f"source: {source}: the package {package} has no {file}; "
        f"install it anew with pip install --force-reinstall {package}"
    )
