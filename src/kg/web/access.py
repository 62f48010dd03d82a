"""Who may write: bearer tokens from a file, compared in constant time.

Source: RFC 6750; a token is taken from the Authorization header only, never from an address,
which ends up in logs.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from pathlib import Path

from kg.errors import DataError, Unauthorised


@dataclass(frozen=True)
class Tokens:
    """The tokens that may write, by the name of who holds them."""

    by_name: dict[str, str]

    def holder(self, authorization: str | None) -> str:
        """Returns the name of who sent the header.

        Raises:
            Unauthorised: there is no token, or an unknown one.
        """
        scheme, _, token = (authorization or "").partition(" ")
        found = None
        for name, known in self.by_name.items():
            # Every token is compared, so that the time tells nothing.
            if hmac.compare_digest(known.encode(), token.strip().encode()):
                found = name
        if scheme.lower() != "bearer" or found is None:
            raise Unauthorised(
                "Writing needs a token: send `Authorization: Bearer TOKEN` with one from the token file."
            )
        return found


def read_tokens(path: Path | None) -> Tokens:
    """Returns the tokens of a file, one `name token` a line; none without a file, and then nobody may write.

    Raises:
        DataError: the file cannot be read, or a line is not `name token`.
    """
    if path is None:
        return Tokens({})
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError.unreadable(error, path) from error
    tokens: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split()
        if len(parts) != 2:
            raise DataError("a line of the token file reads `name token`.", path, number)
        tokens[parts[0]] = parts[1]
    return Tokens(tokens)
