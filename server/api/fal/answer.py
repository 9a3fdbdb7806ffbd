"""Answers of the door: each has the request's id, and errors are in fal's shapes."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from pipelines.errors import ReframeError
from server.doors.fal.refusal import Refusal, refuse

REQUEST_ID = "x-fal-request-id"
"""Without it, one client takes an error for somebody's on the way, and the other knows no id."""


def answer(refusal: Refusal) -> JSONResponse:
    """An error as the caller gets it."""
    return JSONResponse(refusal.body, refusal.status, refusal.headers)


def render_error(error: ReframeError) -> JSONResponse:
    """An error that was met before any route."""
    response = answer(refuse(error))
    response.headers[REQUEST_ID] = str(uuid4())
    return response


def name_request(request: Request, job_id: str) -> None:
    """From now on, the request is called as its job is."""
    request.state.fal_request_id = job_id


class FalRoute(APIRoute):
    """A route whose answers say which request they are about."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual one, and the id."""
        handle = super().get_route_handler()

        async def answering(request: Request) -> Response:
            try:
                response = await handle(request)
            except ReframeError as error:
                response = answer(refuse(error))
            usual = request.state.request_id
            name = getattr(request.state, "fal_request_id", usual)
            response.headers.setdefault(REQUEST_ID, name)
            return response

        return answering
