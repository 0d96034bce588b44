"""Reads and rewrites Redis URLs the way Celery and redis-py write them."""

from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from checks.base import Secret


def redis_only(url: Secret) -> Secret:
    """Return `url`. Raises ValueError when it is not a Redis URL; the message does not show it."""
    scheme = url.get_secret_value().split(":", 1)[0]
    if scheme not in ("redis", "rediss"):
        raise ValueError("only redis:// and rediss:// can be watched")
    database_of(url.get_secret_value())
    return url


def database_of(url: str) -> int:
    """Return the database number of a Redis URL, 0 where it names none. Raises ValueError when it is no number."""
    parts = urlsplit(url)
    text = parse_qs(parts.query).get("db", [""])[0] or parts.path.strip("/") or "0"
    if not text.isdecimal():
        raise ValueError("the URL's path must be a database number, e.g. /0")  # not shown: it may hold a password
    return int(text)


def client_url(url: str) -> str:
    """Return a Redis URL that redis-py takes: Celery also writes `ssl_cert_reqs=CERT_REQUIRED` for `required`."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if "ssl_cert_reqs" in query:
        query["ssl_cert_reqs"] = query["ssl_cert_reqs"].lower().removeprefix("cert_")
    return parts._replace(query=urlencode(query)).geturl() if query else url


def with_database(url: str, database: int) -> str:
    """Return the Redis URL with another database number."""
    parts = urlsplit(url)
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name != "db"])
    return parts._replace(path=f"/{database}", query=query).geturl()
