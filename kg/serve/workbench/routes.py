"""The HTTP routes of the workbench: what was made at the start, and POST /patient, which evaluates a record and forgets it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date

from starlette.datastructures import URLPath
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound, Route
from starlette.types import Receive, Scope, Send

from kg.guideline import Guideline
from kg.serve import body, request
from kg.serve.advisor import day
from kg.serve.problem import Problem
from kg.serve.settings import Settings
from kg.serve.workbench import policy
from kg.serve.workbench.bench import Bench, Form
from kg.serve.workbench.desk import FILES, HTML, SHOWN, Record, asked
from kg.serve.workbench.site import Leaf, leaves
from kg.serve.worker import Answer


class Shelf(BaseRoute):
    """Pages by path, made while the service starts: who comes earlier waits for them.

    Another path is no endpoint, so that no line of the log holds what a client made up."""

    def __init__(self) -> None:
        self.made: asyncio.Future[dict[str, Leaf]]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        reads = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        if reads and (not self.made.done() or scope["path"] in self.made.result()):
            return Match.FULL, {"endpoint": self}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        leaf = (await asyncio.shield(self.made)).get(scope["path"])
        if leaf is None:
            scope["endpoint"] = None
            await Response("Not Found", 404, media_type="text/plain")(scope, receive, send)
        else:
            await Response(leaf.body, 200, {"Content-Security-Policy": leaf.policy}, leaf.media)(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params) -> URLPath:
        raise NoMatchFound(name, path_params)


class Workbench:
    """The pages over a guideline; `ask` has a worker answer a job, `today` is asked at every request."""

    def __init__(self, bench: Bench, guideline: Guideline, settings: Settings, today: Callable[[], date], ask: Callable[[object], Awaitable[Answer]]) -> None:
        self._bench, self._guideline, self._settings, self._today, self._ask = bench, guideline, settings, today, ask
        self._shelf = Shelf()

    async def open(self) -> None:
        """Begin to make the pages."""
        self._shelf.made = asyncio.create_task(asyncio.to_thread(leaves, self._bench, self._guideline))

    async def close(self) -> None:
        """Make no more."""
        self._shelf.made.cancel()

    def routes(self) -> list[BaseRoute]:
        return [self._shelf, Route("/patient", self._judge, methods=["POST"])]

    async def _judge(self, received: Request) -> Response:
        form = Form()
        try:
            if received.headers.get("content-type", "").split(";")[0].strip().lower() != request.FORM:
                raise Problem(415, "Not a form", f"Send the fields record, as-of and show as {request.FORM}.")
            fields = dict(request.pairs(await body.read(received, self._settings.body), "the form"))
            form = Form(fields.get("record", ""), fields.get("as-of", ""), fields.get("question", ""))
            show = fields.get("show", SHOWN[0])
            answer = await self._ask(self._job(form, show))
        except Problem as problem:
            page = self._bench.patient(form, problem).encode()
            return Response(page, problem.status, {**problem.headers, "Content-Security-Policy": policy.PATIENT}, HTML)
        headers = {"Content-Disposition": f'attachment; filename="{form.question}.{show}"'} if answer.media in FILES.values() else {}
        return Response(answer.body, answer.status, {**headers, "Content-Security-Policy": policy.PATIENT}, answer.media)

    def _job(self, form: Form, show: str) -> Record:
        if show not in SHOWN:
            raise Problem(400, "Nothing to show", "The field show is one of: " + ", ".join(SHOWN))
        if show not in ("verdicts", "timeline"):
            asked(form.question)
        if not form.record.strip():
            raise Problem(400, "No record", "Paste a patient's record, or choose a file that holds one.")
        return Record(form, day(form.as_of) if form.as_of else self._today(), show)
