"""How far Sonifold carries: queues of requests, simulated, and arithmetic from what was measured.

``sonifold reproduce scale --docs docs`` writes the tables and the picture of docs/scale.md again, from
docs/scale.json, which ``python tests/benchmarks/load/costs.py`` measures.
"""

from __future__ import annotations

from .page import reproduce

__all__ = ["reproduce"]
