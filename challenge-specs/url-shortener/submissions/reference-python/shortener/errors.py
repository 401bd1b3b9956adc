"""Answers other than success."""


class ApiError(Exception):
    """Becomes `{"error": {"code": ..., "message": ...}}` with this status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
