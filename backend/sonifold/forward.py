"""torch's forward-mode differentiation, made safe for threads.

torch.func.jvp numbers its levels for the whole process: of two threads that are in it at the same time, one ends the
other's level, and the call fails (torch 2.13: most calls, with four threads). Here one enters at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import torch

#: Held by whoever changes what torch keeps for the whole process. One lock for all of it: who holds it may come to
#: anything else that needs it, such as a jvp inside a jvp.
PROCESS_WIDE = threading.RLock()


def jvp(function: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    """The value of a function and its derivative along tangents, as torch.func.jvp has them."""
    with PROCESS_WIDE:
        value, image = torch.func.jvp(function, primals, tangents)[:2]
    return value, image
