"""The HTTP and WebSocket face: requests in, use cases of `core`, answers of `wire` out."""
