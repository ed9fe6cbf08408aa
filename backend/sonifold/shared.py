"""Values that several threads need: computed by the first, waited for by the others.

``functools.lru_cache`` lets threads that miss at the same time each compute the value. ``functools.cached_property``
does so too from Python 3.12 on, and before that makes every object of the class wait while one is computed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock, RLock
from typing import Any, Generic, TypeVar, overload

Value = TypeVar("Value")


class SharedProperty(Generic[Value]):
    """A property that is computed once for each object; threads wait for each other at the same object only."""

    def __init__(self, compute: Callable[[Any], Value]):
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> SharedProperty[Value]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object | None, owner: type) -> SharedProperty[Value] | Value:
        if instance is None:
            return self
        values = instance.__dict__  # found there before this is asked the next time
        lock: RLock = values.setdefault("_shared_lock", RLock())  # atomic
        with lock:
            if self._name not in values:
                values[self._name] = self._compute(instance)
            value: Value = values[self._name]
            return value


class RecentValues(Generic[Value]):
    """A function of hashable arguments that remembers its last ``size`` values. An error is not remembered."""

    def __init__(self, compute: Callable[..., Value], size: int):
        self._compute, self._size = compute, size
        self._values: OrderedDict[tuple[Hashable, ...], Future[Value]] = OrderedDict()
        self._lock = Lock()

    def __call__(self, *arguments: Hashable) -> Value:
        with self._lock:
            value = self._values.get(arguments)
            if value is not None:
                self._values.move_to_end(arguments)
            else:
                promised = self._values[arguments] = Future[Value]()
                if len(self._values) > self._size:
                    self._values.popitem(last=False)
        if value is not None:
            return value.result()
        try:
            promised.set_result(self._compute(*arguments))
        except BaseException as error:
            with self._lock:
                if self._values.get(arguments) is promised:
                    del self._values[arguments]
            promised.set_exception(error)
        return promised.result()
