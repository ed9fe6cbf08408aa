"""Adam with decoupled decay, as torch has it, without torch's compiler."""

from __future__ import annotations

import inspect

import torch

_Adam = torch.optim.AdamW


class AdamW(_Adam):
    """``torch.optim.AdamW`` (Loshchilov & Hutter 2019) for a process that compiles nothing.

    Torch wraps these methods so that its compiler leaves them alone, and loads the compiler for that: two seconds of
    every process that trains. Underneath is the same arithmetic.
    """

    add_param_group = inspect.unwrap(_Adam.add_param_group)
    zero_grad = inspect.unwrap(_Adam.zero_grad)
    state_dict = inspect.unwrap(_Adam.state_dict)
    load_state_dict = inspect.unwrap(_Adam.load_state_dict)
    step = torch.no_grad()(inspect.unwrap(_Adam.step))
