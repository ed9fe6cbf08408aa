#!/bin/sh
# Two threads that call torch.func.jvp at the same time disturb each other: one gets the derivative 0, or an error.
#
# Expected: torch.func is functional, and both grad and vjp work in threads side by side, so jvp does too.
# Seen (torch 2.13.0 for CPU, Linux, Python 3.11): a call that begins while another thread's is under way joins that one's level of forward
# differentiation, as if it were nested in it. When the first ends, the level ends, and its tangents with it: the second call returns
# 0.0 instead of cos(0.3) = 0.955, without an error. A third that begins in between may raise that "no level exists". Left to chance, with three
# threads of a small network, some calls in a hundred raise.
# The depth of nesting is a variable of torch's module that all threads share, and so are the levels.
# A way round: one lock around every jvp, jacfwd and hessian of the process.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
"$folder/venv/bin/python" - <<'PYTHON'
import math
import sys
import threading

import torch

PATIENCE = 30  # seconds; nothing here waits for long
point = torch.tensor([0.3], dtype=torch.float64)


def forward(function):
    return torch.func.jvp(function, (point,), (torch.ones_like(point),))[1].item()


def reverse(function):
    return torch.func.vjp(function, point)[1](torch.ones_like(point))[0].item()


def overlapping(derivative):
    """The derivatives of the sine by two threads, the second of which begins while the first is inside, and ends after it."""
    first_inside, second_computed, first_ended = threading.Event(), threading.Event(), threading.Event()
    derivatives = {}

    def first_sine(x):
        first_inside.set()
        second_computed.wait(PATIENCE)
        return torch.sin(x)

    def second_sine(x):
        y = torch.sin(x)
        second_computed.set()
        first_ended.wait(PATIENCE)
        return y

    def call(name, function):
        derivatives[name] = derivative(function)

    first = threading.Thread(target=call, args=("first", first_sine))
    second = threading.Thread(target=call, args=("second", second_sine))
    first.start()
    first_inside.wait(PATIENCE)
    second.start()
    first.join()
    first_ended.set()
    second.join()
    return derivatives["first"], derivatives["second"]


print("torch", torch.__version__)
right = math.cos(0.3)
print(f"cos(0.3) = {right:.6f}; jvp in one thread: {forward(torch.sin):.6f}")
jvp, vjp = overlapping(forward), overlapping(reverse)
print("jvp in two threads that overlap: first %.6f, second %.6f" % jvp)
print("vjp in two threads that overlap: first %.6f, second %.6f" % vjp)
near = lambda value: abs(value - right) < 1e-12
as_described = near(forward(torch.sin)) and near(jvp[0]) and jvp[1] == 0 and near(vjp[0]) and near(vjp[1])
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
