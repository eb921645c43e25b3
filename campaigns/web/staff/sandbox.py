"""A frame that can do nothing: what somebody wrote, shown within our own pages."""

from flask import Response, make_response

SANDBOX = "; ".join(
    (
        "sandbox",
        "default-src 'none'",
        "style-src 'self' 'unsafe-inline'",
        "img-src https: http: data:",
        "frame-ancestors 'self'",
    )
)


def sandboxed(html: str) -> Response:
    """An answer that runs nothing and reaches nobody, for a frame of our own pages."""
    answer = make_response(html)
    answer.headers["Content-Security-Policy"] = SANDBOX
    return answer
