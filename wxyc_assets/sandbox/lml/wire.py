"""Request bodies of the sandbox LML: their shapes and caps, and the errors for all others."""

from typing import Annotated, Any, Final, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

MAX_LIBRARIES: Final = 1000
MAX_LOOKUPS: Final = 100
MAX_IDENTITIES: Final = 50

_DETAILS_SHOWN: Final = 10


class _Body(BaseModel):
    """Strict about types, because JSON has types; ignores fields that LML does not know."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class LibraryInput(_Body):
    """One library to resolve."""

    library_id: int
    artist_name: Annotated[str, Field(min_length=1)]
    album_title: str
    legacy_release_id: int | None = None


class BulkResolveBody(_Body):
    """POST /api/v1/identity/bulk-resolve-libraries."""

    inputs: Annotated[list[LibraryInput], Field(min_length=1)]
    include_tracks: bool | None = None


class LookupBody(_Body):
    """POST /api/v1/lookup, and one item of the bulk form."""

    raw_message: str
    artist: str | None = None
    album: str | None = None
    song: str | None = None
    extended: bool | None = None


class BulkLookupBody(_Body):
    """POST /api/v1/lookup/bulk."""

    items: Annotated[list[LookupBody], Field(min_length=1)]


class RefreshBody(_Body):
    """POST /api/v1/cache/refresh-for-identities."""

    identity_ids: Annotated[list[int], Field(min_length=1)]


class ResolveBody(_Body):
    """POST /api/v1/identity/resolve."""

    kind: str
    source: str
    external_id: str


class ApiError(Exception):
    """An error answer with LML's body: ``message``, ``code`` and, if given, ``details``."""

    def __init__(
        self, status: int, code: str, message: str, details: object = None, *, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "code": code} | ({"details": details} if details is not None else {})
        self.headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}

    def response(self) -> Response:
        """Return the error as the response that LML sends."""
        return json_response(self.body, self.status, self.headers)


BodyT = TypeVar("BodyT", bound=BaseModel)


def parse(raw: bytes, model: type[BodyT]) -> BodyT:
    """Read a request body. Raises ApiError 400 if it is not JSON, 422 if it does not fit ``model``."""
    return validate(parse_json(raw), model)


def parse_json(raw: bytes) -> Any:
    """Read JSON. Raises ApiError 400 if ``raw`` is not JSON."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ApiError(400, "invalid_json", f"the body is not JSON: {error}") from error


def validate(body: object, model: type[BodyT]) -> BodyT:
    """Validate a decoded body. Raises ApiError 422 that names the wrong fields, never their values."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        details = [{"field": _path(one["loc"]), "message": one["msg"]} for one in error.errors()[:_DETAILS_SHOWN]]
        message = "; ".join(f"{one['field']}: {one['message']}" if one["field"] else one["message"] for one in details)
        raise ApiError(422, "validation_error", message, details) from error


def enforce_cap(body: object, field: str, cap: int, status: int) -> None:
    """Raise ApiError ``status`` if the list ``field`` has more than ``cap`` items. Call it before ``validate``, as LML does."""
    items = body.get(field) if isinstance(body, dict) else None
    if isinstance(items, list) and len(items) > cap:
        raise ApiError(status, "too_many_items", f"{field} takes at most {cap} items, {len(items)} were sent")


def json_response(answer: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return ``answer`` as a JSON response."""
    return Response(orjson.dumps(answer), status, headers, media_type="application/json")


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)
