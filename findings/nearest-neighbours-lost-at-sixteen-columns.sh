#!/bin/sh
# With 16 columns instead of 15, scikit-learn's NearestNeighbors no longer finds a row's own self, where one column holds large numbers.
#
# Expected: a constant column changes no distance, so adding one changes no neighbour; "auto" chooses among algorithms that are all exact.
# Seen (scikit-learn 1.9.1, Linux, Python 3.11): of 200 rows, one column of which is a time in Unix seconds (within a minute) and the others are
# zero, each finds itself first with 15 columns, and all distances are right. With a sixteenth column of zeros, 1 in 100 finds itself first, and
# distances are wrong by up to 2.5 seconds. No warning; everything is in double precision.
# "auto" takes a tree up to 15 columns and brute force beyond, and brute force computes distances from squared lengths, here 3e18, whose last digits
# are the distances. The documentation of euclidean_distances says that it is not the most precise; that of "auto" does not.
# A way round: take the mean off each column, or ask for algorithm="kd_tree".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import sklearn
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

ROWS = 200
seconds = 1.7e9 + np.random.default_rng(0).uniform(0, 60, ROWS)


def seen(columns, centred=False, **settings):
    """The share of rows that are their own nearest, and the largest error of a distance to the nine nearest others."""
    table = np.zeros((ROWS, columns))
    table[:, 0] = seconds - seconds.mean() if centred else seconds
    right = np.sort(cdist(table, table), axis=1)[:, :10]
    distances, rows = NearestNeighbors(n_neighbors=10, **settings).fit(table).kneighbors(table)
    return float(np.mean(rows[:, 0] == np.arange(ROWS))), float(np.abs(distances - right).max())


print("scikit-learn", sklearn.__version__)
cases = {
    "15 columns": seen(15),
    "16 columns": seen(16),
    "16 columns, kd_tree": seen(16, algorithm="kd_tree"),
    "16 columns, mean taken off": seen(16, centred=True),
}
for name, (own, error) in cases.items():
    print(f"{name}: {own:.0%} of the rows find themselves first; distances are wrong by at most {error:.3g} s")
(wrong_own, wrong_distance), others = cases.pop("16 columns"), cases
as_described = wrong_own < 0.1 and wrong_distance > 1 and all(own == 1 and error < 1e-9 for own, error in others.values())
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
