"""Who may use the server besides the holder of its own token; for that holder alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from sonifold_app import urls
from sonifold_app.http.holders import TokenHolders
from sonifold_app.http.openapi import problems_of
from sonifold_app.http.problems import Problem
from sonifold_app.routes.services import MainTokenDep
from sonifold_app.schemas.users import USER_ID, User, UserRequest, Users, UserWithToken
from sonifold_app.store.users import UserStore

router = APIRouter(prefix="/users", tags=["users"], dependencies=[MainTokenDep])

UserId = Annotated[str, Path(max_length=64, description="The user's id.", examples=[USER_ID])]
NO_STORE = "no-store"


@dataclass(frozen=True)
class UserAdministration:
    """The users of a server, and who compares their tokens."""

    store: UserStore
    holders: TokenHolders


async def administration(request: Request) -> UserAdministration:
    """Raises Problem on a server that lets everybody in."""
    administered: UserAdministration | None = request.app.state.users
    if administered is None:
        raise Problem(
            409,
            "users_need_a_token",
            "No users without a token",
            "This server has no token of its own, so everybody on this machine is let in and sees all. Start it with "
            "SONIFOLD_TOKEN, and users can be added.",
        )
    return administered


AdministrationDep = Annotated[UserAdministration, Depends(administration)]


@router.get("", operation_id="list_users", responses=problems_of(409))
async def list_users(users: AdministrationDep) -> Users:
    """All users, those that were revoked too."""
    return Users(users=[User.of(user) for user in await run_in_threadpool(users.store.all)])


@router.post("", operation_id="create_user", status_code=201, responses=problems_of(409, 413, 422))
async def create_user(users: AdministrationDep, body: UserRequest, response: Response) -> UserWithToken:
    """Add a user. Nobody else sees what the user keeps here, and the token is told this once."""
    user, token = await run_in_threadpool(users.store.add, body.name)
    users.holders.forget()
    response.headers["Location"] = urls.user(user.id)
    response.headers["Cache-Control"] = NO_STORE
    return UserWithToken(user=User.of(user), token=token)


@router.post(
    "/{user}/token", operation_id="rotate_token", status_code=201, responses=problems_of(404, 409, 422)
)
async def rotate_token(users: AdministrationDep, user: UserId, response: Response) -> UserWithToken:
    """Give a user another token, also one who was revoked. The former token and its sessions open nothing any more."""
    changed, token = await run_in_threadpool(users.store.rotate, user)
    users.holders.forget()
    response.headers["Cache-Control"] = NO_STORE
    return UserWithToken(user=User.of(changed), token=token)


@router.delete("/{user}", operation_id="revoke_user", status_code=200, responses=problems_of(404, 409, 422))
async def revoke_user(users: AdministrationDep, user: UserId) -> User:
    """Let a user in no more. What the user keeps stays on the disk, and is there again with another token."""
    revoked = await run_in_threadpool(users.store.revoke, user)
    users.holders.forget()
    return User.of(revoked)
