#!/bin/sh
# safetensors writes the wrong numbers for a NumPy array that is transposed, reversed, strided or in Fortran order, without an error.
#
# Expected: a file of arrays gives back arrays equal to those that went in, or refuses what it cannot hold. safetensors.torch refuses tensors
# that are not contiguous; safetensors.numpy makes arrays of the other byte order right by itself.
# Seen (safetensors 0.8.0, Linux, Python 3.11): safetensors.numpy.save takes such an array, and load gives one of the same shape and type with
# its values in other places: the memory's order is stored under the array's shape. So with x.T, x[::-1], x[:, ::2], np.asfortranarray(x), and with
# what NumPy's own functions return, such as the rows that np.linalg.svd finds, taken as columns.
# The docstring asks for contiguous arrays; nothing checks it.
# A way round: np.ascontiguousarray around each array.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 safetensors==0.8.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import safetensors
from safetensors.numpy import load, save

x = np.arange(12.0).reshape(3, 4)
components = np.linalg.svd(np.random.default_rng(0).standard_normal((20, 4)), full_matrices=False)[2]
kinds = {
    "transposed": x.T,
    "reversed": x[::-1],
    "every second column": x[:, ::2],
    "in Fortran order": np.asfortranarray(x),
    "svd's rows as columns": components.T,
    "as it is": x,
    "big-endian": x.astype(">f8"),
}


def kept(array, before=lambda array: array):
    loaded = load(save({"array": before(array)}))["array"]
    return loaded.shape == array.shape and bool(np.array_equal(loaded, array))


print("safetensors", safetensors.__version__)
for name, array in kinds.items():
    print(f"{name}: {'equal' if kept(array) else 'OTHER VALUES'}; made contiguous first: {'equal' if kept(array, np.ascontiguousarray) else 'OTHER VALUES'}")
print("x.T was", x.T.tolist(), "and is", load(save({"array": x.T}))["array"].tolist())
as_described = (
    [name for name, array in kinds.items() if kept(array)] == ["as it is", "big-endian"]
    and all(kept(array, np.ascontiguousarray) for array in kinds.values())
)
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
