"""The time that fine-tuning takes: seconds a step, and seconds to the end."""

from __future__ import annotations

import time
from typing import Literal

Phase = Literal["trial", "final"]

#: Of a step of the final run, in steps of the trial: it learns from more, and is previewed. Measured.
FINAL_PACE = 1.25
#: Beginnings of a run, in time, between the trial and the final run, and after that. Measured.
BETWEEN, AFTER = 2.0, 3.0
#: Steps of the final run that the expected pace counts as much as.
PRIOR_STEPS = 20
#: Steps of a process that say nothing of its pace.
UNSTEADY = 2


class Pace:
    """Times the steps of two runs, or of the final run alone, in one process."""

    def __init__(self, steps: int, trial: bool):
        """``steps``: of each run; ``trial``: whether the final run has a trial before it."""
        self.steps, self.trial = steps, trial
        self.preparing = 0.0  # seconds that beginning a run takes
        self._began = time.monotonic()
        self._spent: dict[Phase, tuple[float, int]] = {}  # seconds spent on steps, and how many
        self._unsteady = UNSTEADY

    @property
    def elapsed(self) -> float:
        """Seconds since the process began."""
        return time.monotonic() - self._began

    def count(self, phase: Phase, began: float) -> float:
        """Note what a step took, the look before it included; the first ones of a process, which are slow, are not.

        Returns:
            The time now, when the next step begins.
        """
        now = time.monotonic()
        if self._unsteady:
            self._unsteady -= 1
        else:
            seconds, steps = self._spent.get(phase, (0.0, 0))
            self._spent[phase] = (seconds + now - began, steps + 1)
        return now

    def seconds_a_step(self, phase: Phase, looking: float) -> float:
        """Seconds a step of the final run; while that is young, partly by the pace of the trial.

        ``looking``: seconds that the look under way has taken, which belong to the steps before it.
        """
        trial, steps = self._spent.get("trial", (0.0, 0))
        if phase == "trial":
            return FINAL_PACE * (trial + looking) / max(steps, 1)
        expected = FINAL_PACE * trial / steps if steps else None
        final, steps = self._spent.get("final", (0.0, 0))
        if expected is None:
            return (final + looking) / max(steps, 1)
        return (final + PRIOR_STEPS * expected) / (steps + PRIOR_STEPS)

    def remaining(self, phase: Phase, step: int, seconds_a_step: float) -> float:
        """Seconds: the steps to come at the pace so far, and what stands between and after the runs."""
        to_come = self.steps - step
        if phase == "final":
            return to_come * seconds_a_step + AFTER * self.preparing
        final = self.steps * seconds_a_step
        return to_come * seconds_a_step / FINAL_PACE + final + (BETWEEN + AFTER) * self.preparing

    def percent(self, phase: Phase, step: int) -> float:
        """Share of all steps that are done, in percent."""
        runs, before = (2, phase == "final") if self.trial else (1, False)
        return 100 * (before + step / self.steps) / runs
