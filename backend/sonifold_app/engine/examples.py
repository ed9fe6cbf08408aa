"""Values for the examples in the API's description."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

#: Two sounds of the pack that comes with Sonifold, and the point of the first.
SOUND_ID, OTHER_ID = "67cf109a3df2", "aa1b4786188a"
Z = [
    *(-0.16, 0.45, 0.79, -0.02, -1.57, -0.47, 0.6, -1.12, -2.73, -1.77, 0.03, 0.01, 0.18, 0.96, -0.53, -1.75),
    *(0.14, -1.59, 0.07, 1.28, 0.54, 0.72, 1.08, 1.09, -0.2, 0.5, 1.2, -0.02, -1.28, -0.44, 0.66, -1.59),
]
#: Two of the user's own.
USER_SOUND_ID, OTHER_USER_SOUND_ID = "u1f2e3d4c5b6a", "u0a1b2c3d4e5f"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})
