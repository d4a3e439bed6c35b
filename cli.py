"""The command line: `jtickets --help`."""

from __future__ import annotations

import sys

from cli_serve import plain_serve, serve_pages


def main() -> None:
    """Run the command line. A web process has no use for the library that reads it, 12 MB: plain options are read without."""
    asked = plain_serve(sys.argv[1:])
    if asked:
        serve_pages(**asked)
        return
    from cli_commands import app

    app(prog_name="jtickets")


if __name__ == "__main__":
    main()
