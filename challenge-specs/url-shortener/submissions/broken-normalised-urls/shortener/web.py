"""Routes: which method on which path does what."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from shortener.errors import ApiError
from shortener.store import AliasTaken, Link, LinkStore
from shortener.validation import encode_cursor, parse_page, read_new_link


def make_app(store: LinkStore) -> FastAPI:
    # The pages of documentation would take codes such as "docs" away from clients.
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.router.redirect_slashes = False
    app.router.add_event_handler("shutdown", store.close)
    _add_routes(app, store)
    _add_error_handlers(app)
    return app


def _add_routes(app: FastAPI, store: LinkStore) -> None:
    # Tried in order, so the fixed paths come before /{code}.
    @app.api_route("/health", methods=["GET", "HEAD"])
    async def health() -> Response:
        return JSONResponse({"status": "ok"})

    @app.post("/links")
    async def create_link(request: Request) -> Response:
        new = await read_new_link(request)
        try:
            link = store.create(new.url, new.alias, new.ttl_seconds)
        except AliasTaken:
            raise ApiError(409, "alias_taken", "This alias is taken.") from None
        return JSONResponse(link.to_json(), status_code=201, headers={"location": f"/{link.code}"})

    @app.api_route("/links", methods=["GET", "HEAD"])
    async def list_links(request: Request) -> Response:
        limit, before = parse_page(request.query_params)
        links, position = store.page(limit, before)
        return JSONResponse(
            {
                "links": [link.to_json() for link in links],
                "nextCursor": None if position is None else encode_cursor(position),
            }
        )

    @app.api_route("/links/{code}", methods=["GET", "HEAD"])
    async def show_link(code: str) -> Response:
        return JSONResponse(_live_link(store, code).to_json())

    @app.delete("/links/{code}")
    async def delete_link(code: str) -> Response:
        store.delete(_known_link(store, code))
        return Response(status_code=204)

    @app.api_route("/{code}", methods=["GET", "HEAD"])
    async def follow_link(code: str, request: Request) -> Response:
        link = _live_link(store, code)
        if request.method == "GET":
            store.record_visit(link)
        # A cached redirect would be followed without us: not counted, and still there after a deletion.
        return Response(status_code=302, headers={"location": link.url, "cache-control": "no-store"})


def _known_link(store: LinkStore, code: str) -> Link:
    link = store.find(code)
    if link is None:
        raise ApiError(404, "not_found", "There is no such link.")
    return link


def _live_link(store: LinkStore, code: str) -> Link:
    link = _known_link(store, code)
    if not link.live:
        raise ApiError(410, "gone", "This link was deleted or has expired.")
    return link


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def on_api_error(_: Request, error: ApiError) -> Response:
        return _error(error.status, error.code, error.message)

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:
            allow = ", ".join(_allowed_methods(app, request))
            return _error(405, "method_not_allowed", f"{request.method} is not allowed here.", {"allow": allow})
        return _error(404, "not_found", "There is nothing at this path.")

    @app.exception_handler(Exception)
    async def on_bug(_: Request, __: Exception) -> Response:
        return _error(500, "internal_error", "Something went wrong on our side.")


def _allowed_methods(app: FastAPI, request: Request) -> "list[str]":
    """Methods of all routes at this path; the framework itself names those of the first one only."""
    matching = [route for route in app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in matching for method in route.methods})


def _error(status: int, code: str, message: str, headers: "dict | None" = None) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status, headers=headers)
