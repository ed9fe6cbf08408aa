#!/bin/sh
# safetensors raises an error of its own when the disk refuses a file to be written, and Python's own when one cannot be read.
#
# Expected: both ways the OSError that the disk gave, with its number, as open() raises it: `except OSError` finds a full disk and a missing folder.
# Seen (safetensors 0.8.0, Linux, Python 3.11): reading a file that is not there raises FileNotFoundError. Writing into a folder that is not there
# raises SafetensorError, which is no OSError and has no errno; the number stands in its text only, as "(os error 2)". A full disk, "(os error 28)", does
# the same, so a program that waits for room takes it for tensors that cannot be stored.
# A way round: find "(os error N)" in the text, and raise OSError(N, os.strerror(N), path).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 safetensors==0.8.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import re
import sys

import numpy as np
import safetensors
from safetensors.numpy import load_file, save_file

missing = "no-such-folder/tensors.safetensors"


def error_of(work):
    try:
        work()
    except Exception as error:
        return error
    return None


reading, writing = error_of(lambda: load_file(missing)), error_of(lambda: save_file({"x": np.zeros(3)}, missing))
print("safetensors", safetensors.__version__)
for name, error in (("reading", reading), ("writing", writing)):
    print(f"{name}: {type(error).__name__}, an OSError: {isinstance(error, OSError)}, errno {getattr(error, 'errno', None)}")
print("its text ends in", re.search(r"\(os error \d+\)", str(writing)).group())
as_described = (
    isinstance(reading, FileNotFoundError)
    and isinstance(writing, safetensors.SafetensorError)
    and not isinstance(writing, OSError)
    and "(os error 2)" in str(writing)
)
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
