"""Where a notebook's relative source path starts.

`retention report` knows the client file. A notebook run by plain papermill or by hand knows only
the parameters; it looks for the client file as a person would: in a folder `params` here or above.
"""

from __future__ import annotations

import re
from pathlib import Path

from retention_lib.params import Params


def client_folder(params: Params, here: Path | None = None) -> Path:
    """The folder of the client file with these parameters, seen from a notebook.

    Parameters
    ----------
    params : Params
    here : Path, optional
        Where to start looking; the working directory where not given.

    Returns
    -------
    Path
        The nearest `params` folder, here or above, that holds a file of this client; the working
        directory where there is none.
    """
    here = here or Path.cwd()
    pattern = re.compile(
        rf"^client:\s*(['\"]?){re.escape(params.client)}\1\s*(#.*)?$", re.MULTILINE
    )
    for parent in (here, *here.parents):
        folder = parent / "params"
        for file in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
            if pattern.search(file.read_text(encoding="utf-8", errors="replace")):
                return folder
    return here
