"""The child process in another environment: `python abroad.py PACKAGES PARENT ADDRESS`.

That environment has NumPy and safetensors, of versions of its own, and need not have this project installed: of ours it
gets the packages in PACKAGES (their folders, as a JSON object) and nothing else that lies beside them.
"""

import json
import os
import runpy
import struct
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from typing import Any

OLDEST = (3, 11)
WANTED = ("numpy", "safetensors")
"""What the child imports beside the standard library and ours."""
WRITE = "CNN_CONFORMANCE_WRITE"


class Ours:
    """Finds our packages where they are."""

    def __init__(self, folders: dict[str, str]) -> None:
        self.folders = folders

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        """The package of this name, if it is one of ours; Python finds what is inside by itself."""
        if name not in self.folders:
            return None
        folder = self.folders[name]
        return spec_from_file_location(
            name, str(Path(folder, "__init__.py")), submodule_search_locations=[folder]
        )


def lacks() -> str:
    """What this environment lacks, in a sentence; nothing if it has all that is wanted."""
    if sys.version_info < OLDEST:
        found, oldest = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST))
        return f"{sys.executable} is Python {found}; the candidate's process wants {oldest} or later."
    missing = " ".join(name for name in WANTED if find_spec(name) is None)
    words = f"{sys.executable} lacks what the candidate's process wants; run `{sys.executable} -m pip install"
    return f"{words} {missing}` first." if missing else ""


def say(sentence: str) -> None:
    """Tell our parent that nothing can be loaded: a safetensors blob, made without safetensors."""
    header = json.dumps({"__metadata__": {"protocol": "1", "failed": sentence}}).encode()
    blob = struct.pack("<Q", len(header)) + header
    os.write(int(os.environ[WRITE]), struct.pack("<Q", len(blob)) + blob)


if __name__ == "__main__":
    del sys.path[0]  # our folder, of which nothing is to be found by its bare name
    sys.meta_path.insert(0, Ours(json.loads(sys.argv.pop(1))))
    if sentence := lacks():
        say(sentence)
    else:
        runpy.run_module("cnn_conformance.boundary.child", run_name="__main__", alter_sys=True)
