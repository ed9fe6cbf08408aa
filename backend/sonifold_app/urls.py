"""Where the API lives, and the addresses of what is in it. Leads nowhere else: every room may name an address."""

from __future__ import annotations

API = "/api/v1"
OPENAPI = f"{API}/openapi.json"


def audio(sha256: str) -> str:
    return f"{API}/audio/{sha256}"


def collection_sound(id: int) -> str:
    return f"{API}/collection/sounds/{id}"


def named_collection(id: int) -> str:
    return f"{API}/collection/named/{id}"


def ingest(id: int) -> str:
    return f"{API}/collection/ingests/{id}"


def job(id: str) -> str:
    return f"{API}/jobs/{id}"


def listening_test(id: str) -> str:
    return f"{API}/listening-tests/{id}"


def model(id: str) -> str:
    return f"{API}/models/{id}"


def sound(model_id: str, id: str) -> str:
    return f"{model(model_id)}/sounds/{id}"


def upload(model_id: str, id: str) -> str:
    return f"{model(model_id)}/uploads/{id}"


def user(id: str) -> str:
    return f"{API}/users/{id}"
