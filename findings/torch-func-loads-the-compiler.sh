#!/bin/sh
# The first derivative that torch.func computes imports torch's compiler, though nothing is compiled.
#
# Expected: torch.func.grad and vjp cost what torch.autograd.grad costs, the first time as well; who never calls torch.compile never loads it.
# Seen (torch 2.13.0 for CPU, Linux, Python 3.11): torch.autograd.grad loads no module of it. The first torch.func.grad, vjp or jacrev looks up
# torch._dynamo to switch its autograd off, and the first jvp whose function has a constant in it, as in 2 * x, gets there through a
# Python fallback: more than 700 modules (torch._dynamo, sympy, torch.distributed ...), 2 s of CPU instead of a few milliseconds, and
# the memory for them. jvp of x * x does not. Whoever times a first call, or starts a process for each task, pays it every time.
# A way round: torch.autograd.grad, or one such call in the background before anybody waits for one.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
cat > "$folder/derivative.py" <<'PYTHON'
import json
import sys
import time

import torch

x = torch.ones(3)
before, begun = set(sys.modules), time.process_time()
if sys.argv[1] == "torch.autograd.grad of 2 * x":
    leaf = x.clone().requires_grad_()
    torch.autograd.grad((2 * leaf).sum(), leaf)
elif sys.argv[1] == "torch.func.grad of 2 * x":
    torch.func.grad(lambda point: (2 * point).sum())(x)
elif sys.argv[1] == "torch.func.jvp of 2 * x":
    torch.func.jvp(lambda point: 2 * point, (x,), (x,))
elif sys.argv[1] == "torch.func.jvp of x * x":
    torch.func.jvp(lambda point: point * point, (x,), (x,))
seconds = time.process_time() - begun
print(json.dumps([len(set(sys.modules) - before), "torch._dynamo" in sys.modules, seconds]))
PYTHON
"$folder/venv/bin/python" - "$folder/derivative.py" <<'PYTHON'
import json
import subprocess
import sys

loaded = {}
for derivative in (
    "torch.autograd.grad of 2 * x",
    "torch.func.grad of 2 * x",
    "torch.func.jvp of 2 * x",
    "torch.func.jvp of x * x",
):
    answer = subprocess.run([sys.executable, sys.argv[1], derivative], capture_output=True, text=True, check=True)
    modules, compiler, seconds = json.loads(answer.stdout)
    loaded[derivative] = compiler
    print(f"{derivative}: {modules} modules more, torch._dynamo {'is' if compiler else 'not'} among them, {seconds:.2f} s of CPU")
as_described = list(loaded.values()) == [False, True, True, False]
print("as described" if as_described else "CHANGED: not what this file describes")
sys.exit(not as_described)
PYTHON
