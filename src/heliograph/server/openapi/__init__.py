"""The description of the API for programs (OpenAPI 3.1) and for people (a page), made from the endpoints and `wire`."""
