"""The HTTP routes that answer about patients: CDS Hooks with its feedback, and POST /fhir/$evaluate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kg.guidance.rules import Rules
from kg.serve import advisor, body, feedback, hooks
from kg.serve.advisor import FHIR, JSON, Job
from kg.serve.pool import Pool
from kg.serve.problem import Problem
from kg.serve.settings import Settings
from kg.serve.worker import Answer

if TYPE_CHECKING:
    from kg.serve.workbench.bench import Bench


class Guidance:
    """Workers that hold the guideline, and the routes that use them. `today` is asked at every request; with a workbench (`bench`)
    the workers also make its pages about patients."""

    def __init__(self, rules: Rules, settings: Settings, today: Callable[[], date], bench: Bench | None = None) -> None:
        self._rules, self._settings, self._today, self._bench = rules, settings, today, bench
        self._discovery = json.dumps(hooks.discovery(rules), ensure_ascii=False).encode()

    async def open(self) -> None:
        """Start the workers."""
        self._pool = Pool(advisor.main, (self._rules, self._settings.pages, self._bench, self._settings.memory), self._settings)
        self._writing = asyncio.Lock()
        await self._pool.open()

    async def close(self) -> None:
        """End the workers."""
        await self._pool.close()

    async def ask(self, job: object) -> Answer:
        """Have a worker answer a job. Raises Problem."""
        return await self._pool.ask(job)

    def routes(self) -> list[Route]:
        """A route for each service, none with a part that a client fills in: paths are logged."""
        found = [Route("/cds-services", self._discover, methods=["GET"]), Route("/fhir/$evaluate", self._evaluate, methods=["POST"])]
        for hook in hooks.HOOKS:
            path = f"/cds-services/{hooks.service(self._rules.guideline.slug, hook)}"
            found += [Route(path, self._hook(hook), methods=["POST"]), Route(f"{path}/feedback", self._feedback(hook), methods=["POST"])]
        return found

    async def _discover(self, received: Request) -> Response:
        return Response(self._discovery, media_type=JSON)

    def _hook(self, hook: str):
        async def answer(received: Request) -> Response:
            _typed(received, JSON)
            return _response(await self._pool.ask(Job(hook, await body.read(received, self._settings.body), self._today())))

        return answer

    async def _evaluate(self, received: Request) -> Response:
        try:
            _typed(received, FHIR, JSON)
            days = received.query_params.getlist("asOf")
            if len(days) > 1:
                raise Problem(400, "no date", "Give asOf once.")
            as_of = advisor.day(days[0]) if days else self._today()
            return _response(await self._pool.ask(Job(None, await body.read(received, self._settings.body), as_of)))
        except Problem as problem:
            return _response(advisor.refusal(problem, as_fhir=True), problem.headers)

    def _feedback(self, hook: str):
        async def answer(received: Request) -> Response:
            _typed(received, JSON)
            rows = feedback.read(hook, await body.read(received, self._settings.body))
            if self._settings.feedback:
                async with self._writing:
                    await asyncio.to_thread(feedback.keep, rows, self._settings.feedback)
            return Response(status_code=200)

        return answer


def _typed(received: Request, *media: str) -> None:
    given = received.headers.get("content-type", "").split(";")[0].strip().lower()
    if given not in media:
        raise Problem(415, "unsupported media type", f"Send the body as {' or '.join(media)}.", headers={"Accept-Post": ", ".join(media)})


def _response(answer: Answer, headers: dict[str, str] | None = None) -> Response:
    return Response(answer.body, answer.status, headers, answer.media)
