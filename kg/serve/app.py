"""The HTTP surface: routes, limits and headers around the SPARQL endpoint, on Starlette."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import TYPE_CHECKING

import pyoxigraph as ox
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kg.guidance.rules import Rules
from kg.serve import body, description, request
from kg.serve.dataset import Dataset
from kg.serve.guard import Guard
from kg.serve.guidance import Guidance
from kg.serve.negotiate import choose
from kg.serve.pool import Pool
from kg.serve.problem import Problem
from kg.serve.settings import Settings
from kg.serve.worker import GRAPHS, main

if TYPE_CHECKING:
    from kg.serve.workbench.bench import Bench

_METHODS = ("GET", "HEAD", "POST", "OPTIONS")


def create_app(served: Dataset, settings: Settings, title: str, rules: Rules | None = None, today: Callable[[], date] | None = None,
               bench: Bench | None = None) -> Starlette:
    """The service over a dataset; its workers start and end with the application.

    With a guideline (`rules`) it also answers about patients, as of the day that `today` says when asked; with a `bench`
    it has a workbench over that guideline."""
    guidance = workbench = None
    if rules and today:
        guidance = Guidance(rules, settings, today, bench)
        if bench:
            from kg.serve.workbench.routes import Workbench

            workbench = Workbench(bench, rules.guideline, settings, today, guidance.ask)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.pool = Pool(main, (served.quads, settings.rows, settings.memory), settings, spare=settings.workers)
        parts = [part for part in (app.state.pool, guidance, workbench) if part]
        for part in parts:
            await part.open()
        yield
        for part in parts:
            await part.close()

    async def sparql(received: Request) -> Response:
        if received.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ", ".join(_METHODS)})
        accept = received.headers.get("accept")
        content = await body.read(received, settings.body) if received.method == "POST" else b""
        method = "GET" if received.method == "HEAD" else received.method
        asked = request.read(method, received.url.query, received.headers.get("content-type"), content, accept)
        if asked is None:
            return _description(received, accept)
        answer = await received.app.state.pool.ask(asked)
        mark = {"KG-Truncated": f"rows={settings.rows}"} if answer.cut else {}
        return Response(answer.body, answer.status, {"Vary": "Accept", **mark}, _typed(answer.media))

    def _description(received: Request, accept: str | None) -> Response:
        media = choose(accept, tuple(GRAPHS))
        if media is None:
            raise Problem(406, "not acceptable", "The service description comes as: " + ", ".join(GRAPHS), {"offered": list(GRAPHS)})
        endpoint = str(received.base_url) + "sparql"
        text = ox.serialize(description.description(endpoint, served, title), format=GRAPHS[media], prefixes=description.PREFIXES)
        return Response(text, 200, {"Vary": "Accept"}, _typed(media))

    async def void(received: Request) -> Response:
        return _description(received, received.headers.get("accept"))

    async def health(received: Request) -> Response:
        return _json(200, {"status": "alive"})

    async def ready(received: Request) -> Response:
        return _json(200, {"status": "ready", "triples": served.size, "workers": settings.workers})

    routes = [Route("/sparql", sparql, methods=list(_METHODS)), Route("/sparql/", sparql, methods=list(_METHODS)),
              Route("/.well-known/void", void), Route("/health", health), Route("/ready", ready),
              *(route for part in (guidance, workbench) if part for route in part.routes())]
    middleware = [Middleware(Guard, token=settings.token), Middleware(TrustedHostMiddleware, allowed_hosts=list(settings.names))]
    if settings.origins:
        middleware.append(Middleware(CORSMiddleware, allow_origins=list(settings.origins), allow_methods=["GET", "POST"],
                                     allow_headers=["accept", "authorization", "content-type"], expose_headers=["KG-Truncated"]))
    return Starlette(routes=routes, middleware=middleware, lifespan=lifespan, exception_handlers={Problem: _problem})


async def _problem(received: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return Response(json.dumps(problem.body()), problem.status, problem.headers, "application/problem+json")


def _json(status: int, content: dict) -> Response:
    return Response(json.dumps(content), status, media_type="application/json")


def _typed(media: str) -> str:
    return f"{media}; charset=utf-8" if media.startswith("text/") else media
