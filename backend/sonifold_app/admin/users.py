"""``sonifold user``: who may use the server, also while it runs. It knows of a change a second later."""

from __future__ import annotations

import sys
from contextlib import closing

from sonifold_app.settings import Settings
from sonifold_app.store.opening import open_database
from sonifold_app.store.users import User, UserStore


def administer(settings: Settings, action: str, name: str) -> int:
    """Do what ``sonifold user ACTION [NAME]`` says, and print what came of it. Raises SonifoldError."""
    with closing(open_database(settings.data / "library", settings.database_url)) as database:
        store = UserStore(database)
        match action:
            case "list":
                for user in store.all():
                    print(f"{user.id}  {state_of(user):20}  {user.name}")
            case "revoke":
                revoked = store.revoke(name)
                print(f"{revoked.name} ({revoked.id}) is let in no more. What they keep stays on the disk.")
            case _:
                user, token = store.add(name) if action == "add" else store.rotate(name)
                print(token)
                print(
                    f"This is the token of {user.name} ({user.id}); it is not shown again. They open the page as "
                    "http://your.server/?token=TOKEN, or send it as 'Authorization: Bearer TOKEN'.",
                    file=sys.stderr,
                )
        if settings.token is None and action in ("add", "rotate"):
            print(
                "Set SONIFOLD_TOKEN for the server: it does not start with users and without.",
                file=sys.stderr,
            )
    return 0


def state_of(user: User) -> str:
    if user.revoked:
        return f"revoked {user.revoked[:10]}"
    return f"since {(user.rotated or user.created)[:10]}"
