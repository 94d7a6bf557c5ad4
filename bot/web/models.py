"""The live release as `models:` in endpoints.yml expects it: an archive with an ETag, for servers only."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, Response, abort, request

from bot.model_inputs import INPUTS_HEADER
from bot.settings import Settings
from bot.web.desk import desk
from bot.web.guard import public

blueprint = Blueprint("models", __name__)


def token_of(settings: Settings) -> str:
    """What chat servers show: made from the secret that all servers of a system share."""
    return settings.signing_key("models").hex()


@blueprint.get("/models/live")
@public
def live() -> Any:
    """The archive of the release that is live for the asking server's files; 304 when it has it already."""
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(shown.encode(), token_of(desk().settings).encode()):
        abort(404)
    found = desk().store.live_archive(request.headers.get(INPUTS_HEADER) or desk().publishing.inputs)
    if found is None:
        return Response(status=204)
    release_id, digest, size = found
    if digest in request.if_none_match:
        return Response(status=304)
    archive = Response(desk().store.archive(release_id), mimetype="application/gzip")
    archive.set_etag(digest)
    archive.content_length = size
    archive.headers["filename"] = "model.tar.gz"
    return archive
