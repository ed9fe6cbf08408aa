"""Takes the pictures that the documents show, into docs/pictures: ``python tests/browser/pictures.py``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image
from screenshots import shots
from server import ROOT, running_server

PICTURES = ROOT / "docs" / "pictures"
STATES = ["library", "mean", "playing", "shape", "yours"]


def main() -> None:
    with running_server() as url, tempfile.TemporaryDirectory() as folder:
        for state, shot in zip(STATES, shots(url, Path(folder), STATES, ["laptop"], ["dark"]), strict=True):
            picture = PICTURES / f"{state}.png"
            with Image.open(shot) as image:
                image.convert("RGB").quantize(256).save(picture, optimize=True)  # a third of the bytes
            print(picture)


if __name__ == "__main__":
    main()
